"""A lock that no interruption can leave held for ever."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Final

__all__ = ["Lock"]

_LOOK_S: Final = 0.25
"""A thread that waits looks so often whether anybody is there."""


class Lock:
    """A reentrant lock around the methods of one object.

    An exception may come before `__exit__` is called, as between any two lines. So a thread that has waited
    for a while looks at the stacks of the others: if none is within a method, nobody holds the lock.

    Parameters
    ----------
    owner : object
        The object, whose methods use the lock in contexts only.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        while not self._lock.acquire(timeout=_LOOK_S):
            if not self._others_within():
                self._lock = threading.RLock()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _others_within(self) -> bool:
        """Return whether another thread is within a method, and not only waits for the lock."""
        me = threading.get_ident()
        return any(self._is_within(top) for ident, top in sys._current_frames().items() if ident != me)

    def _is_within(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if frame.f_code is Lock.__enter__.__code__:
                return False
            # Other objects of its class may be busy for hours.
            if frame.f_code.co_varnames[:1] == ("self",) and frame.f_locals.get("self") is self._owner:
                return True
            frame = frame.f_back
        return False
