"""Probes: words of state read after a step and put into the record stream."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom_hdl.core.shared_memory import AccessSignature, SharedMemory
from synloom_hdl.core_interface import BusRequest
from synloom_hdl.counting import up_or_load

__all__ = ["Probes"]


class Probes(wiring.Component):
    """Reads the first `count` probes, two words each, through the accessor.

    Members
    -------
    start : In(1), count : In
    busy : Out(1)
    access : Out(1), request : Out(BusRequest), done : In(1), data : In(16)
        The accessor; `data` is 0 while there is no access.
    words : Out(stream of 16 bits)
        One that is not taken at once is read again.
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
        table = memory_of(params, Region.PROBES)
        m.submodules.storage = storage = SharedMemory(rows=table.places, element_bits=16, size=table.size)
        wiring.connect(m, wiring.flipped(self.table), storage.host)
        probe = Signal(range(params.probes))
        offset = Signal(24)
        head = storage.row
        second, place = Signal(), Signal(2)
        loads_low, loads_high, advances = Signal(), Signal(), Signal()
        steps = up_or_load(offset, loads_low | loads_high, storage.row.replicate(2)[:24])
        m.d.comb += [
            # The head is not copied, as it is wanted only when an access begins.
            self.request.region.eq(head),
            self.request.offset.eq(offset),
            self.words.payload.eq(self.data),
            storage.read_row.eq(Cat(place, probe)),
        ]
        with m.If(loads_low | advances):
            m.d.sync += offset[:16].eq(steps)
        with m.If(loads_high | advances):
            m.d.sync += offset[16:].eq(steps[16:])
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(self.start | ~fsm.ongoing("Idle"))
            with m.State("Idle"):
                m.d.sync += probe.eq(0)
                with m.If(self.start):
                    m.next = "Fetch"
            with m.State("Fetch"):
                m.d.comb += [place.eq(1), storage.read_en.eq(1)]
                m.next = "Low"
            with m.State("Low"):
                m.d.comb += [loads_low.eq(1), place.eq(2), storage.read_en.eq(1)]
                m.d.sync += second.eq(0)
                m.next = "High"
            with m.State("High"):
                m.d.comb += [loads_high.eq(1), storage.read_en.eq(1)]
                m.next = "Access"
            with m.State("Access"):
                m.next = "Wait"
                with m.If(second & ~head[15]):
                    m.d.comb += self.words.valid.eq(1)
                    m.next = "Access"
                    with m.If(self.words.ready):
                        m.next = "Next"
                with m.Else():
                    m.d.comb += self.access.eq(1)
            with m.State("Wait"):
                m.d.comb += self.words.valid.eq(self.done)
                with m.If(self.done):
                    m.next = "Head"
                with m.If(self.done & self.words.ready):
                    m.d.comb += advances.eq(1)
                    m.d.sync += second.eq(1)
                    with m.If(second):
                        m.next = "Next"
            with m.State("Head"):
                m.d.comb += storage.read_en.eq(1)
                m.next = "Access"
            with m.State("Next"):
                m.d.sync += probe.eq(probe + 1)
                m.next = "Fetch"
                with m.If(probe + 1 == self.count):
                    m.next = "Idle"
        return m
