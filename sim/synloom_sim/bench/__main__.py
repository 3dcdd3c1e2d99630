"""``make bench``: clocks against the bound, the line of each board, calls, start-up and memory."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from synloom.base.errors import SynloomError
from synloom.contract.params import ArrayParams
from synloom_sim.bench.calls import call_rows
from synloom_sim.bench.clocks import measure
from synloom_sim.bench.line import line_rows
from synloom_sim.bench.report import FOLDER, Report, command_of
from synloom_sim.bench.show import show
from synloom_sim.bench.startup import CASES, measure_case
from synloom_sim.bench.workload import QUIET

__all__ = ["main"]

_PERIODS: Final = {QUIET: 20, 100: 100, 20: 40, 5: 10, 1: 3}
"""Steps to measure for each period: activities of 0, 1, 5, 20 and 100 %."""

_ARRAYS: Final = (
    *((64, neurons, lanes) for neurons in (64, 256, 512) for lanes in (1, 4, 8, 16)),
    (94, 90, 16),
)
"""Inputs, neurons and lanes. Each needs a simulated board, which takes a minute to build and is kept."""
_FEW_ARRAYS: Final = ((64, 64, 16), (64, 256, 1), (64, 256, 16), (94, 90, 16))

_KINDS: Final = ("clocks", "line", "calls", "startup")
_REPEATS: Final = 5


def main() -> int:
    """Print the tables in Markdown, write reports and pictures; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m synloom_sim.bench")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(_KINDS)} (default: all)")
    parser.add_argument(
        "--short", action="store_true", help="four arrays instead of thirteen, no first builds"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for reports (default: %(default)s)")
    options = parser.parse_args()
    if unknown := [kind for kind in options.kinds if kind not in _KINDS]:
        parser.error(f"there is no measurement {unknown[0]!r}; there are: {', '.join(_KINDS)}")
    measurements = {
        "clocks": lambda: _clocks(_FEW_ARRAYS if options.short else _ARRAYS),
        "line": lambda: iter(line_rows()),
        "calls": lambda: call_rows(),
        "startup": lambda: _startup(first=not options.short),
    }
    command = "make bench" if not sys.argv[1:] else command_of(parser.prog, sys.argv[1:])
    try:
        for kind in options.kinds or _KINDS:
            show(Report(kind, command, list(measurements[kind]())), options.folder)
    except SynloomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _clocks(arrays: Iterable[tuple[int, int, int]]) -> Iterator[dict[str, Any]]:
    runs = [(period, learning, steps) for learning in (True, False) for period, steps in _PERIODS.items()]
    for inputs, neurons, lanes in arrays:
        params = ArrayParams(inputs=inputs, neurons=neurons, lanes=lanes, neuron_lanes=min(4, lanes))
        name = f"{inputs} + {neurons}, {lanes} lanes"
        for cost in measure(params, runs, progress=_Told(name)):
            row = cost.row()
            print(
                f"{name}: {100 * row['active']:.1f} % active, learning {'on' if cost.learning else 'off'}: "
                f"{row['clocks']:,.0f} clocks, bound {row['bound']:,.0f}",
                file=sys.stderr,
                flush=True,
            )
            yield row


class _Told:
    """Prints each stage of a build once."""

    def __init__(self, name: str) -> None:
        self._name, self._stage = name, ""

    def __call__(self, what: str, share: float) -> None:
        if what != self._stage:
            self._stage = what
            print(f"{self._name}: {what} ...", file=sys.stderr, flush=True)


def _startup(*, first: bool) -> Iterator[dict[str, Any]]:
    for case in CASES:
        if case.fresh and not first:
            continue
        if case.needs and importlib.util.find_spec(case.needs) is None:
            print(f"{case.title}: left out, since {case.needs} is missing", file=sys.stderr, flush=True)
            continue
        print(f"{case.title} ...", file=sys.stderr, flush=True)
        yield measure_case(case, _REPEATS)


if __name__ == "__main__":
    sys.exit(main())
