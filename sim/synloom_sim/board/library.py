"""The C functions of a built board, behind a Python object."""

from __future__ import annotations

import ctypes
from enum import IntEnum, IntFlag
from pathlib import Path

from synloom.base.errors import BuildError, LinkError

__all__ = ["Board", "BoardStatus", "RunReason"]

_TAKE_BYTES = 1 << 16


class RunReason(IntEnum):
    """Why `Board.run` came back."""

    LIMIT = 0
    """All clocks were run."""
    IDLE = 1
    """Nothing to do and nothing to say: only a new byte changes that."""
    OUTPUT = 2
    """Bytes are there, and the board paused in sending or the queue is full."""


class BoardStatus(IntFlag):
    """What the board is doing."""

    LINK_IDLE = 1
    """No command in progress, nothing under way in either direction."""
    RUNNING = 2
    PAUSED = 4


class Board:
    """One simulated board, held in a library made by `build_board`.

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
        self._board: int | None = self._functions.synloom_board_new(divisor)
        self._buffer = ctypes.create_string_buffer(_TAKE_BYTES)

    def put(self, data: bytes) -> None:
        """Queue bytes for the board; it takes them while it runs."""
        self._functions.synloom_board_put(self._handle, data, len(data))

    def run(self, limit: int) -> RunReason:
        """Run at most `limit` clocks, with Python's lock released."""
        return RunReason(self._functions.synloom_board_run(self._handle, limit))

    def take(self, limit: int = _TAKE_BYTES) -> bytes:
        """Return what the board has sent, at most `limit` bytes and at most 65,536."""
        count = self._functions.synloom_board_take(self._handle, self._buffer, min(limit, _TAKE_BYTES))
        return ctypes.string_at(self._buffer, count)

    @property
    def waiting(self) -> int:
        """Bytes that the board has sent and that were not taken."""
        return int(self._functions.synloom_board_waiting(self._handle))

    @property
    def clocks(self) -> int:
        """Clocks since power-up."""
        return int(self._functions.synloom_board_clocks(self._handle))

    @property
    def status(self) -> BoardStatus:
        """What the board is doing now."""
        return BoardStatus(self._functions.synloom_board_status(self._handle))

    @property
    def framing_errors(self) -> int:
        """Characters from the board without a stop bit (only for a board with pins)."""
        return int(self._functions.synloom_board_framing_errors(self._handle))

    def set_divisor(self, divisor: int) -> None:
        """Change the clocks per bit at the host's end of the line."""
        self._functions.synloom_board_set_divisor(self._handle, divisor)

    def close(self) -> None:
        """Free the board; twice does no harm."""
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
            f"the simulated board {library} cannot be loaded: {error}; delete that folder to build it again"
        ) from error
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
        ("framing_errors", clocks, (board,)),
        ("status", ctypes.c_int, (board,)),
    ):
        function = getattr(functions, f"synloom_board_{name}")
        function.restype, function.argtypes = result, arguments
    return functions
