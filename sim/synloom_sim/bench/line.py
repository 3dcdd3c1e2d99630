"""Steps per second of each board: by its clock, as its line carries them, and the energy that they take."""

from __future__ import annotations

from typing import Any, Final

from synloom.contract.line_load import raster_words
from synloom_boards.board import Board
from synloom_boards.boards import board_names, load_board
from synloom_boards.energy import board_watts
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
                "nanojoules": _nanojoules(board, activity),
            }
            for activity in ACTIVITIES
        ]
    return rows


def _nanojoules(board: Board, activity: float) -> list[float] | None:
    """Return the least and the most energy of a synaptic operation, all-to-all, at the speed of the clock.

    It is the FPGA's, from its documented power (`synloom_boards.power`); None before the board's first build.
    """
    watts, array = board_watts(board), board.array
    if watts is None:
        return None
    operations = activity * (array.inputs + array.neurons) * array.neurons
    return [1e9 * each / (steps_per_second(array, activity) * operations) for each in watts]
