"""Taking turns: a device serves one thread at a time, and none after it was closed."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, Protocol, TypeVar

from synloom.base import signals
from synloom.base.errors import ArrayLostError, DeviceError

__all__ = ["Turns", "exclusive"]


_ANEW: Final = frozenset({"load", "restore", "forget", "close"})
"""Calls after which nothing is left of what an earlier one was writing."""


class Turns:
    """Who may call a device.

    An interruption may come between any two lines, so nothing is counted: the holder is a call that can be
    found on the stack of a thread that lives, or there is none.

    Attributes
    ----------
    closed : bool
        Whether the device was closed.
    """

    def __init__(self) -> None:
        self.closed = False
        self._holder: dict[str, _Call] = {}

    def enter(self, name: str, frame: FrameType, *, also_closed: bool = False) -> None:
        """Begin a call, which has to `leave`.

        Raises
        ------
        DeviceError
            If another call is going on, in another thread or around this one, or the device is closed.
        """
        mine = _Call(threading.current_thread(), name, frame)
        # One operation of a dict, which no other thread divides.
        while (holder := self._holder.setdefault("now", mine)) is not mine:
            if holder.thread is not mine.thread and holder.goes_on():
                raise DeviceError(
                    f"device.{name} was called while another thread is in device.{holder.name}; a device "
                    f"serves one thread at a time: use it from one thread, or hold a lock of your own around "
                    f"its calls"
                )
            if holder.thread is mine.thread and _is_on_stack(holder.frame, frame):
                raise DeviceError(
                    f"device.{name} was called within device.{holder.name}, by a stimulus, a handler of a "
                    f"signal or an object that it was given; call it before or afterwards"
                )
            self.leave()
        if self.closed and not also_closed:
            self.leave()
            raise DeviceError("the device is closed; connect to the target again")

    def leave(self) -> None:
        """End the call."""
        self._holder.pop("now", None)


class _Call(NamedTuple):
    thread: threading.Thread
    name: str
    frame: FrameType

    def goes_on(self) -> bool:
        """Return whether this call is on the stack of its thread."""
        tops = sys._current_frames()
        return _is_on_stack(self.frame, tops.get(self.thread.ident or 0))


def _is_on_stack(frame: FrameType, top: FrameType | None) -> bool:
    while top is not None and top is not frame:
        top = top.f_back
    return top is frame


class _Loaded(Protocol):
    torn: bool
    mend: Callable[[], None]
    under_way: tuple[Any, ...]

    def finish(self) -> None: ...

    def lose(self) -> None: ...

    def note(self, error: BaseException) -> None: ...


class _Owner(Protocol):
    _turns: Turns

    @property
    def _session(self) -> _Loaded: ...


_Self = TypeVar("_Self", bound=_Owner)
_P = ParamSpec("_P")
_R = TypeVar("_R")


def exclusive(method: Callable[Concatenate[_Self, _P], _R]) -> Callable[Concatenate[_Self, _P], _R]:
    """Let a method of a device be called by one thread at a time, not within another, nor after `close`.

    Writes that an earlier call was about when it was cut short are finished first. Signals wait until the
    call is over, or comes to a point at which it may be left (`synloom.base.signals`).
    """
    name = method.__name__

    @functools.wraps(method)
    def call(self: _Self, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        self._turns.enter(name, sys._getframe(), also_closed=name == "close")
        try:
            signals.hold()
            if self._session.under_way and name not in _ANEW:
                self._session.finish()
            if self._session.torn:
                self._session.mend()
            return method(self, *args, **kwargs)
        except BaseException as error:
            if isinstance(error, ArrayLostError):
                self._session.lose()
            self._session.note(error)
            raise
        finally:
            self._turns.leave()
            signals.release()

    return call
