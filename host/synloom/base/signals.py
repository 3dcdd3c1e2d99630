"""Ctrl-C and SIGTERM during a call of a device: they wait for a point at which the array can be left.

A handler that raises may do so between any two instructions, so also where host and array have different
ideas of each other. Here a signal that comes during a call is noted, and the handler runs at the next point
that the call has declared safe, or at its end. A second signal waits no longer than for the end of a change
of an array in this process, and a fourth one for nothing.
"""

from __future__ import annotations

import importlib
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

__all__ = ["begin_change", "check", "end_change", "hold", "release"]

_NUMBERS: Final = (int(signal.SIGINT), int(signal.SIGTERM))
_Handler = Callable[[int, FrameType | None], Any]
# The functions below `signal`, which turns numbers and handlers into members of enumerations and back: that
# takes longer than a step of a small array, and every call of a device sets and resets two handlers.
_raw: Final = importlib.import_module("_signal")
_get: Final[Callable[[int], _Handler | int | None]] = _raw.getsignal
_set: Final[Callable[[int, _Handler], object]] = _raw.signal
_handlers: dict[int, _Handler] = {}
"""The program's own handlers, of the signals that wait."""
_noted: list[int] = []
_changing: list[bool] = [False]
"""Whether an array in this process is being changed by the main thread."""
_MAIN: Final = threading.main_thread().ident
_PATIENCE: Final = 3
"""How many signals a change may keep waiting."""


def hold() -> None:
    """Let signals wait from now on. Only the main thread gets any; in others this does nothing."""
    if threading.current_thread() is not threading.main_thread():
        return
    _changing[0] = False
    for number in _NUMBERS:
        handler = _get(number)
        # Without a handler in Python the signal ends the process, or is ignored.
        if callable(handler) and handler is not _note:
            _handlers[number] = handler
            _set(number, _note)


def check() -> None:
    """Let a signal act that waits: the array can be left here."""
    if _noted and threading.current_thread() is threading.main_thread():
        _act()


def begin_change() -> None:
    """Let also a second signal wait, until `end_change`: an array in this process is within a change."""
    if threading.get_ident() == _MAIN:
        _changing[0] = True


def end_change() -> None:
    """Let a second signal act that came since `begin_change`."""
    if _changing[0] and threading.get_ident() == _MAIN:
        _changing[0] = False
        if len(_noted) > 1:
            _act()


def release() -> None:
    """Let signals act at once again, and now if one waits."""
    if threading.current_thread() is not threading.main_thread():
        return
    _changing[0] = False
    for number in _NUMBERS:
        if _get(number) is _note:
            _set(number, _handlers[number])
    if _noted:
        _act()


def _act() -> None:
    number = _noted[-1]
    _noted.clear()
    _handlers[number](number, None)


def _note(number: int, frame: FrameType | None) -> None:
    _noted.append(number)
    if len(_noted) > (_PATIENCE if _changing[0] else 1):
        _noted.clear()
        _handlers[number](number, frame)
