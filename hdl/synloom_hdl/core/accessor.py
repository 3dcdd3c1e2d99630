"""Carries single accesses, of the host or of the probes, to the regions."""

from __future__ import annotations

from collections.abc import Iterable

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.regions import Region
from synloom_hdl.core.access import ACCESS_CLOCKS, ACCESS_WRITE_CLOCK, AccessSignature
from synloom_hdl.ports import BusRequest

__all__ = ["Accessor"]


class Accessor(wiring.Component):
    """One access at a time, `ACCESS_CLOCKS` clocks each; regions that do not exist read 0.

    Members
    -------
    start : In(1), request : In(BusRequest)
        Begins an access; ignored while busy.
    busy : Out(1)
    done : Out(1), data : Out(16)
        The access is complete in this clock, with what was read.
    written : Out(1)
        This access was a write.
    REGION : Out(AccessSignature)
        A port for each region, named like it in lower case.
    """

    def __init__(self, regions: Iterable[Region]):
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
        request = Signal(BusRequest)
        with m.If(self.busy):
            m.d.sync += clock.eq(clock + 1)
            with m.If(clock == ACCESS_CLOCKS - 1):
                m.d.sync += [self.busy.eq(0), clock.eq(0)]
                m.d.comb += self.done.eq(1)
        with m.Elif(self.start):
            m.d.sync += [self.busy.eq(1), request.eq(self.request)]
        m.d.comb += self.written.eq(self.done & request.write)
        for region in self._regions:
            port = getattr(self, region.name.lower())
            chosen = Signal(name=f"{region.name.lower()}_chosen")
            m.d.comb += [
                chosen.eq(request.region == region),
                port.select.eq(self.busy & chosen),
                port.offset.eq(request.offset),
                port.write.eq(request.write & (clock == ACCESS_WRITE_CLOCK)),
                port.data.eq(request.data),
            ]
            with m.If(chosen):
                m.d.comb += self.data.eq(port.q)
        return m
