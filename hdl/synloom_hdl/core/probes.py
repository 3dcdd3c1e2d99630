"""Probes: words of state that are read after a step and recorded."""

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
    """Reads the first `count` probes, two words each, through the bridge.

    Members
    -------
    start : In(1), count : In
    busy : Out(1)
    access : Out(1), request : Out(BusRequest), done : In(1), data : In(16)
        The bridge; `data` is 0 while there is no access.
    words : Out(stream of 16 bits)
        A word that is not taken at once is read again.
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
        table = memory_of(self.params, Region.PROBES)
        m.submodules.storage = self._storage = storage = SharedMemory(
            rows=table.places, element_bits=16, size=table.size
        )
        wiring.connect(m, wiring.flipped(self.table), storage.host)
        self._layout = table.layout
        self._probe = Signal(range(self.params.probes), name="probe")
        self._place = Signal(range(table.offset(1)), name="place")
        self._second = Signal(name="second")
        self._loads_low, self._loads_high, self._advances = (
            Signal(name=name) for name in ("loads_low", "loads_high", "advances")
        )
        m.d.comb += [
            # The head is not stored; it is used only when an access begins.
            self.request.region.eq(storage.row),
            self.request.offset.eq(self._offset(m)),
            self.words.payload.eq(self.data),
            storage.read_row.eq(Cat(self._place, self._probe)),
        ]
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(self.start | ~fsm.ongoing("Idle"))
            self._fetch(m)
            self._access(m)
        return m

    def _offset(self, m: Module) -> Signal:
        """Return the offset of the word, loaded in two halves."""
        offset = Signal(24)
        low, high, advances = self._loads_low, self._loads_high, self._advances
        following = up_or_load(offset, low | high, self._storage.row.replicate(2)[:24])
        with m.If(low | advances):
            m.d.sync += offset[:16].eq(following)
        with m.If(high | advances):
            m.d.sync += offset[16:].eq(following[16:])
        return offset

    def _fetch(self, m: Module):
        """Fetch a probe: its offset first, then its head."""
        storage, place = self._storage, self._place
        low, high = self._layout["offset"].words
        with m.State("Idle"):
            m.d.sync += self._probe.eq(0)
            with m.If(self.start):
                m.next = "Fetch"
        with m.State("Fetch"):
            m.d.comb += [place.eq(low), storage.read_en.eq(1)]
            m.next = "Low"
        with m.State("Low"):
            m.d.comb += [self._loads_low.eq(1), place.eq(high), storage.read_en.eq(1)]
            m.d.sync += self._second.eq(0)
            m.next = "High"
        with m.State("High"):
            m.d.comb += [self._loads_high.eq(1), storage.read_en.eq(1)]
            m.next = "Access"

    def _access(self, m: Module):
        """Read the probe's words; a probe of one word has 0 as its second."""
        with m.State("Access"):
            m.next = "Wait"
            with m.If(self._second & ~self._storage.row[self._layout["wide"].start]):
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
                m.d.comb += self._advances.eq(1)
                m.d.sync += self._second.eq(1)
                with m.If(self._second):
                    m.next = "Next"
        with m.State("Head"):
            m.d.comb += self._storage.read_en.eq(1)
            m.next = "Access"
        with m.State("Next"):
            m.d.sync += self._probe.eq(self._probe + 1)
            m.next = "Fetch"
            with m.If(self._probe + 1 == self.count):
                m.next = "Idle"
