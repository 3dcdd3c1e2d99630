"""Runs of a session; after an error the array is at rest, and the host knows where it stopped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synloom.base.checks import IntArray, whole
from synloom.base.errors import ArrayLostError, ParameterError
from synloom.contract.frames import RunFlag
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.device.decoder import RecordDecoder
from synloom.device.events import ID_BITS, NO_EVENTS
from synloom.device.execution import Source, execute, new_decoder, stop
from synloom.device.loader import read_register, write_register
from synloom.device.memories import arriving
from synloom.device.scheduled import next_cut
from synloom.device.session_inputs import SessionInputs
from synloom.device.session_writes import SessionWrites

__all__ = ["SessionRuns"]


class SessionRuns(SessionInputs, SessionWrites):
    """The part of a `Session` that runs."""

    def steps(self, duration: float) -> int:
        """Return a time in ms as a number of steps.

        Raises
        ------
        ParameterError
            If it is not a multiple of dt, or over 2**32 - 1 steps.
        """
        dt = self.image.dt
        steps = min(duration / dt, 2.0**32)
        if abs(steps - round(steps)) > 1e-6:
            raise ParameterError(
                f"the time must be a multiple of dt ({dt:g} ms), not {duration:g} ms; "
                f"try {max(round(steps), 1) * dt:g} ms"
            )
        return whole("the number of steps", round(steps), 0, 0xFFFFFFFF)

    def next_cut(self, end: int) -> int:
        """Return the next step before which something changes, `end` if nothing does before that."""
        return next_cut(self.changes, self.now, end)

    def execute(
        self,
        steps: int,
        flags: RunFlag,
        source: Source | None = None,
        sent: Callable[[IntArray], None] | None = None,
        *,
        shown: bool = False,
    ) -> RecordDecoder:
        """Run some steps and return the decoder with their records; see `synloom.device.execution`.

        At the end `sent` is called with the last events that were sent, (K,) int64. With `shown` the rates of
        `presenting` stay.
        """
        self.decoder = decoder = new_decoder(self.port, self.now, steps)
        self.given = NO_EVENTS
        if not steps:
            return decoder
        if not shown:
            self.unshow()
        first, self._carried = self.now, self._early
        if self.log is not None:
            self._learned |= self.queue.has_settings(first + steps) or self.mode(Mode.LEARN)
        try:
            with self._guard():
                if self.queue.has_settings(self.now + steps):
                    self._mode = None
                execute(self.port, self.queue, self.now, steps, flags, decoder=decoder, source=source)
                self.now, self.total = self.now + steps, self.total + steps
                self._divide(self.queue.taken)
                self.queue.settle()
        finally:
            # An interrupted run is one of fewer steps, unless nobody knows of how many.
            if self.log is not None and self._loaded is not None:
                self.log.run(first, self.now - first, decoder)
        if sent is not None:
            sent(self.given)
        return decoder

    def _divide(self, events: IntArray) -> None:
        """Keep events that the array has as those of the run until now, and of the next one."""
        # This may come a second time, after an exception between two lines, with the same events and others.
        events = np.union1d(self._carried, events) if len(self._carried) else events
        # Events are in the order of their steps.
        due = int(events.searchsorted(self.now << ID_BITS))
        self.given, self._early = events[:due], events[due:]

    def _guard(self) -> _Guard:
        """Stop the array after an error in this context; if that fails too, no image counts as loaded.

        The events that are not yet due then wait for the next run, which begins where the array stopped.
        """
        return _Guard(self._recover)

    def _recover(self, kind: type[BaseException]) -> None:
        if issubclass(kind, ArrayLostError):
            # What answers now is not the array in which the run was.
            self.lose()
            return
        with self._unknown("a run"):
            stop(self.port, self.decoder)
            now = read_register(self.port, "now")
            delivered = self._delivered(now)
            # This empties the array's queue, too.
            write_register(self.port, "now", now)
            gone = self.queue.rewind(now, delivered)
            self.now, self.total = now, self.total + now - self.now
            self._divide(gone)

    def _delivered(self, now: int) -> IntArray:
        """Return the events that have left the array's queue for its delay wheel, (K,) int64.

        Only spikes of inputs wait there, for step `now` or a later one.
        """
        params = self.port.params
        memory = memory_of(params, Region.WHEEL)
        slots = [
            self.port.read(memory.region, memory.offset(slot, 0), params.input_words)
            for slot in range(params.delay_slots)
        ]
        return arriving(np.stack(slots), now)


class _Guard:
    """A context that ends in a call if an error leaves it; a class enters quicker than a generator."""

    def __init__(self, recover: Callable[[type[BaseException]], None]):
        self._recover = recover

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._recover(kind)
