"""Python interface to the C functions of a built board."""

from __future__ import annotations

import ctypes
from enum import IntEnum, IntFlag
from pathlib import Path

from synloom.base.errors import BuildError, LinkError

__all__ = ["Board", "BoardStatus", "RunReason"]

_TAKE_BYTES = 1 << 16


class RunReason(IntEnum):
    """Why `Board.run` returned."""

    LIMIT = 0
    """The limit of clocks was reached."""
    IDLE = 1
    """The board has nothing to do or to send until it gets another byte."""
    OUTPUT = 2
    """There is output, and the board paused in sending or the queue is full."""


class BoardStatus(IntFlag):
    """The activity of the board."""

    LINK_IDLE = 1
    """No command is in progress, and no byte is in transit in either direction."""
    RUNNING = 2
    PAUSED = 4


class Board:
    """A simulated board, from a library built by `build_board`.

    Parameters
    ----------
    library : Path
        The shared library.
    divisor : int
        Clocks per bit of the serial line (only for a board with pins).

    Raises
    ------
    BuildError
        If the library cannot be loaded.
    """

    def __init__(self, library: Path, divisor: int = 1) -> None:
        self._functions = _load(library)
        self._divisor = divisor
        self._pins = (0.0, 0.0, 0.0, 1)
        self._board: int | None = self._functions.synloom_board_new(divisor)
        self._clocks_before = 0
        self._spoilt_before = {"glitches": 0, "framing": 0}
        self._buffer = ctypes.create_string_buffer(_TAKE_BYTES)

    def put(self, data: bytes) -> None:
        """Queue bytes for the board, which reads them while it runs."""
        self._functions.synloom_board_put(self._handle, data, len(data))

    def run(self, limit: int) -> RunReason:
        """Run at most `limit` clocks, without holding the GIL; return why it stopped."""
        return RunReason(self._functions.synloom_board_run(self._handle, limit))

    def take(self, limit: int = _TAKE_BYTES) -> bytes:
        """Return at most `limit` bytes that the board has sent, and at most 65,536."""
        count = self._functions.synloom_board_take(self._handle, self._buffer, min(limit, _TAKE_BYTES))
        return ctypes.string_at(self._buffer, count)

    @property
    def waiting(self) -> int:
        """Number of bytes that the board has sent and `take` has not returned yet."""
        return int(self._functions.synloom_board_waiting(self._handle))

    @property
    def clocks(self) -> int:
        """Clocks since the board was first switched on."""
        return self._clocks_before + int(self._functions.synloom_board_clocks(self._handle))

    @property
    def status(self) -> BoardStatus:
        """The present activity of the board."""
        return BoardStatus(self._functions.synloom_board_status(self._handle))

    @property
    def framing_errors(self) -> int:
        """Number of characters from the board without a stop bit (only for a board with pins)."""
        return int(self._functions.synloom_board_framing_errors(self._handle))

    def set_divisor(self, divisor: int) -> None:
        """Set the clocks per bit at the host's end of the line."""
        self._functions.synloom_board_set_divisor(self._handle, divisor)
        self._divisor = divisor

    def spoil_pins(self, *, skew: float, glitches: float, framing: float, seed: int) -> None:
        """Make the host's end of the line a bad one (only for a board with pins).

        Parameters
        ----------
        skew : float
            Relative error of the length of its bits, in both directions.
        glitches : float
            Probability that a bit to the board is inverted for one clock.
        framing : float
            Probability that a character to the board has a stop bit of 0.
        seed : int
            Of the random numbers.
        """
        self._pins = (skew, glitches, framing, seed)
        self._functions.synloom_board_spoil(self._handle, *self._pins)

    @property
    def spoilt(self) -> dict[str, int]:
        """Glitches, and stop bits of 0 (framing), that were sent to the board so far."""
        before = self._spoilt_before
        return {
            name: before[name] + int(self._functions.synloom_board_spoilt(self._handle, kind))
            for kind, name in enumerate(before)
        }

    def reset(self) -> None:
        """Switch the board off and on: all that it held is gone, and what was on its way.

        The host's end keeps its rate, and `clocks` go on from where they were.
        """
        clocks, spoilt = self.clocks, self.spoilt
        self._functions.synloom_board_free(self._handle)
        self._board = self._functions.synloom_board_new(self._divisor)
        self._clocks_before, self._spoilt_before = clocks, spoilt
        self._functions.synloom_board_spoil(self._handle, *self._pins)

    def close(self) -> None:
        """Free the board; further calls raise LinkError, but `close` may be repeated."""
        if self._board is not None:
            self._functions.synloom_board_free(self._board)
            self._board = None

    @property
    def _handle(self) -> int:
        if self._board is None:
            raise LinkError("the simulated board is closed; connect again")
        return self._board


def _load(library: Path) -> ctypes.CDLL:
    try:
        functions = ctypes.CDLL(str(library))
    except OSError as error:
        raise BuildError(
            f"the simulated board {library} cannot be loaded: {error}; delete its folder to build it again"
        ) from error
    if not hasattr(functions, "synloom_board_spoil"):
        raise BuildError(f"{library} is no simulated board; delete its folder to build it again")
    board, size, clocks = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint64
    for name, result, arguments in (
        ("new", board, (ctypes.c_uint32,)),
        ("free", None, (board,)),
        ("put", None, (board, ctypes.c_char_p, size)),
        ("run", ctypes.c_int, (board, clocks)),
        ("take", size, (board, ctypes.c_char_p, size)),
        ("waiting", size, (board,)),
        ("clocks", clocks, (board,)),
        ("set_divisor", None, (board, ctypes.c_uint32)),
        ("spoil", None, (board, *[ctypes.c_double] * 3, clocks)),
        ("spoilt", clocks, (board, ctypes.c_int)),
        ("framing_errors", clocks, (board,)),
        ("status", ctypes.c_int, (board,)),
    ):
        function = getattr(functions, f"synloom_board_{name}")
        function.restype, function.argtypes = result, arguments
    return functions
