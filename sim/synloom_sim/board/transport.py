"""The simulated board as a transport: the same three calls as a serial port."""

from __future__ import annotations

import threading
import time
from typing import Final

from synloom.base.errors import ParameterError
from synloom.base.progress import Progress
from synloom_sim.board.batches import Batches
from synloom_sim.board.cache import BoardCache
from synloom_sim.board.design import Design
from synloom_sim.board.library import Board, BoardStatus, RunReason
from synloom_sim.board.library_build import build_board

__all__ = ["SimTransport"]

_SETTLE_CHARACTERS: Final = 2048
"""Characters that may be on their way when the rate is changed."""
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
    baud : int, optional
        Rate of its serial line after power-up; None for a board without pins.

    Attributes
    ----------
    virtual_time : bool
        True: an empty read is final, it need not be repeated before a command is sent again.
    """

    virtual_time: Final = True

    def __init__(self, board: Board, clock_hz: int, baud: int | None = None) -> None:
        self.board = board
        self.clock_hz = clock_hz
        self._baud = baud
        self._batches = Batches(board, _BATCH_SECONDS)
        self._lock = threading.Lock()

    @classmethod
    def build(
        cls, design: Design, *, cache: BoardCache | None = None, progress: Progress | None = None
    ) -> SimTransport:
        """Return a transport to a design, built if the cache does not have it (see `build_board`)."""
        library = build_board(design, cache=cache, progress=progress)
        baud = design.params.baud if design.pins else None
        return cls(Board(library, design.divisor), design.params.clock_hz, baud)

    @property
    def clocks(self) -> int:
        """Clocks of the board since power-up."""
        return self.board.clocks

    @property
    def baud(self) -> int | None:
        """The line's rate in bits per second; None if the board has no pins."""
        return self._baud

    def time(self) -> float:
        """Return the board's time since power-up, s."""
        return self.clocks / self.clock_hz

    def set_baud(self, baud: int) -> None:
        """Send what was written, change the rate of the host's end, and forget what came meanwhile.

        Raises
        ------
        ParameterError
            If the board has no pins, and so no rate.
        """
        if self._baud is None:
            raise ParameterError("this simulated board has no serial line; the target 'sim-pins' has one")
        with self._lock:
            left = int(_SETTLE_CHARACTERS * 10 * self.clock_hz / self._baud)
            end = self.board.clocks + left
            while left > 0 and self._batches.run(left) is not RunReason.IDLE:
                self.board.take()
                left = end - self.board.clocks
            self.board.take()
            self.board.set_divisor(max(1, round(self.clock_hz / baud)))
            self._baud = baud

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
