"""A simulated board at a pseudo-terminal: a device that any serial program can open."""

from __future__ import annotations

import contextlib
import os
import select
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from synloom.base.errors import TargetError
from synloom_sim.board.batches import Batches
from synloom_sim.board.library import Board, RunReason

__all__ = ["Line", "PtyBoard"]

_READ_BYTES: Final = 4096
_BATCH_SECONDS: Final = 0.005
_LATE_S: Final = 0.02
"""How late delayed bytes are."""


class Line(Protocol):
    """One direction of a line that may be bad, such as `synloom_sim.faults.LossyLine`."""

    @property
    def holds(self) -> bool:
        """Whether bytes are on their way."""
        ...

    def carry(self, data: bytes) -> bytes:
        """Send bytes; return those that arrive now."""
        ...

    def release(self) -> bytes:
        """Return what was on its way."""
        ...


class PtyBoard:
    """Serves one board at a pseudo-terminal, as fast as the machine runs it.

    Clients may open and close the device at any time: its other end stays open, in raw mode. An idle
    board takes no processor time. If a client does not read, back-pressure stops the board; nothing is
    lost.

    Parameters
    ----------
    board : Board
        The board; the caller closes it.
    link : Path, optional
        Symbolic link to the device, created here and removed by `close`.
    lines : tuple of two Line, optional
        What bytes pass on their way to the board, and from it; by default nothing happens to them.

    Attributes
    ----------
    device : str
        Path of the device, such as /dev/pts/3.

    Raises
    ------
    TargetError
        If the link cannot be created.
    """

    def __init__(
        self, board: Board, *, link: Path | None = None, lines: tuple[Line, Line] | None = None
    ) -> None:
        self.board = board
        self._lines = lines
        self._master, self._slave = os.openpty()
        self._wake_read, self._wake_write = os.pipe()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        self._pending = b""
        self._held_since: float | None = None
        self._batches = Batches(board, _BATCH_SECONDS)
        self._link: Path | None = None
        if link is not None:
            self._make_link(link)

    def serve(self) -> None:
        """Run the board until `stop` is called from another thread, or until KeyboardInterrupt."""
        idle = True
        while True:
            blocked = bool(self._pending)
            readers, writers, _ = select.select(
                [self._wake_read] if blocked else [self._wake_read, self._master],
                [self._master] if blocked else [],
                [],
                None if idle or blocked else 0,
            )
            if self._wake_read in readers:
                os.read(self._wake_read, 1)
                return
            if self._master in readers:
                self.board.put(self._received(os.read(self._master, _READ_BYTES)))
            if writers or not blocked:
                idle = self._run() is RunReason.IDLE
                idle = not self._release(waits=idle) and idle

    def stop(self) -> None:
        """Make `serve` return; may be called from another thread or a signal handler."""
        os.write(self._wake_write, b"\0")

    def close(self) -> None:
        """Remove the device and the link; `close` may be repeated."""
        if self._link is not None:
            with contextlib.suppress(OSError):
                # Another server may have taken its place.
                if os.readlink(self._link) == self.device:
                    self._link.unlink()
            self._link = None
        for end in (self._master, self._slave, self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                os.close(end)
        self._master = self._slave = self._wake_read = self._wake_write = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> RunReason:
        """Run one batch, and write the output of the board until the terminal is full."""
        reason = self._batches.run()
        sent = self.board.take()
        self._pending += self._lines[1].carry(sent) if self._lines else sent
        self._write()
        return reason

    def _received(self, data: bytes) -> bytes:
        return self._lines[0].carry(data) if self._lines else data

    def _release(self, *, waits: bool) -> bool:
        """Let bytes arrive that are on their way to or from the board; return whether there were any.

        A board that runs must get them too: it may wait for nothing else. An idle one `waits` for them here.
        """
        if not self._lines or not any(line.holds for line in self._lines):
            self._held_since = None
            return False
        if waits:
            time.sleep(_LATE_S)
        else:
            now = time.monotonic()
            self._held_since = now if self._held_since is None else self._held_since
            if now - self._held_since < _LATE_S:
                return False
        self._held_since = None
        inward, outward = self._lines
        self.board.put(inward.release())
        self._pending += outward.release()
        self._write()
        return True

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._pending:
                self._pending = self._pending[os.write(self._master, self._pending) :]

    def _make_link(self, link: Path) -> None:
        try:
            if link.is_symlink():  # left by a server that was killed
                link.unlink()
            link.symlink_to(self.device)
        except OSError as error:
            self.close()
            raise TargetError(
                f"the link {link} to the simulated board cannot be created: {error.strerror}; "
                f"try another path"
            ) from error
        self._link = link
