"""A stimulus that comes in chunks while the run goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from synloom.base import signals
from synloom.base.checks import IntArray
from synloom.base.errors import ParameterError
from synloom.base.wording import shown
from synloom.device.events import ids_of, steps_of
from synloom.device.meter import Meter
from synloom.device.session import Session
from synloom.device.stimulus import Receiver, events_from, raster_rows
from synloom.image.places import InputInfo

__all__ = ["Stream"]

_KEPT_QUEUES = 2
"""Events that are kept, in contents of the array's queue."""


class Stream:
    """The chunks of a stimulus as a `Source` of events of one run.

    Times count from the beginning of the run. Chunks follow one another in time: no spike comes before the
    latest of an earlier chunk, and the rows of a raster follow those of the chunk before.

    Parameters
    ----------
    session : Session
        Where the events wait.
    chunks : iterable of mapping
        For each input population, or its label, the spikes in the forms of `events_from`. One mapping is one
        chunk.

    Raises
    ------
    ParameterError
        If it is neither.
    """

    def __init__(self, session: Session, chunks: Any):
        self._session = session
        self._meter: Meter | None = None
        self._chunks = _iterator(chunks)
        self._first = session.now
        self._row = 0
        self._known = 0
        self._number = 0
        self._told = True

    def begin(self, meter: Meter) -> None:
        """Let a meter count the events of the run, or of the piece of it, that begins."""
        self._meter = meter
        # What an earlier piece did not need is still to be told.
        self._told = False

    def advance(self) -> int | None:
        """Take the next chunk; return the step before which all events are known, None at the end.

        Raises
        ------
        ParameterError
            If the chunk is wrong, or earlier than the one before. Errors of the iterator pass through.
        """
        if not self._told and self._first + self._known > self._session.now:
            self._told = True
            return self._first + self._known
        self._told = True
        taken = self._taken()
        if not taken:
            return None
        self._add(taken[0])
        return self._first + self._known

    def _taken(self) -> deque[Any]:
        """Take the next chunk, if there is one; signals act at once while the iterator is at work.

        It may wait for a sensor for ever, and can be left anywhere: the run ends as after any error of it.
        """
        taken: deque[Any] = deque()
        try:
            signals.release()
            # Nothing comes between the iterator's answer and the deque, which has it if a signal acts then.
            taken.extend(islice(self._chunks, 1))
        except BaseException:
            signals.hold()
            for chunk in taken:
                self._add(chunk)
            raise
        signals.hold()
        return taken

    def _add(self, chunk: Any) -> None:
        """Let the spikes of a chunk wait for their steps."""
        if not isinstance(chunk, Mapping):
            raise ParameterError(
                f"chunk {self._number} of the stimulus must be a mapping from input populations to spikes, "
                f"such as {{'retina': raster}}, not {shown(chunk)}"
            )
        session, parts, ends, rows = self._session, [], [self._known], 0
        for which, spikes in chunk.items():
            info = session.receiver(which)
            events, count, end = self._events(info, spikes)
            parts.append((info, events))
            ends.append(end)
            rows = max(rows, count)
        session.send(session.joined(parts))
        # What was taken long ago has left the array's queue, so that memory stays bounded.
        old = session.queue.shorten(_KEPT_QUEUES * session.port.params.event_words)
        if self._meter is not None:
            self._meter.add(old)
        self._row += rows
        self._known = max(ends)
        self._number += 1

    def _events(self, info: Receiver, spikes: Any) -> tuple[IntArray, int, int]:
        """Return events, (K,) int64, rows of a raster, and the step of the run that the spikes reach."""
        dt, rows = self._session.image.dt, raster_rows(spikes)
        begin = 0 if rows is None else self._row
        events = events_from(spikes, info, self._first + begin, dt)
        steps = steps_of(events) - self._first
        if isinstance(info, InputInfo):
            steps = steps - info.delay[ids_of(events) - info.source]
        if len(steps) and steps.min() < self._known:
            raise ParameterError(
                f"chunk {self._number} of the stimulus has a spike for {info.label!r} at "
                f"{steps.min() * dt:g} ms of the run, but an earlier chunk reaches {self._known * dt:g} ms; "
                f"chunks must follow one another in time"
            )
        reached = int(steps.max()) if len(steps) else 0
        return events, rows or 0, reached if rows is None else begin + rows


def _iterator(chunks: Any) -> Iterator[Any]:
    if isinstance(chunks, Mapping):
        return iter([chunks])
    if isinstance(chunks, Iterable) and not isinstance(chunks, (str, bytes)):
        # Some have the method, and can still not be iterated.
        with suppress(TypeError):
            return iter(chunks)
    raise ParameterError(
        f"stimulus must be an iterable of chunks, each a mapping from input populations to spikes, not "
        f"{shown(chunks)}"
    )
