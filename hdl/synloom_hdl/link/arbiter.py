"""Two sources of frames share one line, frame by frame."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom_hdl.link.layouts import FrameByte

__all__ = ["FrameArbiter"]


class FrameArbiter(wiring.Component):
    """Let frames of replies and of records take turns; a frame once begun is finished.

    A byte a clock; to choose takes one.

    Members
    -------
    replies, records : In(stream of FrameByte)
        The sources.
    o : Out(stream of FrameByte)
        Their frames, in the order in which they began.
    busy : Out(1)
        A frame is open.
    """

    replies: In(stream.Signature(FrameByte))
    records: In(stream.Signature(FrameByte))
    o: Out(stream.Signature(FrameByte))
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()
        # What was chosen last, also between two frames.
        is_records = Signal()
        m.d.comb += [
            self.o.payload.eq(Mux(is_records, self.records.payload, self.replies.payload)),
            self.o.valid.eq(self.busy & Mux(is_records, self.records.valid, self.replies.valid)),
            self.records.ready.eq(self.busy & is_records & self.o.ready),
            self.replies.ready.eq(self.busy & ~is_records & self.o.ready),
        ]
        with m.If(~self.busy):
            m.d.sync += [
                self.busy.eq(self.records.valid | self.replies.valid),
                is_records.eq(self.records.valid & ~(is_records & self.replies.valid)),
            ]
        with m.Elif(self.o.valid & self.o.ready & self.o.p.last):
            m.d.sync += self.busy.eq(0)
        return m
