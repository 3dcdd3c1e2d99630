"""The table of boards, for the README, the documentation and the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from synloom.base.errors import BuildError
from synloom_boards.bitstreams.report import FEATURES
from synloom_boards.bitstreams.stamp import read_stamp
from synloom_boards.board import Board
from synloom_boards.boards import board_names, load_board
from synloom_boards.speed import line_steps_per_second, steps_per_second

__all__ = [
    "COLUMNS",
    "PAGES",
    "board_row",
    "board_rows",
    "is_outdated",
    "markdown_table",
    "page_table",
    "replace_table",
    "shown",
]

COLUMNS: Final = {
    "title": "board",
    "device": "device",
    "inputs": "inputs",
    "neurons": "neurons",
    "synapses": "synapses",
    "lanes": "lanes",
    "clock": "clock / MHz",
    "fmax": "Fmax / MHz",
    "seeds": "seeds in time",
    "baud": "baud",
    "lut": "LUT",
    "ram": "RAM",
    "dsp": "DSP",
    "steps_per_second": "steps/s at 5 %",
    "line_steps_per_second": "with the raster on the line",
    "bridge_steps_per_second": "at the bridge's best rate",
    "features_off": "off",
}
"""Columns by key, with their heads."""

_ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (_ROOT / "README.md", _ROOT / "docs" / "boards" / "README.md")
"""Pages of the repository that show the table."""

_BEGIN: Final = "<!-- boards: begin (make boards writes this) -->"
_END: Final = "<!-- boards: end -->"
_PLACE: Final = re.compile(f"{re.escape(_BEGIN)}\n(.*?){re.escape(_END)}", re.S)

_MARK: Final = "†"
_LEGEND: Final = f"{_MARK} Built before the last change of the gateware; `make boards` builds it again."


def board_row(board: Board) -> dict[str, Any]:
    """Return a board's row: what it holds, and what its last full build reached.

    Before the first build `lut`, `ram`, `dsp` and `fmax` are None. `current` tells whether the gateware is
    still that of the build.
    """
    stamp = read_stamp(board)
    array = stamp.report.array if stamp else board.array
    used = stamp.report.resources if stamp else {}
    baud = board.bridge_baud
    bridge = line_steps_per_second(array, most_baud=baud) if baud else None
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
        "seeds": [len(stamp.seeds_met), len(stamp.seeds)] if stamp else None,
        "baud": array.baud,
        "lut": list(used["LUT"]) if stamp else None,
        "ram": {name: list(used[name]) for name in ("RAM", "SPRAM") if name in used} if stamp else None,
        "dsp": list(used.get("DSP", (0, 0))) if stamp else None,
        "steps_per_second": round(steps_per_second(array)),
        "line_steps_per_second": round(min(steps_per_second(array), line_steps_per_second(array))),
        "bridge_steps_per_second": None if bridge is None else round(min(steps_per_second(array), bridge)),
        "features_off": [name for name in FEATURES if not getattr(array, name)],
        "current": stamp.is_current(board) if stamp else False,
    }


def board_rows() -> list[dict[str, Any]]:
    """Return the rows of all boards."""
    return [board_row(load_board(name)) for name in board_names()]


def is_outdated(row: Mapping[str, Any]) -> bool:
    """Return whether a row's board was built, but before the last change of the gateware."""
    return row["fmax"] is not None and not row["current"]


def shown(key: str, value: Any) -> str:
    """Return a value of a row as the table shows it."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return " + ".join(f"{used} of {there} {name}" for name, (used, there) in value.items())
    if key in ("lut", "dsp", "seeds"):
        used, there = value
        return f"{used:,} of {there:,}" if there else "0"
    if key == "features_off":
        return ", ".join(value) or "nothing"
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table as Markdown; a legend explains the mark of outdated rows, if there are any."""
    lines = [f"| {' | '.join(COLUMNS.values())} |", f"|{'---|' * len(COLUMNS)}"]
    for row in rows:
        cells = {key: shown(key, row[key]) for key in COLUMNS}
        if is_outdated(row):
            cells["title"] += f" {_MARK}"
        lines.append(f"| {' | '.join(cells.values())} |")
    if any(map(is_outdated, rows)):
        lines += ["", _LEGEND]
    return "\n".join(lines) + "\n"


def page_table(page: Path) -> str:
    """Return the table that stands between the markers of a page.

    Raises
    ------
    BuildError
        If the page cannot be read or has no markers.
    """
    found = _PLACE.search(_read(page))
    if found is None:
        raise BuildError(f"{page} has no place for the table; put {_BEGIN} and {_END} there")
    return found[1]


def replace_table(page: Path, table: str) -> None:
    """Write a table between the markers of a page.

    Raises
    ------
    BuildError
        If the page cannot be read or has no markers.
    """
    page_table(page)
    text = _PLACE.sub(lambda _: f"{_BEGIN}\n{table}{_END}", _read(page))
    page.write_text(text, encoding="utf-8")


def _read(page: Path) -> str:
    try:
        return page.read_text(encoding="utf-8")
    except OSError as error:
        raise BuildError(f"{page} cannot be read ({error.strerror}); run this in a checkout") from error
