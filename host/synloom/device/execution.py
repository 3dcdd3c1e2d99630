"""One run: events go in while records come out, and whatever happens it ends."""

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
    """What a run takes its events from: an `EventQueue`, or the like."""

    def take(self, end: int) -> Words:
        """Return the words of all events before step `end`."""
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
    """Run `steps` steps from step `now` and return the decoder with everything that was recorded.

    All events that are due go into the array's queue beforehand if they fit; else the run is gated: it waits
    for those that are still on their way, so none is late. `observe` is called with the words of the record
    stream as they come.

    Raises
    ------
    DeviceError
        If the run was ended by someone else, or the device fell silent.
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
            f"({decoder.end[1].name.lower()}); does another program use this device?"
        )
    return decoder


def _push(port: Port, words: Words, most: int = 1 << 30) -> int:
    """Send words to the event queue until it is full; return how many it took."""
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
        raise DeviceError("the device stopped without saying so; load the image again")


def is_running(port: Port) -> bool:
    """Return whether a run goes on (paused ones too)."""
    return bool(port.read(Region.CTRL, control("status").offset, 1)[0] & 1)


def stop(port: Port) -> None:
    """Abort a run, if there is one, and throw away the records that are left.

    Raises
    ------
    DeviceError
        If the run does not end.
    """
    if is_running(port):
        port.control(ControlAction.ABORT)
    deadline = time.monotonic() + _STOP_S
    while is_running(port):
        port.records(_POLL_S)
        if time.monotonic() > deadline:
            raise DeviceError(f"the device did not stop within {_STOP_S:g} s; reset or reconnect it")
    port.flush()
    while len(port.records(_POLL_S)):
        pass
