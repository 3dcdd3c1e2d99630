"""The callback through which long tasks report their progress."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress"]

Progress = Callable[[str, float], None]
"""Called with the current task and the share done so far, 0 to 1."""
