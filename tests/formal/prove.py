"""Prove the claims about the gateware, and show that a mutant of each fails: `make formal`."""

from __future__ import annotations

import argparse
import os
import sys
import time

import proofs_arithmetic
import proofs_core
import proofs_frames
import proofs_loom
import proofs_queues
import proofs_sequencer
import proofs_streams
import proofs_sums
from formal_bench import Proof
from formal_run import missing_tools, run

__all__ = ["PROOFS", "row"]

PROOFS: list[Proof] = [
    *proofs_arithmetic.PROOFS,
    *proofs_core.PROOFS,
    *proofs_loom.PROOFS,
    *proofs_sums.PROOFS,
    *proofs_frames.PROOFS,
    *proofs_queues.PROOFS,
    *proofs_streams.PROOFS,
    *proofs_sequencer.PROOFS,
]

_HEAD = "| block | what is always true | proven | mutant | result | s | its mutant | s |"
_TAIL_LINES = 30


def row(proof: Proof) -> str:
    """Return the beginning of a proof's row in a table: what is proven, how far, and what its mutant is."""
    mutant = str(proof.mutant).replace("|", r"\|")
    return f"| {proof.block} | {proof.claim} | {proof.method} | `{mutant}` |"


def _chosen(names: list[str]) -> list[Proof]:
    """Return the proofs of these names; all without a name."""
    known = {proof.name: proof for proof in PROOFS}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"error: there is no proof {unknown[0]!r}; there are {', '.join(known)}")
    return [known[name] for name in names] or PROOFS


def main() -> int:
    """Run the proofs that the command line names; return 1 if one does not hold or a mutant does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="proofs; all if none is named")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="solvers at a time")
    options = parser.parse_args()
    if missing := missing_tools():
        print(f"error: {', '.join(missing)} missing; try: make formal", file=sys.stderr)
        return 1
    began = time.monotonic()
    proofs, wrong = _chosen(options.names), []
    print(f"{_HEAD}\n|---|---|---|---|---|---|---|---|", flush=True)
    for proof, outcome, mutant in run(proofs, workers=options.workers):
        results = (f"{each.status} | {each.seconds:.0f} |" for each in (outcome, mutant))
        print(row(proof), *results, flush=True)
        if outcome.status != "pass":
            wrong.append((f"{proof.name} does not hold", outcome))
        if mutant.status != "FAIL":
            wrong.append((f"{proof.name} holds for the mutant too", mutant))
    for what, outcome in wrong:
        print(f"\nerror: {what}; the tools said:", file=sys.stderr)
        print("\n".join(outcome.log.splitlines()[-_TAIL_LINES:]), file=sys.stderr)
    print(f"\n{len(proofs)} proofs and their mutants, {time.monotonic() - began:.0f} s, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
