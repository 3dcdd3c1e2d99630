"""One run: send its events, receive its records, and stop it if something fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from synloom.base import signals
from synloom.base.errors import DeviceError
from synloom.contract.array_port import Port, Words
from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.records import EndReason
from synloom.contract.regions import Region
from synloom.contract.registers import control
from synloom.device.decoder import Bounds, RecordDecoder
from synloom.device.loader import read_register

__all__ = ["Events", "Source", "execute", "is_running", "new_decoder", "stop"]

_CHUNK: Final = 96
_POLL_S: Final = 0.05
_SILENCE_S: Final = 5.0
_LOOKS: Final = 4
_STOP_S: Final = 10.0
_NOW_MASK: Final = 0xFFFFFFFF
_DRAINS: Final = 3
"""How often the last records are asked for while the end of a run is not among them: answers may be lost."""
_NO_WORDS: Final[Words] = np.zeros(0, dtype=np.uint16)


class Events(Protocol):
    """Interface that supplies a run with events, such as `EventQueue`."""

    def take(self, end: int) -> Words:
        """Remove all events before step `end` and return their words."""
        ...

    def advance_to(self, step: int) -> Words:
        """Return the words that move the array's cursor to `step`."""
        ...


class Source(Protocol):
    """Interface of a stimulus that comes while the run goes on; it adds its events to the run's `Events`."""

    def advance(self) -> int | None:
        """Add the next events; return the step before which all events are known, None at the end."""
        ...


def new_decoder(port: Port, now: int, steps: int) -> RecordDecoder:
    """Return the decoder of a run that is about to begin."""
    params = port.params
    bounds = Bounds(now + steps, params.neurons, params.neuron_words, params.probes)
    return RecordDecoder(now, bounds, port.handed.end)


def execute(
    port: Port,
    queue: Events,
    now: int,
    steps: int,
    flags: RunFlag,
    *,
    decoder: RecordDecoder | None = None,
    observe: Callable[[Words], None] | None = None,
    source: Source | None = None,
) -> RecordDecoder:
    """Run some steps and return the decoder with all their records.

    All events of the run are sent beforehand if they fit into the array's queue. Otherwise, and with a
    `source`, the run is gated: it waits for events that are still on their way, so that none is late.

    Parameters
    ----------
    port : Port
        The array.
    queue : Events
        Supplies the events.
    now, steps : int
        First step, and number of steps.
    flags : RunFlag
        Flags of the run; GATED is added if it is needed.
    decoder : RecordDecoder, optional
        Takes the records: one that the caller keeps has them even if the run is cut short.
    observe : callable, optional
        Called with the words of the record stream, (n,) uint16, as they arrive.
    source : Source, optional
        Asked for more events whenever all that it gave are sent.

    Raises
    ------
    DeviceError
        If the run ended at another step or for another reason than its length, or without an end record.
    """
    feed = _Feed(port, queue, now + steps, source)
    if feed.fill() or source is not None:
        flags |= RunFlag.GATED
        feed.gate()
    decoder = decoder or new_decoder(port, now, steps)
    port.run(steps, flags)
    heard, watch = time.monotonic(), _Watch(port, now + steps)
    while not decoder.ended:
        before, reached = feed.sent, decoder.time
        feed.push(4)
        records = port.records(0.0 if before < feed.sent and feed.waiting else _POLL_S)
        decoder.feed(records)
        if observe is not None:
            observe(records)
        signals.check()
        if decoder.time > reached or feed.sent > before:  # records alone may say nothing new
            heard = time.monotonic()
        elif time.monotonic() - heard > _SILENCE_S and not decoder.ended:
            watch.look(decoder)
            heard = time.monotonic()
    _check_end(decoder, (now + steps) & _NOW_MASK)
    return decoder


def _check_end(decoder: RecordDecoder, end: int) -> None:
    assert decoder.end is not None
    if decoder.end != (end, EndReason.DONE):
        raise DeviceError(
            f"the run ended at step {decoder.end[0]} instead of {end} "
            f"({decoder.end[1].name.lower()}); check that no other program uses this device"
        )


