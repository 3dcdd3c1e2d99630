"""Two sources of frames take turns at one line."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom_hdl.link.layouts import FrameByte

__all__ = ["FrameArbiter"]


class FrameArbiter(wiring.Component):
    """Merge the frames of replies and of records; a frame that has begun is completed first.

    The output is a register, which separates the delays before it from those behind it. It takes a byte every
    two clocks.

    Members
    -------
    replies, records : In(stream of FrameByte)
        The sources.
    o : Out(stream of FrameByte)
        Their frames, in the order in which they began.
    busy : Out(1)
        A frame is open or its last byte waits.
    """

    replies: In(stream.Signature(FrameByte))
    records: In(stream.Signature(FrameByte))
    o: Out(stream.Signature(FrameByte))
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()
        # What was chosen last, also between two frames.
        is_open, is_records = Signal(), Signal()
        chosen = Signal(FrameByte)
        takes, valid = Signal(), Signal()
        m.d.comb += [
            self.busy.eq(is_open | self.o.valid),
            chosen.eq(Mux(is_records, self.records.payload, self.replies.payload)),
            valid.eq(Mux(is_records, self.records.valid, self.replies.valid)),
            takes.eq(is_open & ~self.o.valid),
            self.records.ready.eq(takes & is_records),
            self.replies.ready.eq(takes & ~is_records),
        ]
        m.d.sync += self.o.valid.eq((takes & valid) | (self.o.valid & ~self.o.ready))
        with m.If(takes):
            m.d.sync += self.o.payload.eq(chosen)
        with m.If(~is_open):
            m.d.sync += [
                is_open.eq(self.records.valid | self.replies.valid),
                is_records.eq(self.records.valid & ~(is_records & self.replies.valid)),
            ]
        with m.Elif(takes & valid & chosen.last):
            m.d.sync += is_open.eq(0)
        return m
