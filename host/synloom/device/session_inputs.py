"""What an array is given: spikes, settings and rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from synloom.base.checks import IntArray, label_of
from synloom.base.errors import NetworkError
from synloom.base.wording import shown
from synloom.contract.array_port import Words
from synloom.device.event_queue import Joined
from synloom.device.events import NO_EVENTS, events_at
from synloom.device.scheduled import added
from synloom.device.session_state import SessionState
from synloom.device.stimulus import Receiver, warn_of_merging
from synloom.image.places import InputInfo
from synloom.image.waiting import Change

__all__ = ["SessionInputs"]


class SessionInputs(SessionState):
    """The part of a `Session` that gives the array spikes, settings and rates."""

    def receiver(self, which: Any) -> Receiver:
        """Return the place of the inputs or neurons, given as the object or its label, that can get spikes.

        Raises
        ------
        CapacityError
            If it is neurons, and the array has no `teaching`.
        NetworkError
            If the image has no such population.
        """
        image, label = self.image, label_of(which)
        if label in image.populations:
            self.require("teaching")
            return image.populations[label]
        if label not in image.inputs:
            names = ", ".join(map(repr, [*image.inputs, *image.populations]))
            raise NetworkError(f"the image has no population {shown(label)}; it has {names}")
        return image.inputs[label]

    def schedule(self, step: int, settings: Sequence[int], changes: Sequence[Change] = ()) -> None:
        """Let settings, given as ids of events, act at the beginning of a step instead of earlier ones.

        Changes for that step wait, too: all of it, or nothing if this is cut short.
        """
        before, waiting = self.changes, self.queue.waiting
        try:
            if len(settings):
                events = events_at(step, np.array(settings, dtype=np.int64))
                self.queue.replace(events)
            self.changes = added(before, changes)
            if len(settings) and self.log is not None:
                self.log.add("settings", {}, events=events)
        except BaseException:
            self.queue.hold(Joined(waiting, 0, NO_EVENTS))
            self.changes = before
            raise

    def joined(self, parts: Sequence[tuple[Receiver, IntArray]]) -> Joined:
        """Return what waits if these events, (K,) int64 for each place, are sent.

        A warning says if some would share a step and source with others. Nothing is changed.
        """
        events = np.concatenate([NO_EVENTS, *(e for _, e in parts)]) if len(parts) != 1 else parts[0][1]
        joined = self.queue.joined(events)
        if joined.merged:
            warn_of_merging(joined.merged, len(events), [info for info, _ in parts], self.image.dt)
        return joined

    def send(self, joined: Joined) -> None:
        """Let events of `joined` wait for their steps, and count those that share a step and source."""
        self.queue.hold(joined)
        self.inputs_merged += joined.merged
        if self.log is not None:
            self.log.events(joined.added)

    # ---- rates ---------------------------------------------------------------------------------

    def set_rates(self, info: InputInfo, words: Words) -> None:
        """Set rates of generators; they stay until they are set again."""
        self.rates.set(info.source, words)
        if self.log is not None:
            self.log.add("rates", {"first": info.source, "stay": True}, words=words)

    def show_rates(self, info: InputInfo, words: Words) -> None:
        """Set rates of generators for the time of `presenting`."""
        self.rates.show(info.source, words)
        if self.log is not None:
            self.log.add("rates", {"first": info.source, "stay": False}, words=words)

    @contextmanager
    def presenting(self, rates: Sequence[tuple[InputInfo, Words]]) -> Iterator[None]:
        """Set rates for the time of this context; afterwards they are what they were, whatever happened."""
        try:
            for info, words in rates:
                self.show_rates(info, words)
            yield
        finally:
            # If the array could not be stopped, its state is unknown and it must be loaded again anyway.
            if self._loaded is not None:
                with self._unknown("a stimulus"):
                    for info, _ in rates:
                        self.rates.restore(info.source, info.n)
                        if self.log is not None:
                            self.log.add("rates back", {"first": info.source, "n": info.n})

    def unshow(self) -> None:
        """Set the rates again that were set last, if a stimulus or a call that was cut short left others."""
        if not self.rates.touched:
            return
        for info in self.image.inputs.values():
            if (
                info.generator is not None
                and self.rates.restore(info.source, info.n)
                and self.log is not None
            ):
                self.log.add("rates back", {"first": info.source, "n": info.n})
        self.rates.touched = False
