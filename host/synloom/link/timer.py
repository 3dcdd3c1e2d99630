"""Time-outs that grow."""

from __future__ import annotations

import time
from typing import Final

__all__ = ["Timer"]

_LONGEST_TIMEOUT_S: Final = 4.0


class Timer:
    """A time-out that doubles."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until it is over."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end

    def lengthen(self) -> None:
        """Begin anew, with twice the time."""
        self._seconds = min(2 * self._seconds, max(self._seconds, _LONGEST_TIMEOUT_S))
        self._end = time.monotonic() + self._seconds
