"""The host's part of the event queue: spikes and settings that wait for their step."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.contract.records import EVENT_ADVANCE, EVENT_MAX_ADVANCE, EVENT_SETTING
from synloom.device.settings import without_values

__all__ = ["EventQueue", "Joined"]

_ID_BITS: Final = 16
_ID_MASK: Final = (1 << _ID_BITS) - 1


class Joined(NamedTuple):
    """What waits if some events are added.

    Parameters
    ----------
    keys : (n,) int64
        All that waits then, as the queue keeps it.
    merged : int
        How many of the added events have an equal one.
    """

    keys: IntArray
    merged: int


class EventQueue:
    """Events that wait to be sent, and the cursor of the array's queue (docs/protocol.md).

    Attributes
    ----------
    cursor : int
        The step that the array gives to the next event.
    words : int
        Words that were made for the array.
    """

    # Events are kept as one number each, ``step << 16 | id``: rows of two take NumPy several times longer,
    # and a closed loop adds and takes events in every step.

    def __init__(self) -> None:
        self.cursor = 0
        self.words = 0
        self._waiting: IntArray = _NONE
        self._taken: IntArray = _NONE
        # Few programs ever schedule settings.
        self._may_have_settings = False

    def reset(self, now: int) -> None:
        """Drop all events; the array's queue was emptied at step `now`."""
        self.cursor = now
        self._taken = self._waiting = _NONE
        self._may_have_settings = False

    def joined(self, events: IntArray) -> Joined:
        """Return what waits if these events, (K, 2) int64 of (step, id), are added; equal ones become one."""
        if not len(events):
            return Joined(self._waiting, 0)
        added = _keys(events)
        together = np.concatenate([self._waiting, added]) if len(self._waiting) else added
        different = _different(together)
        return Joined(different, len(together) - len(different))

    def hold(self, joined: Joined) -> None:
        """Let that wait what `joined` has returned since the last change."""
        self._waiting = joined.keys

    def add(self, events: IntArray) -> None:
        """Add spikes, (K, 2) int64 of (step, id); equal ones become one."""
        self.hold(self.joined(events))

    def replace(self, settings: IntArray) -> None:
        """Add settings, (K, 2) int64 of (step, id), instead of those of the same kind and step."""
        added = _keys(settings)
        same = np.isin(_kinds(self._waiting), _kinds(added))
        self._may_have_settings = True
        self._waiting = _different(np.concatenate([self._waiting[~same], added]))

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, end: int) -> npt.NDArray[np.uint16]:
        """Remove all events before step `end` and return their words, (n,) uint16; the cursor follows.

        Until `settle` is called, `rewind` can bring them back.
        """
        if not len(self._waiting):
            return _NO_WORDS
        split = self._split(end)
        keys = self._waiting[:split]
        # In this order an interruption between the lines leaves events in both, never in none.
        self._taken = np.concatenate([self._taken, keys]) if len(self._taken) else keys
        self._waiting = self._waiting[split:]
        words: list[int] = []
        for key in keys.tolist():
            step = key >> _ID_BITS
            if step != self.cursor:
                words += _advance(step - self.cursor)
                self.cursor = step
            words.append(key & _ID_MASK)
        self.words += len(words)
        return np.array(words, dtype=np.uint16)

    def has_settings(self, end: int) -> bool:
        """Return whether settings wait for steps before `end`."""
        return self._may_have_settings and len(self.settings(end)) > 0

    def settings(self, end: int) -> IntArray:
        """Return the settings that wait for steps before `end`, (K, 2) int64 of (step, id)."""
        waiting = self._waiting
        if not len(waiting):
            return _events(waiting)
        waiting = waiting[: self._split(end)]
        return _events(waiting[waiting & EVENT_SETTING != 0])

    def shorten(self, most: int) -> IntArray:
        """Forget and return all but the last `most` events that were taken, (K, 2) int64.

        Only the last ones can be in the array's queue. Those before have left it: they have acted, or are in
        the delay wheel, where `rewind` is told of them.
        """
        split = max(0, len(self._taken) - most)
        gone, self._taken = self._taken[:split], self._taken[split:]
        return _events(gone)

    def advance_to(self, step: int) -> npt.NDArray[np.uint16]:
        """Return the words, (n,) uint16, that move the cursor to `step`, so that a gated run can reach it."""
        words = _advance(step - self.cursor)
        self.words += len(words)
        self.cursor = step
        return np.array(words, dtype=np.uint16)

    def settle(self) -> IntArray:
        """Forget and return the events that were taken, (K, 2) int64: their run has ended as planned."""
        taken, self._taken = self._taken, _NONE
        return _events(taken)

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
        keys = _different(np.concatenate([self._taken, self._waiting]))
        there = np.isin(keys, _keys(delivered))
        self._waiting = keys[(keys >= now << _ID_BITS) & ~there]
        self._taken = _NONE
        self.cursor = now

    def _split(self, end: int) -> int:
        """Return how many events wait for steps before `end`."""
        return int(self._waiting.searchsorted(end << _ID_BITS))


_NONE: Final[IntArray] = np.zeros(0, dtype=np.int64)
_NO_WORDS: Final[npt.NDArray[np.uint16]] = np.zeros(0, dtype=np.uint16)


def _keys(events: IntArray) -> IntArray:
    return events[:, 0] << _ID_BITS | events[:, 1]


def _events(keys: IntArray) -> IntArray:
    events = np.empty((len(keys), 2), dtype=np.int64)
    events[:, 0] = keys >> _ID_BITS
    events[:, 1] = keys & _ID_MASK
    return events


def _kinds(keys: IntArray) -> IntArray:
    return keys & ~_ID_MASK | without_values(keys & _ID_MASK)


def _different(keys: IntArray) -> IntArray:
    """Return the keys without repetitions, sorted: by step and then by id."""
    # What comes in order, as from one row or raster, need not be sorted.
    if (keys[1:] > keys[:-1]).all():
        return keys
    return np.unique(keys)


def _advance(steps: int) -> list[int]:
    whole, rest = divmod(steps, EVENT_MAX_ADVANCE)
    return [EVENT_ADVANCE | EVENT_MAX_ADVANCE] * whole + ([EVENT_ADVANCE | rest] if rest else [])
