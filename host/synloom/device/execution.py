"""One run: send its events, receive its records, and stop it if something fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from synloom.base.errors import DeviceError
from synloom.contract.array_port import Port, Words
from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.records import EndReason
from synloom.contract.regions import Region
from synloom.contract.registers import control
from synloom.device.decoder import RecordDecoder

__all__ = ["Events", "execute", "is_running", "stop"]

_CHUNK: Final = 96
_POLL_S: Final = 0.05
_SILENCE_S: Final = 5.0
_STOP_S: Final = 10.0
_NOW_MASK: Final = 0xFFFFFFFF


class Events(Protocol):
    """Interface that supplies a run with events, such as `EventQueue`."""

    def take(self, end: int) -> Words:
        """Remove all events before step `end` and return their words."""
        ...

    def advance_to(self, step: int) -> Words:
        """Return the words that move the array's cursor to `step`."""
        ...


def execute(
    port: Port,
    queue: Events,
    now: int,
    steps: int,
    flags: RunFlag,
    *,
    observe: Callable[[Words], None] | None = None,
) -> RecordDecoder:
    """Run some steps and return the decoder with all their records.

    All events of the run are sent beforehand if they fit into the array's queue. Otherwise the run is gated:
    it waits for events that are still on their way, so that none is late.

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
    observe : callable, optional
        Called with the words of the record stream, (n,) uint16, as they arrive.

    Raises
    ------
    DeviceError
        If the run ended at another step or for another reason than its length, or without an end record.
    """
    words = queue.take(now + steps)
    sent = _push(port, words)
    if sent < len(words):
        flags |= RunFlag.GATED
        words = np.concatenate([words, queue.advance_to(now + steps)])
    decoder = RecordDecoder(now)
    port.run(steps, flags)
    heard = time.monotonic()
    while decoder.end is None or decoder.end[1] == EndReason.PAUSED:
        before = sent
        sent += _push(port, words[sent:], most=4)
        records = port.records(0.0 if before < sent < len(words) else _POLL_S)
        decoder.feed(records)
        if observe is not None:
            observe(records)
        if len(records) or sent > before:
            heard = time.monotonic()
        elif time.monotonic() - heard > _SILENCE_S:
            _complain_if_dead(port, decoder)
            heard = time.monotonic()
    end = (now + steps) & _NOW_MASK
    if decoder.end != (end, EndReason.DONE):
        raise DeviceError(
            f"the run ended at step {decoder.end[0]} instead of {end} "
            f"({decoder.end[1].name.lower()}); check that no other program uses this device"
        )
    return decoder


def _push(port: Port, words: Words, most: int = 1 << 30) -> int:
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


def is_running(port: Port) -> bool:
    """Return whether a run is going on; a paused one counts too."""
    return bool(port.read(Region.CTRL, control("status").offset, 1)[0] & 1)


def stop(port: Port) -> None:
    """Abort the run that is going on, if any, and discard its remaining records.

    Raises
    ------
    DeviceError
        If the run does not end within 10 s.
    """
    if is_running(port):
        port.control(ControlAction.ABORT)
    deadline = time.monotonic() + _STOP_S
    while is_running(port):
        port.records(_POLL_S)
        if time.monotonic() > deadline:
            raise DeviceError(
                f"the device did not stop within {_STOP_S:g} s; switch its power off and on and connect again"
            )
    port.flush()
    while len(port.records(_POLL_S)):
        pass
