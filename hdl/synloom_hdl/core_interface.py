"""Signatures between the link and the core: memory bus, run control, events, records."""

from __future__ import annotations

from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BusRequest", "BusSignature", "CoreSignature", "RunRequest"]

BusRequest = data.StructLayout({"region": 5, "offset": 24, "write": 1, "data": 16})
"""One access to a region; weights are in the low byte of `data`."""

RunRequest = data.StructLayout({"steps": 32, "flags": 3})
"""Arguments of RUN; the flags are those of `contract.frames.RunFlag`."""


class BusSignature(wiring.Signature):
    """Memory bus, seen by the link: one request at a time, answered by a strobe.

    Members
    -------
    request : Out(stream of BusRequest)
        Taken while the core is between two steps; its payload stays until `done`.
    done : In(1)
        High for one clock when a read or write is complete; the next request may come in the next clock.
    data : In(16)
        What was read; valid with `done`.
    """

    def __init__(self):
        super().__init__({"request": Out(stream.Signature(BusRequest)), "done": In(1), "data": In(16)})


class CoreSignature(wiring.Signature):
    """Everything between link and core, seen by the link.

    Members
    -------
    bus : Out(BusSignature)
        The memory bus.
    run : Out(stream of RunRequest)
        Starts a run; ready only while none is running.
    control : Out(stream of 2 bits)
        Pause, resume or abort (`contract.frames.ControlAction`); always ready.
    running : In(1)
        A run has started and has not ended; also high while it is paused.
    paused : In(1)
        The run is paused.
    events : Out(stream of 16 bits)
        Words for the event queue.
    event_room : In(16)
        Free words of the event queue, at most 65535.
    records : In(stream of 16 bits)
        Words of the record stream.
    record_room : Out(16)
        Free words of the record buffer; the core begins a step only if its worst case fits.
    flushes : In(1)
        Send the records now: the run has the flag FLUSH, or has ended.
    """

    def __init__(self):
        super().__init__(
            {
                "bus": Out(BusSignature()),
                "run": Out(stream.Signature(RunRequest)),
                "control": Out(stream.Signature(2)),
                "running": In(1),
                "paused": In(1),
                "events": Out(stream.Signature(16)),
                "event_room": In(16),
                "records": In(stream.Signature(16)),
                "record_room": Out(16),
                "flushes": In(1),
            }
        )