class _Feed:
    """The event words of a run on their way to the array.

    Attributes
    ----------
    sent : int
        Words that the array has taken.
    """

    def __init__(self, port: Port, queue: Events, end: int, source: Source | None):
        self.sent = 0
        self._port = port
        self._queue = queue
        self._end = end
        self._source = source
        self._gated = False
        self._words = _NO_WORDS

    @property
    def waiting(self) -> bool:
        """Whether words are ready, or a source may have more of them."""
        return bool(len(self._words)) or self._source is not None

    def fill(self) -> bool:
        """Send what fits before the run begins; return whether words are left."""
        if self._source is not None:
            # An error of the first chunk leaves the array untouched.
            self._pull()
        else:
            self._words = self._queue.take(self._end)
        self.push(1 << 30)
        return bool(len(self._words))

    def gate(self) -> None:
        """Let the array's queue reach the end of the run after its last event."""
        self._gated = True
        if self._source is None:
            self._words = np.concatenate([self._words, self._queue.advance_to(self._end)])

    def push(self, most: int) -> None:
        """Send words in at most `most` parts, and ask the source for more when all are sent."""
        if self._gated:
            self._pull()
        if not len(self._words):
            return
        taken = _push(self._port, self._words, most)
        self.sent += taken
        self._words = self._words[taken:]

    def _pull(self) -> None:
        while self._source is not None and not len(self._words):
            # A source may have nothing to give for long.
            signals.check()
            known = self._source.advance()
            if known is None or known >= self._end:
                known, self._source = self._end, None
            self._words = np.concatenate([self._queue.take(known), self._queue.advance_to(known)])


def _push(port: Port, words: Words, most: int) -> int:
    """Send words to the event queue until it is full, in at most `most` parts; return how many it took."""
    chunk = min(_CHUNK, port.params.event_words // 2)
    sent = 0
    while sent < len(words) and most:
        part = words[sent : sent + chunk]
        if not port.events(part):
            break
        sent += len(part)
        most -= 1
    return sent


def _complain_if_dead(port: Port, decoder: RecordDecoder) -> None:
    if is_running(port):
        return
    port.flush()
    decoder.feed(port.records(1.0))
    if decoder.end is None:
        raise DeviceError("the device stopped without an end record; load the image again")


class _Watch:
    """Looks whether a run, up to step `end`, still goes on although nothing is heard of it."""

    def __init__(self, port: Port, end: int) -> None:
        self._port = port
        self._end = end
        self._seen = -1
        self._looks = 0

    def look(self, decoder: RecordDecoder) -> None:
        """Raise DeviceError if the run is over, or has not come further for some looks."""
        _complain_if_dead(self._port, decoder)
        now = read_register(self._port, "now")
        further = self._seen < now <= self._end
        self._looks = 0 if further else self._looks + 1
        self._seen = now
        if self._looks >= _LOOKS:
            raise DeviceError(
                f"the run stands still at step {now}, because its events or records do not arrive or another "
                f"program has paused it; check the cable, and load the image again"
            )


def is_running(port: Port) -> bool:
    """Return whether a run is going on; a paused one counts too."""
    return bool(port.read(Region.CTRL, control("status").offset, 1)[0] & 1)


def stop(port: Port, decoder: RecordDecoder | None = None) -> None:
    """Abort the run that is going on, if any; the decoder takes its remaining records.

    Raises
    ------
    DeviceError
        If the run does not end within 10 s.
    """
    if decoder is not None:
        _catch_up(port, decoder)
    if is_running(port):
        port.control(ControlAction.ABORT)
    deadline = time.monotonic() + _STOP_S
    while is_running(port):
        _hear(port.records(_POLL_S), decoder)
        if time.monotonic() > deadline:
            raise DeviceError(
                f"the device did not stop within {_STOP_S:g} s; switch its power off and on and connect again"
            )
    for _ in range(_DRAINS):
        port.flush()
        while len(records := port.records(_POLL_S)):
            _hear(records, decoder)
            if time.monotonic() > deadline:
                raise DeviceError(
                    f"records of a run that is over come without an end for {_STOP_S:g} s; "
                    "switch the board's power off and on and connect again"
                )
        if decoder is None or decoder.ended:
            break


def _catch_up(port: Port, decoder: RecordDecoder) -> None:
    """Decode what the port has returned, if an exception came before it was decoded."""
    end, words = port.handed
    missed = end - decoder.before - decoder.words
    if missed > 0:
        _hear(words[-missed:], decoder)


def _hear(records: Words, decoder: RecordDecoder | None) -> None:
    # Of a run that nobody awaits, records may follow its end.
    if decoder is not None and not decoder.ended:
        decoder.feed(records)
