"""What a build reached, as tables and as JSON."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from synloom.cli.tables import show_table

if TYPE_CHECKING:
    from synloom_boards.bitstreams.cache import Bitstream
    from synloom_boards.board import Board

__all__ = ["report_json", "show_report"]


def report_json(bitstream: Bitstream) -> dict[str, Any]:
    """Return the report of a build with its figures, the time of the build and its log."""
    report = bitstream.report
    values: dict[str, Any] = json.loads(report.to_json())
    values |= {"met": report.met, "fmax": report.fmax, "log": str(bitstream.log), "built": _when(bitstream)}
    return values | {"step_clocks": report.step_clocks, "steps_per_second": report.steps_per_second}


def show_report(board: Board, bitstream: Bitstream) -> None:
    """Print the array, what it uses, its timing and its speed, and when it was built."""
    report = bitstream.report
    array = report.array
    show_table(
        f"{board.title} ({board.chip})",
        (
            ("inputs", array.inputs),
            ("neurons", array.neurons),
            ("synapses", array.synapses),
            ("lanes", array.lanes),
            ("off", ", ".join(report.features_off) or "nothing"),
        ),
    )
    show_table(
        "used",
        (
            (name, f"{used:,} of {there:,} ({100 * used / max(1, there):.0f} %)")
            for name, (used, there) in report.resources.items()
        ),
    )
    rows = [
        (clock.clock, f"{clock.achieved:.1f} MHz of {clock.goal:.1f} MHz{'' if clock.met else ': too slow'}")
        for clock in report.clocks
    ]
    if (path := report.critical) is not None:
        spent = f"{path.logic:.1f} ns logic, {path.routing:.1f} ns routing"
        rows.append(("critical path", f"{path.source} to {path.sink} ({spent})"))
    show_table(f"timing (seed {report.seed})", rows)
    show_table(
        "a step, 5 % active",
        (
            ("clocks, at least", f"{report.step_clocks:,.0f}"),
            ("steps/s, at most", f"{report.steps_per_second:,.0f}"),
        ),
    )
    show_table("build", (("when", _when(bitstream)), ("log", bitstream.log)))


def _when(bitstream: Bitstream) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(bitstream.built))
