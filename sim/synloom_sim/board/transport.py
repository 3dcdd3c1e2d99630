"""The simulated board as a transport: the same three calls as a serial port."""

from __future__ import annotations

import threading
import time
from typing import Final

from synloom.progress import Progress
from synloom_sim.board.batches import Batches
from synloom_sim.board.build import build_board
from synloom_sim.board.cache import BoardCache
from synloom_sim.board.design import Design
from synloom_sim.board.library import Board, BoardStatus, RunReason

__all__ = ["SimTransport"]

_BATCH_SECONDS: Final = 0.02
"""Aim of one call into the board: short enough that Ctrl-C is prompt."""


class SimTransport:
    """A board that runs only while it is read.

    Time is the board's own: a time-out is a number of its clocks. A read from a board that has
    nothing to do and nothing to say returns b'' at once, since waiting would not change that. While
    a run goes on with no command outstanding, the host's clock counts too, whichever is over first.

    Parameters
    ----------
    board : Board
        The board; closed with the transport.
    clock_hz : int
        Its clock, which turns seconds into clocks.

    Attributes
    ----------
    virtual_time : bool
        True: an empty read is final, it need not be repeated before a command is sent again.
    """

    virtual_time: Final = True

    def __init__(self, board: Board, clock_hz: int) -> None:
        self.board = board
        self.clock_hz = clock_hz
        self._batches = Batches(board, _BATCH_SECONDS)
        self._lock = threading.Lock()

    @classmethod
    def build(
        cls, design: Design, *, cache: BoardCache | None = None, progress: Progress | None = None
    ) -> SimTransport:
        """Return a transport to a design, built if the cache does not have it (see `build_board`)."""
        library = build_board(design, cache=cache, progress=progress)
        return cls(Board(library, design.divisor), design.params.clock_hz)

    @property
    def clocks(self) -> int:
        """Clocks of the board since power-up."""
        return self.board.clocks

    def write(self, data: bytes) -> None:
        """Queue bytes for the board; it takes them during the next read."""
        with self._lock:
            self.board.put(bytes(data))

    def read(self, timeout: float) -> bytes:
        """Run the board until it has sent something and pauses, is idle, or `timeout` seconds are over.

        Returns
        -------
        bytes
            What the board sent; b'' if there is nothing.
        """
        with self._lock:
            started = time.monotonic()
            end = self.board.clocks + max(1, int(timeout * self.clock_hz))
            while True:
                reason = self._batches.run(end - self.board.clocks)
                # Where a batch ended depends on this machine's speed: what is returned must not.
                if reason is not RunReason.LIMIT or self.board.clocks >= end:
                    return self.board.take()
                late = time.monotonic() - started >= timeout
                if late and self.board.status & BoardStatus.LINK_IDLE:
                    return b""

    def close(self) -> None:
        """Free the board; twice does no harm."""
        with self._lock:
            self.board.close()
