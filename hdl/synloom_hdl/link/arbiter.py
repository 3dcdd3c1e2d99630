"""Two sources of frames share one line, frame by frame."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom_hdl.link.layouts import FrameByte

__all__ = ["FrameArbiter"]


class FrameArbiter(wiring.Component):
    """Let frames of replies and of records take turns; a frame once begun is finished.

    The output is registered: a byte every two clocks.

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
        records_next = Signal()

        def forward(source):
            m.d.comb += source.ready.eq(~self.o.valid)
            with m.If(source.valid & ~self.o.valid):
                m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(source.payload)]
                with m.If(source.p.last):
                    m.next = "Choose"

        with m.If(self.o.valid & self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("Choose") | self.o.valid)
            with m.State("Choose"):
                with m.If(self.records.valid & (records_next | ~self.replies.valid)):
                    m.d.sync += records_next.eq(0)
                    m.next = "Records"
                with m.Elif(self.replies.valid):
                    m.d.sync += records_next.eq(1)
                    m.next = "Replies"
            with m.State("Replies"):
                forward(self.replies)
            with m.State("Records"):
                forward(self.records)
        return m
