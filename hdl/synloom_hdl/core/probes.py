"""Probes: words of state read after a step and put into the record stream."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.regions import PROBE_STRIDE
from synloom_hdl.core.access import AccessSignature, SharedMemory
from synloom_hdl.ports import BusRequest

__all__ = ["Probes"]


class Probes(wiring.Component):
    """Reads the first `count` probes, two words each, through the accessor.

    Members
    -------
    start : In(1), count : In
    busy : Out(1)
    access : Out(1), request : Out(BusRequest), done : In(1), data : In(16)
        The accessor.
    words : Out(stream of 16 bits)
    table : In(AccessSignature)
        PROBES.
    """

    def __init__(self, params: ArrayParams):
        self.params = params
        super().__init__(
            {
                "start": In(1),
                "count": In(range(params.probes + 1)),
                "busy": Out(1),
                "access": Out(1),
                "request": Out(BusRequest),
                "done": In(1),
                "data": In(16),
                "words": Out(stream.Signature(16)),
                "table": In(AccessSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self.params
        m.submodules.storage = storage = SharedMemory(
            rows=PROBE_STRIDE * params.probes,
            element_bits=16,
            size=PROBE_STRIDE * params.probes,
            read_only=True,
        )
        wiring.connect(m, wiring.flipped(self.table), storage.host)
        probe = Signal(range(params.probes + 1))
        place = Signal(2)
        entry = [Signal(16, name=f"entry{n}") for n in range(3)]
        second = Signal()
        m.d.comb += [
            self.request.region.eq(entry[0]),
            self.request.offset.eq(Cat(entry[1], entry[2][:8]) + second),
            storage.read_row.eq(Cat(place, probe)),
            storage.read_en.eq(1),
        ]
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(self.start | ~fsm.ongoing("Idle"))
            with m.State("Idle"):
                m.d.sync += [probe.eq(0), place.eq(0)]
                with m.If(self.start):
                    m.next = "Fetch"
            with m.State("Fetch"):
                m.d.sync += place.eq(place + 1)
                m.d.sync += [a.eq(b) for a, b in zip(entry, [*entry[1:], storage.row], strict=True)]
                with m.If(place == 3):
                    m.d.sync += second.eq(0)
                    m.next = "Access"
            with m.State("Access"):
                m.d.comb += self.access.eq(1)
                m.next = "Wait"
                with m.If(second & ~entry[0][15]):
                    m.d.comb += self.access.eq(0)
                    m.d.sync += self.words.payload.eq(0)
                    m.next = "Offer"
            with m.State("Wait"):
                m.d.sync += self.words.payload.eq(self.data)
                with m.If(self.done):
                    m.next = "Offer"
            with m.State("Offer"):
                m.d.comb += self.words.valid.eq(1)
                with m.If(self.words.ready):
                    m.d.sync += second.eq(1)
                    m.next = "Access"
                    with m.If(second):
                        m.d.sync += [probe.eq(probe + 1), place.eq(0)]
                        m.next = "Fetch"
                        with m.If(probe + 1 == self.count):
                            m.next = "Idle"
        return m
