"""The table of boards, for the README, the documentation and the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from synloom.base.errors import BuildError
from synloom_boards.board import Board, board_names, load_board
from synloom_boards.stamps import read_stamp

__all__ = ["COLUMNS", "board_row", "board_rows", "markdown_table", "replace_table", "shown"]

COLUMNS: Final = {
    "title": "board",
    "device": "device",
    "inputs": "inputs",
    "neurons": "neurons",
    "synapses": "synapses",
    "lanes": "lanes",
    "clock": "clock / MHz",
    "fmax": "Fmax / MHz",
    "baud": "baud",
    "lut": "LUT",
    "ram": "RAM",
    "dsp": "DSP",
    "steps_per_second": "steps/s at 5 %",
    "features_off": "off",
}
"""Columns by key, with their heads."""

_BEGIN: Final = "<!-- boards: begin (make boards writes this) -->"
_END: Final = "<!-- boards: end -->"


def board_row(board: Board) -> dict[str, Any]:
    """Return what is known of a board: what it holds, and what its last full build reached.

    Before the first build `lut`, `ram`, `dsp` and `fmax` are None.
    """
    from synloom_boards.build_report import FEATURES
    from synloom_boards.speed import steps_per_second

    stamp = read_stamp(board)
    array = stamp.report.array if stamp else board.array
    used = stamp.report.resources if stamp else {}
    return {
        "name": board.name,
        "title": board.title,
        "device": board.chip,
        "inputs": array.inputs,
        "neurons": array.neurons,
        "synapses": array.synapses,
        "lanes": array.lanes,
        "clock": array.clock_hz / 1e6,
        "fmax": round(stamp.report.fmax, 1) if stamp else None,
        "baud": array.baud,
        "lut": list(used["LUT"]) if stamp else None,
        "ram": {name: list(used[name]) for name in ("RAM", "SPRAM") if name in used} if stamp else None,
        "dsp": list(used.get("DSP", (0, 0))) if stamp else None,
        "steps_per_second": round(steps_per_second(array)),
        "features_off": [name for name in FEATURES if not getattr(array, name)],
        "current": stamp.is_current(board) if stamp else False,
    }


def board_rows() -> list[dict[str, Any]]:
    """Return the rows of all boards."""
    return [board_row(load_board(name)) for name in board_names()]


def shown(key: str, value: Any) -> str:
    """Return a value of a row as the table shows it."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return " + ".join(f"{used} of {there} {name}" for name, (used, there) in value.items())
    if key in ("lut", "dsp"):
        used, there = value
        return f"{used:,} of {there:,}" if there else "0"
    if key == "features_off":
        return ", ".join(value) or "nothing"
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def markdown_table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the table as Markdown."""
    lines = [f"| {' | '.join(COLUMNS.values())} |", f"|{'---|' * len(COLUMNS)}"]
    for row in rows:
        lines.append(f"| {' | '.join(shown(key, row[key]) for key in COLUMNS)} |")
    return "\n".join(lines) + "\n"


def replace_table(path: Path, table: str) -> None:
    """Put a table between the markers of a file.

    Raises
    ------
    BuildError
        If the file has no markers.
    """
    text = path.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.S)
    if not pattern.search(text):
        raise BuildError(f"{path} has no place for the table: put {_BEGIN} and {_END} there")
    path.write_text(pattern.sub(f"{_BEGIN}\n{table}{_END}", text), encoding="utf-8")
