"""Two sources of frames take turns at one line."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom_hdl.link.layouts import FrameByte

__all__ = ["FrameArbiter"]


class FrameArbiter(wiring.Component):
    """Merge the frames of replies and of records, and put the session before each.

    A frame that has begun is completed first.

    The output is a register, which separates the delays before it from those behind it. It takes a byte every
    two clocks.

    Members
    -------
    replies, records : In(stream of FrameByte)
        The sources.
    session : In(16)
        The first two bytes of every frame, low byte first.
    o : Out(stream of FrameByte)
        Their frames, in the order in which they began.
    busy : Out(1)
        A frame is open or its last byte waits.
    """

    replies: In(stream.Signature(FrameByte))
    records: In(stream.Signature(FrameByte))
    session: In(16)
    o: Out(stream.Signature(FrameByte))
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()
        # What was chosen last, also between two frames.
        is_open, is_records = Signal(), Signal()
        chosen = Signal(FrameByte)
        takes, valid = Signal(), Signal()
        # Which bytes of the session are still to come.
        low, high = Signal(), Signal()
        m.d.comb += [
            self.busy.eq(is_open | self.o.valid),
            chosen.eq(Mux(is_records, self.records.payload, self.replies.payload)),
            valid.eq(Mux(is_records, self.records.valid, self.replies.valid) | high),
            takes.eq(is_open & ~self.o.valid),
            self.records.ready.eq(takes & is_records & ~high),
            self.replies.ready.eq(takes & ~is_records & ~high),
        ]
        m.d.sync += self.o.valid.eq((takes & valid) | (self.o.valid & ~self.o.ready))
        with m.If(takes):
            m.d.sync += [low.eq(0), high.eq(low), self.o.payload.eq(chosen)]
            with m.If(high):
                m.d.sync += [
                    self.o.p.data.eq(Mux(low, self.session[:8], self.session[8:])),
                    self.o.p.last.eq(0),
                ]
        with m.If(~is_open):
            m.d.sync += [
                low.eq(1),
                high.eq(1),
                is_open.eq(self.records.valid | self.replies.valid),
                is_records.eq(self.records.valid & ~(is_records & self.replies.valid)),
            ]
        with m.Elif(takes & valid & chosen.last & ~high):
            m.d.sync += is_open.eq(0)
        return m
