"""Warnings of Synloom: one class, and one function that shows the user's line."""

from __future__ import annotations

import sys
import warnings

__all__ = ["SynloomWarning", "warn"]

_OURS = ("synloom.", "contextlib")


class SynloomWarning(UserWarning):
    """Something that was asked for is changed or does not act: the message says what, and how to avoid it."""


def warn(message: str) -> None:
    """Warn with a `SynloomWarning` at the first line of the calling program that is not Synloom's own."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith(_OURS):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, SynloomWarning, stacklevel=level)
