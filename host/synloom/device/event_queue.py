"""The host's part of the event queue: spikes and settings that wait for their step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.contract.records import EVENT_ADVANCE, EVENT_MAX_ADVANCE, EVENT_SETTING
from synloom.device.settings import without_values

__all__ = ["EventQueue"]


class EventQueue:
    """Events that wait to be sent, and the cursor of the array's queue (docs/protocol.md).

    Attributes
    ----------
    cursor : int
        The step that the array gives to the next event.
    words : int
        Words that were made for the array.
    """

    def __init__(self) -> None:
        self.cursor = 0
        self.words = 0
        self._waiting: IntArray = _none()
        self._taken: IntArray = _none()

    def reset(self, now: int) -> None:
        """Drop all events; the array's queue was emptied at step `now`."""
        self.cursor = now
        self._taken = self._waiting = _none()

    def merging(self, events: IntArray) -> int:
        """Return how many of these events, (K, 2) int64, have an equal one there or among the waiting."""
        if not len(events):
            return 0
        together = np.concatenate([self._waiting, events])
        return len(together) - len(_different(together))

    def add(self, events: IntArray) -> None:
        """Add events, (K, 2) int64 of (step, id); equal ones become one."""
        if len(events):
            self._waiting = _different(np.concatenate([self._waiting, events]))

    def replace(self, settings: IntArray) -> None:
        """Add settings, (K, 2) int64 of (step, id), instead of those of the same kind and step."""
        same = np.isin(_keys(_kinds(self._waiting)), _keys(_kinds(settings)))
        self._waiting = _different(np.concatenate([self._waiting[~same], settings]))

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, end: int) -> npt.NDArray[np.uint16]:
        """Remove all events before step `end` and return their words, (n,) uint16; the cursor follows.

        Until `settle` is called, `rewind` can bring them back.
        """
        split = int(np.searchsorted(self._waiting[:, 0], end))
        events = self._waiting[:split]
        # In this order an interruption between the lines leaves events in both, never in none.
        self._taken = np.concatenate([self._taken, events])
        self._waiting = self._waiting[split:]
        if not len(events):
            return np.zeros(0, dtype=np.uint16)
        words: list[int] = []
        for step, what in events.tolist():
            words += _advance(step - self.cursor)
            words.append(what)
            self.cursor = step
        self.words += len(words)
        return np.array(words, dtype=np.uint16)

    def settings(self, end: int) -> IntArray:
        """Return the settings that wait for steps before `end`, (K, 2) int64 of (step, id)."""
        waiting = self._waiting[: int(np.searchsorted(self._waiting[:, 0], end))]
        return waiting[waiting[:, 1] >= EVENT_SETTING]

    def shorten(self, most: int) -> IntArray:
        """Forget and return all but the last `most` events that were taken, (K, 2) int64.

        Only the last ones can be in the array's queue. Those before have left it: they have acted, or are in
        the delay wheel, where `rewind` is told of them.
        """
        split = max(0, len(self._taken) - most)
        gone, self._taken = self._taken[:split], self._taken[split:]
        return gone

    def advance_to(self, step: int) -> npt.NDArray[np.uint16]:
        """Return the words, (n,) uint16, that move the cursor to `step`, so that a gated run can reach it."""
        words = _advance(step - self.cursor)
        self.words += len(words)
        self.cursor = step
        return np.array(words, dtype=np.uint16)

    def settle(self) -> IntArray:
        """Forget and return the events that were taken, (K, 2) int64: their run has ended as planned."""
        taken, self._taken = self._taken, _none()
        return taken

    def rewind(self, now: int, delivered: IntArray) -> None:
        """Let the events that were taken wait again, from step `now` on; the array's queue was emptied there.

        Only spikes of inputs enter the wheel before their step; all else waits in the array's queue until its
        step begins, and acts again if it was taken for a step that did not.

        Parameters
        ----------
        now : int
            The array's next step.
        delivered : (K, 2) int64
            Events that are in the array's delay wheel already.
        """
        events = _different(np.concatenate([self._taken, self._waiting]))
        there = np.isin(_keys(events), _keys(delivered))
        self._waiting = events[(events[:, 0] >= now) & ~there]
        self._taken = _none()
        self.cursor = now


def _none() -> IntArray:
    return np.zeros((0, 2), dtype=np.int64)


def _keys(events: IntArray) -> IntArray:
    return events[:, 0] << 16 | events[:, 1]


def _kinds(events: IntArray) -> IntArray:
    return np.stack([events[:, 0], without_values(events[:, 1])], axis=1)


def _different(events: IntArray) -> IntArray:
    """Return the events without repetitions, sorted by step and then by id."""
    # Unique rows take NumPy several times longer than unique numbers.
    keys = np.unique(_keys(events))
    return np.stack([keys >> 16, keys & 0xFFFF], axis=1)


def _advance(steps: int) -> list[int]:
    whole, rest = divmod(steps, EVENT_MAX_ADVANCE)
    return [EVENT_ADVANCE | EVENT_MAX_ADVANCE] * whole + ([EVENT_ADVANCE | rest] if rest else [])
