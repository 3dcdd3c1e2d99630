"""The host's part of the event queue: spikes that wait for their step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.contract.records import EVENT_ADVANCE, EVENT_MAX_ADVANCE

__all__ = ["EventQueue"]


class EventQueue:
    """Spikes that wait to be sent, and the cursor of the array's queue (docs/protocol.md).

    Attributes
    ----------
    cursor : int
        The step that the array gives to the next event.
    """

    def __init__(self) -> None:
        self.cursor = 0
        self._waiting: IntArray = np.zeros((0, 2), dtype=np.int64)

    def reset(self, now: int) -> None:
        """Drop all waiting spikes; the array's queue was emptied at step `now`."""
        self.cursor = now
        self._waiting = np.zeros((0, 2), dtype=np.int64)

    def add(self, events: IntArray) -> None:
        """Add events, (K, 2) int64 of (step, input id)."""
        if len(events):
            self._waiting = np.unique(np.concatenate([self._waiting, events]), axis=0)

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, end: int) -> npt.NDArray[np.uint16]:
        """Remove all events before step `end` and return their words, (n,) uint16; the cursor follows."""
        split = int(np.searchsorted(self._waiting[:, 0], end))
        events, self._waiting = self._waiting[:split], self._waiting[split:]
        if not len(events):
            return np.zeros(0, dtype=np.uint16)
        words: list[int] = []
        for step, source in events.tolist():
            words += _advance(step - self.cursor)
            words.append(source)
            self.cursor = step
        return np.array(words, dtype=np.uint16)

    def advance_to(self, step: int) -> npt.NDArray[np.uint16]:
        """Return the words, (n,) uint16, that move the cursor to `step`, so that a gated run can reach it."""
        words = _advance(step - self.cursor)
        self.cursor = step
        return np.array(words, dtype=np.uint16)


def _advance(steps: int) -> list[int]:
    whole, rest = divmod(steps, EVENT_MAX_ADVANCE)
    return [EVENT_ADVANCE | EVENT_MAX_ADVANCE] * whole + ([EVENT_ADVANCE | rest] if rest else [])
