"""Two sources of frames share one line, frame by frame."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom_hdl.link.layouts import FrameByte

__all__ = ["FrameArbiter"]


class FrameArbiter(wiring.Component):
    """Let frames of replies and of records take turns; a frame once begun is finished.

    The output is a register, so that what is behind does not add to the time of what is before: a byte every
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
