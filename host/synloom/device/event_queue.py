"""The host's part of the event queue: spikes and settings that wait for their step."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.contract.records import EVENT_ADVANCE, EVENT_MAX_ADVANCE, EVENT_SETTING
from synloom.device.events import ID_BITS, ID_MASK, NO_EVENTS, ids_of
from synloom.device.settings import without_values

__all__ = ["EventQueue", "Joined"]

_FEW: Final = 32
_NO_WORDS: Final[npt.NDArray[np.uint16]] = np.zeros(0, dtype=np.uint16)


class Joined(NamedTuple):
    """What waits if some events are added.

    Parameters
    ----------
    waiting : (n,) int64
        All events that wait then.
    merged : int
        How many of the added events have an equal one.
    added : (k,) int64
        The added events.
    """

    waiting: IntArray
    merged: int
    added: IntArray


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
        self._waiting: IntArray = NO_EVENTS
        self._taken: IntArray = NO_EVENTS
        # Few programs ever schedule settings.
        self._may_have_settings = False

    def reset(self, now: int) -> None:
        """Drop all events; the array's queue was emptied at step `now`."""
        self.cursor = now
        self._taken = self._waiting = NO_EVENTS
        self._may_have_settings = False

    @property
    def waiting(self) -> IntArray:
        """All events that wait to be sent, (n,) int64, sorted."""
        return self._waiting

    def restore(self, now: int, events: IntArray) -> None:
        """Let exactly these events wait, (n,) int64; the array's queue was emptied at step `now`."""
        self.reset(now)
        self._may_have_settings = True
        self.add(events)

    def joined(self, events: IntArray) -> Joined:
        """Return what waits if these events, (K,) int64, are added; equal ones become one."""
        if not len(events):
            return Joined(self._waiting, 0, events)
        together = np.concatenate([self._waiting, events]) if len(self._waiting) else events
        different = _different(together)
        return Joined(different, len(together) - len(different), events)

    def hold(self, joined: Joined) -> None:
        """Let that wait what `joined` has returned since the last change."""
        self._waiting = joined.waiting

    def add(self, events: IntArray) -> None:
        """Add spikes, (K,) int64; equal ones become one."""
        self.hold(self.joined(events))

    def replace(self, settings: IntArray) -> None:
        """Add settings, (K,) int64, instead of those of the same kind and step."""
        same = np.isin(_kinds(self._waiting), _kinds(settings))
        self._may_have_settings = True
        self._waiting = _different(np.concatenate([self._waiting[~same], settings]))

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, end: int) -> npt.NDArray[np.uint16]:
        """Remove all events before step `end` and return their words, (n,) uint16; the cursor follows.

        Until `settle` is called, `rewind` can bring them back.
        """
        if not len(self._waiting):
            return _NO_WORDS
        split = self._split(end)
        events = self._waiting[:split] if split < len(self._waiting) else self._waiting
        # In this order an interruption between the lines leaves events in both, never in none.
        self._taken = np.concatenate([self._taken, events]) if len(self._taken) else events
        self._waiting = self._waiting[split:] if split < len(self._waiting) else NO_EVENTS
        words = self._words_of(events)
        self.words += len(words)
        return words

    def _words_of(self, events: IntArray) -> npt.NDArray[np.uint16]:
        """Return the words of sorted events, (K,) int64, each step announced before its first one."""
        if len(events) <= _FEW:
            return self._words_of_few(events.tolist()) if len(events) else _NO_WORDS
        steps = events >> ID_BITS
        ahead = np.diff(steps, prepend=self.cursor)
        whole, rest = np.divmod(ahead, EVENT_MAX_ADVANCE)
        place = np.cumsum(whole + (rest > 0) + 1) - 1
        words = np.full(int(place[-1]) + 1, EVENT_ADVANCE | EVENT_MAX_ADVANCE, dtype=np.uint16)
        words[place[rest > 0] - 1] = EVENT_ADVANCE | rest[rest > 0]
        words[place] = events & ID_MASK
        self.cursor = int(steps[-1])
        return words

    def _words_of_few(self, events: list[int]) -> npt.NDArray[np.uint16]:
        """Do the same without arrays, which take longer than the step of a closed loop."""
        words: list[int] = []
        for event in events:
            step = event >> ID_BITS
            words += _advance(step - self.cursor)
            words.append(event & ID_MASK)
            self.cursor = step
        return np.array(words, dtype=np.uint16)

    def has_settings(self, end: int) -> bool:
        """Return whether settings wait for steps before `end`."""
        return self._may_have_settings and len(self.settings(end)) > 0

    def settings(self, end: int) -> IntArray:
        """Return the settings that wait for steps before `end`, (K,) int64."""
        waiting = self._waiting[: self._split(end)]
        return waiting[ids_of(waiting) >= EVENT_SETTING]

    def shorten(self, most: int) -> IntArray:
        """Forget and return all but the last `most` events that were taken, (K,) int64.

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

    @property
    def taken(self) -> IntArray:
        """The events that were taken for the run, (K,) int64."""
        return self._taken

    def settle(self) -> None:
        """Forget the events that were taken: their run has ended as planned."""
        self._taken = NO_EVENTS

    def rewind(self, now: int, delivered: IntArray) -> IntArray:
        """Let the events that were taken wait again, from step `now` on; the array's queue was emptied there.

        Those that do not wait again are returned, (K,) int64: they have acted, or are in the delay wheel.

        Only spikes of inputs enter the wheel before their step; all else waits in the array's queue until its
        step begins, and acts again if it was taken for a step that did not.

        Parameters
        ----------
        now : int
            The array's next step.
        delivered : (K,) int64
            Events that are in the array's delay wheel already.
        """
        events = _different(np.concatenate([self._taken, self._waiting]))
        there = np.isin(events, delivered)
        waits = (events >= now << ID_BITS) & ~there
        self._waiting = events[waits]
        self._taken = NO_EVENTS
        self.cursor = now
        return np.asarray(events[~waits])

    def _split(self, end: int) -> int:
        """Return how many events wait for steps before `end`."""
        return int(self._waiting.searchsorted(end << ID_BITS))


def _kinds(events: IntArray) -> IntArray:
    return events & ~ID_MASK | without_values(ids_of(events))


def _different(events: IntArray) -> IntArray:
    """Return the events without repetitions, sorted by step and then by id."""
    # What comes in order, as from one row or raster, need not be sorted.
    if len(events) < 2 or (events[1:] > events[:-1]).all():
        return events
    return np.unique(events)


def _advance(steps: int) -> list[int]:
    whole, rest = divmod(steps, EVENT_MAX_ADVANCE)
    return [EVENT_ADVANCE | EVENT_MAX_ADVANCE] * whole + ([EVENT_ADVANCE | rest] if rest else [])
