"""Steps per second of each board: by its clock, and as its line carries them with the raster on."""

from __future__ import annotations

from typing import Any, Final

from synloom.contract.line_load import raster_words
from synloom_boards.boards import board_names, load_board
from synloom_boards.speed import line_steps_per_second, steps_per_second

__all__ = ["ACTIVITIES", "line_rows"]

ACTIVITIES: Final = (0.01, 0.05, 0.2)


def line_rows() -> list[dict[str, Any]]:
    """Return a row for each board and activity."""
    rows: list[dict[str, Any]] = []
    for name in board_names():
        board = load_board(name)
        array = board.array
        rows += [
            {
                "board": board.title,
                "inputs": array.inputs,
                "neurons": array.neurons,
                "clock": array.clock_hz,
                "baud": array.baud,
                "active": activity,
                "words": raster_words(array, activity),
                "steps_per_second": steps_per_second(array, activity),
                "line_steps_per_second": line_steps_per_second(array, activity),
            }
            for activity in ACTIVITIES
        ]
    return rows
