"""Running a board in calls of about equal duration on any machine."""

from __future__ import annotations

import time
from typing import Final

from synloom_sim.board.library import Board, RunReason

__all__ = ["Batches"]

_FIRST: Final = 10_000
_LEAST: Final = 1_000


class Batches:
    """Runs a board in batches of clocks; the batch size follows the measured speed.

    Parameters
    ----------
    board : Board
        The board to run.
    seconds : float
        Intended duration of a batch: short enough to serve signals and other threads promptly.
    """

    def __init__(self, board: Board, seconds: float) -> None:
        self._board = board
        self._seconds = seconds
        self._clocks = _FIRST

    def run(self, limit: int | None = None) -> RunReason:
        """Run one batch of at most `limit` clocks; return why it ended."""
        before, started = self._board.clocks, time.perf_counter()
        reason = self._board.run(self._clocks if limit is None else min(self._clocks, limit))
        seconds, clocks = time.perf_counter() - started, self._board.clocks - before
        if clocks >= _LEAST and seconds > 0:
            self._clocks = max(_LEAST, int(clocks / seconds * self._seconds))
        return reason
