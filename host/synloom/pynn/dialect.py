"""Harmless dialects of PyNN: what is understood, with one warning each in a simulation."""

from __future__ import annotations

import warnings
from typing import Final

__all__ = ["forget", "understood"]

_SAID: Final[set[str]] = set()


def understood(dialect: str, message: str) -> None:
    """Warn once, until `forget`, that something is understood although PyNN says it otherwise."""
    if dialect not in _SAID:
        _SAID.add(dialect)
        warnings.warn(message, UserWarning, stacklevel=3)


def forget() -> None:
    """Forget what was said."""
    _SAID.clear()
