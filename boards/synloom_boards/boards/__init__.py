"""Synloom's own boards: each file lists its own in `BOARDS`, and `load_board` finds them by name."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from synloom.base.errors import ParameterError
from synloom.base.wording import did_you_mean
from synloom_boards.board import Board

__all__ = ["board_names", "load_board"]


@cache
def board_names() -> tuple[str, ...]:
    """Return the names of all boards, in the order of the table."""
    return tuple(board.name for board in _boards())


def load_board(name: str) -> Board:
    """Return a board by its name.

    Raises
    ------
    ParameterError
        If there is no such board; the message lists the boards.
    """
    for board in _boards():
        if board.name == name:
            return board
    names = board_names()
    raise ParameterError(
        f"there is no board {name!r}{did_you_mean(name, names)}; boards are: {', '.join(names)}"
    )


@cache
def _boards() -> tuple[Board, ...]:
    """Return the boards of all files, file by file."""
    found: list[Board] = []
    for entry in sorted(pkgutil.iter_modules(__path__), key=lambda e: e.name):
        found += importlib.import_module(f"{__name__}.{entry.name}").BOARDS
    return tuple(found)
