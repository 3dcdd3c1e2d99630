"""A limit to the time of a case: where it hangs is printed, and the case ends."""

from __future__ import annotations

import faulthandler
import signal
import sys
from types import FrameType, TracebackType
from typing import Any, Final, Self, TextIO

__all__ = ["Hang", "Watchdog"]

_AGAIN_S: Final = 5.0
_LAST_S: Final = 60.0
"""So long after the limit the process ends, if not even an exception ends the case."""


class Hang(BaseException):
    """A case took longer than it may; no handler of errors should take it."""


class Watchdog:
    """A context that ends by `Hang` after some seconds, after the stacks of all threads were printed.

    Only for the main thread. If the case goes on even then, as in a call that never returns to Python, the
    stacks are printed again and the process ends.

    Parameters
    ----------
    seconds : float
        How long the context may take.
    what : str
        What it does, for the message.
    """

    def __init__(self, seconds: float, what: str) -> None:
        self._seconds = seconds
        self._what = what
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGALRM, self._bark)
        faulthandler.dump_traceback_later(self._seconds + _LAST_S, exit=True, file=_stderr())
        # It may have to be raised more than once: clean-up may hang as well.
        signal.setitimer(signal.ITIMER_REAL, self._seconds, _AGAIN_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, self._before)

    def _bark(self, number: int, frame: FrameType | None) -> None:
        print(f"{self._what} hangs: no end after {self._seconds:g} s", file=_stderr(), flush=True)
        faulthandler.dump_traceback(file=_stderr())
        raise Hang(self._what)


def _stderr() -> TextIO:
    """Return a stream with a descriptor, which one that captures the output has not."""
    return sys.__stderr__ or sys.stderr
