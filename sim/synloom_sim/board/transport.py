"""The simulated board as a transport, with the calls of a serial port."""

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
"""Most characters that may be in transit when the rate is changed."""
_BATCH_SECONDS: Final = 0.02
"""Intended duration of a call into the board: short enough for a prompt Ctrl-C."""


class SimTransport:
    """A board that runs only while it is read.

    Time is the board's own: a timeout is a number of its clocks. A read from an idle board returns b'' at
    once, since waiting would not change that. During a run without an outstanding command a read also ends
    when `timeout` has passed on the host.

    Parameters
    ----------
    board : Board
        The board; `close` closes it.
    clock_hz : int
        Clock frequency of the board, Hz.
    baud : int, optional
        Line rate after power-up, bits per second; None for a board without pins.

    Attributes
    ----------
    virtual_time : bool
        True: after an empty read nothing more arrives, and a command may be sent again at once.
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
        """Return a transport to the board of a design, built if it is not in the cache (see `build_board`).

        Raises
        ------
        BuildError
            If a tool is missing or fails; the message names the log.
        """
        library = build_board(design, cache=cache, progress=progress)
        baud = design.params.baud if design.pins else None
        return cls(Board(library, design.divisor), design.params.clock_hz, baud)

    @property
    def clocks(self) -> int:
        """Clocks of the board since it was first switched on."""
        return self.board.clocks

    @property
    def baud(self) -> int | None:
        """Line rate in bits per second; None if the board has no pins."""
        return self._baud

    def time(self) -> float:
        """Return the time of the board since it was first switched on, s."""
        return self.clocks / self.clock_hz

    def set_baud(self, baud: int) -> None:
        """Send all written bytes, change the rate of the host's end, and discard bytes received meanwhile.

        Raises
        ------
        ParameterError
            If the board has no pins, and thus no line rate.
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

    @property
    def spoilt(self) -> dict[str, int]:
        """Glitches, and stop bits of 0 (framing), that were sent to the board's pins so far."""
        with self._lock:
            return self.board.spoilt

    def spoil_pins(self, *, skew: float, glitches: float, framing: float, seed: int) -> None:
        """Make the host's end of the pins a bad one; see `Board.spoil_pins`.

        Raises
        ------
        ParameterError
            If the board has no pins.
        """
        if self._baud is None:
            raise ParameterError("this simulated board has no pins; the target 'sim-pins' has some")
        with self._lock:
            self.board.spoil_pins(skew=skew, glitches=glitches, framing=framing, seed=seed)

    def reset(self) -> None:
        """Switch the board off and on; what it held, and bytes on their way, are gone."""
        with self._lock:
            self.board.reset()

    def write(self, data: bytes) -> None:
        """Queue bytes for the board, which reads them during the next `read`."""
        with self._lock:
            self.board.put(bytes(data))

    def read(self, timeout: float) -> bytes:
        """Run the board until it pauses after sending, is idle, or `timeout` seconds have passed.

        Returns
        -------
        bytes
            Bytes from the board; b'' if there are none.
        """
        with self._lock:
            started = time.monotonic()
            end = self.board.clocks + max(1, int(timeout * self.clock_hz))
            while True:
                reason = self._batches.run(end - self.board.clocks)
                # The end of a batch depends on the speed of the machine; the returned bytes must not.
                if reason is not RunReason.LIMIT or self.board.clocks >= end:
                    return self.board.take()
                late = time.monotonic() - started >= timeout
                if late and self.board.status & BoardStatus.LINK_IDLE:
                    return b""

    def close(self) -> None:
        """Close the board; `close` may be repeated."""
        with self._lock:
            self.board.close()
