"""Taking turns: a device serves one thread at a time, and none after it was closed."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from synloom.base.errors import DeviceError

__all__ = ["Turns", "exclusive"]


class Turns:
    """Who may call a device.

    The lock is reentrant: after an interruption at the worst moment the same thread can still enter.

    Attributes
    ----------
    closed : bool
        Whether the device was closed.
    """

    def __init__(self) -> None:
        self.closed = False
        self._lock = threading.RLock()
        self._call = ""

    def enter(self, call: str, *, also_closed: bool = False) -> None:
        """Begin a call.

        Raises
        ------
        DeviceError
            If another thread is in a call, or the device is closed.
        """
        if not self._lock.acquire(blocking=False):
            raise DeviceError(
                f"device.{call} was called while another thread is in device.{self._call}; a device serves "
                f"one thread at a time: use it from one thread, or hold a lock of your own around its calls"
            )
        if self.closed and not also_closed:
            self._lock.release()
            raise DeviceError("the device is closed; connect to the target again")
        self._call = call

    def leave(self) -> None:
        """End a call."""
        self._lock.release()


class _Owner(Protocol):
    _turns: Turns


_Self = TypeVar("_Self", bound=_Owner)
_P = ParamSpec("_P")
_R = TypeVar("_R")


def exclusive(method: Callable[Concatenate[_Self, _P], _R]) -> Callable[Concatenate[_Self, _P], _R]:
    """Let a method of a device be called by one thread at a time, and not after the device was closed."""
    name = method.__name__

    @functools.wraps(method)
    def call(self: _Self, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        self._turns.enter(name, also_closed=name == "close")
        try:
            return method(self, *args, **kwargs)
        finally:
            self._turns.leave()

    return call
