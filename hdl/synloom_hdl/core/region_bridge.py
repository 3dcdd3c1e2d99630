"""The bridge from the bus to the regions: one access at a time, of the host or of the probes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from synloom.contract import ArrayParams
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom_hdl.core.shared_memory import ACCESS_CLOCKS, ACCESS_WRITE_CLOCK, AccessSignature
from synloom_hdl.core_interface import BusRequest

__all__ = ["RegionBridge"]


class RegionBridge(wiring.Component):
    """Selects one region for `ACCESS_CLOCKS` clocks, or longer if the region holds the access.

    Regions that do not exist, and offsets beyond a region, read 0.

    Parameters
    ----------
    params : ArrayParams
        Sizes of the regions.
    regions : iterable of Region
        Those that exist.

    Members
    -------
    start : In(1), request : In(BusRequest)
        Begins an access; ignored while busy. With single-ported weights, whose devices have few registers,
        the request stays as it is until `done`.
    busy : Out(1)
    done : Out(1), data : Out(16)
        The access is complete; `data` is what was read. The region is no longer selected in this clock.
    written : Out(1)
        This access was a write.
    REGION : Out(AccessSignature)
        A port for each region, named like it in lower case.
    """

    def __init__(self, params: ArrayParams, regions: Iterable[Region]):
        self.params = params
        self._regions = tuple(regions)
        super().__init__(
            {
                "start": In(1),
                "request": In(BusRequest),
                "busy": Out(1),
                "done": Out(1),
                "data": Out(16),
                "written": Out(1),
                **{r.name.lower(): Out(AccessSignature()) for r in self._regions},
            }
        )

    def elaborate(self, platform):
        m = Module()
        clock = Signal(range(ACCESS_CLOCKS))
        stored = not self.params.single_port
        request = Signal(BusRequest) if stored else self.request
        comes, held, last = Signal(), Signal(), Signal()
        ports = {region: getattr(self, region.name.lower()) for region in self._regions}
        m.d.comb += [
            held.eq(Cat(port.hold for port in ports.values()).any()),
            comes.eq((clock == ACCESS_WRITE_CLOCK - 1) | held),
            last.eq(clock == ACCESS_CLOCKS - 1),
            self.written.eq(self.done & request.write),
        ]
        # Registers, since these signals come from all regions or go to all of them.
        m.d.sync += [self.done.eq(last), self.data.eq(reduce(or_, (port.q for port in ports.values())))]
        with m.If(self.busy & ~held & ~self.done):
            m.d.sync += clock.eq(Mux(last, 0, clock + 1))
        with m.If(self.done):
            m.d.sync += self.busy.eq(0)
        with m.If(self.start & ~self.busy):
            m.d.sync += self.busy.eq(1)
            if stored:
                m.d.sync += request.eq(self.request)

        # Decided when the request arrives, so that `select`, which goes to every memory, is a register.
        fits = self._fits(m, self.request.offset)
        due, write = Signal(), Signal()
        m.d.sync += [due.eq(comes), write.eq(comes & request.write)]
        for region, port in ports.items():
            with m.If(last):
                m.d.sync += port.select.eq(0)
            with m.If(self.start & ~self.busy):
                m.d.sync += port.select.eq((self.request.region == region) & fits[region])
            if stored:
                m.d.sync += [
                    port.due.eq(comes & port.select),
                    port.write.eq(comes & port.select & request.write),
                ]
            else:
                m.d.comb += [port.due.eq(due & port.select), port.write.eq(write & port.select)]
            m.d.comb += [port.offset.eq(request.offset), port.data.eq(request.data)]
        return m

    def _fits(self, m: Module, offset) -> dict[Region, Signal]:
        """Return for each region whether an offset has no more bits than the region's offsets."""
        widths = {region: ceil_log2(memory_of(self.params, region).size) for region in self._regions}
        fits = {len(offset): 1}
        for width in sorted(set(widths.values()) - set(fits), reverse=True):
            wider = min(other for other in fits if other > width)
            fits[width] = Signal(name=f"fits{width}")
            m.d.comb += fits[width].eq(fits[wider] & ~offset[width:wider].any())
        return {region: fits[width] for region, width in widths.items()}
