"""``make bench-peers``: the same network in Synloom, Brian2, NEST and SuperNeuroMAT."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import Any, Final

from synloom.base.errors import SynloomError
from synloom_sim.bench.machine import versions
from synloom_sim.bench.peers.runner import compare, row_of
from synloom_sim.bench.peers.targets import TARGETS, Target
from synloom_sim.bench.peers.worker import Job
from synloom_sim.bench.report import FOLDER, Report, command_of
from synloom_sim.bench.show import show

__all__ = ["main"]

_SIZES: Final = (100, 256, 512, 1000)
_ROOT: Final = Path(__file__).parents[4]


def main() -> int:
    """Print the tables in Markdown, write the report and its picture; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m synloom_sim.bench.peers")
    names = [target.name for target in TARGETS]
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(names)} (default: all)")
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES, help="neurons (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for reports (default: %(default)s)")
    options = parser.parse_args()
    if unknown := [name for name in options.targets if name not in names]:
        parser.error(f"there is no target {unknown[0]!r}; there are: {', '.join(names)}")
    if options.rounds < 1:
        parser.error(f"--rounds must be at least 1, not {options.rounds}")
    targets = [t for t in TARGETS if t.name in (options.targets or names) and _is_there(t)]
    command = "make bench-peers" if not sys.argv[1:] else command_of(parser.prog, sys.argv[1:])
    try:
        show(_measure(targets, options, command), options.folder)
    except SynloomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _is_there(target: Target) -> bool:
    there = not target.needs or importlib.util.find_spec(target.needs) is not None
    if not there:
        print(f"{target.title}: left out, since {target.needs} is missing", file=sys.stderr, flush=True)
    return there


def _measure(targets: list[Target], options: argparse.Namespace, command: str) -> Report:
    """Compare all targets at all sizes."""
    folder = options.folder.absolute() / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    found = versions()
    rows: list[dict[str, Any]] = []
    for neurons in options.sizes:
        for learning in (True, False):
            job = Job(neurons, learning, "", str(folder))
            fitting = [target for target in targets if neurons <= target.most]
            for target, facts, runs in compare(fitting, job, options.rounds, _ROOT):
                found |= facts["versions"]
                row = row_of(target, job, facts, runs)
                rows.append(row)
                print(
                    f"{neurons} neurons, {'STDP' if learning else 'static'}: {target.title}: "
                    f"{row['steps_per_second']:,.0f} steps/s, {100 * row['active']:.3f} % active",
                    file=sys.stderr,
                    flush=True,
                )
            # An hour's work: what is measured is kept, whatever comes after.
            Report("peers", command, rows, versions=found).write(options.folder)
    return Report("peers", command, rows, versions=found)


if __name__ == "__main__":
    sys.exit(main())
