"""From payloads to the line's bytes: check sum, stuffing, flags."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import crc, stream, wiring
from amaranth.lib.crc import catalog
from amaranth.lib.wiring import In, Out

from synloom.contract.frames import ESCAPE, FLAG, STUFF
from synloom_hdl.link.layouts import FrameByte

__all__ = ["Framer"]


class Framer(wiring.Component):
    """Send each payload as `flag payload crc flag`, stuffed. One byte of the line a clock.

    Members
    -------
    i : In(stream of FrameByte)
        Payloads.
    o : Out(stream of 8 bits)
        The line.
    busy : Out(1)
        A frame is open.
    """

    i: In(stream.Signature(FrameByte))
    o: Out(stream.Signature(8))
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = check = crc.Processor(catalog.CRC16_X25(data_width=8))

        raw = Signal(8)
        escapes, escaped = Signal(), Signal()
        sent = Signal()

        m.d.comb += [
            escapes.eq(((raw == FLAG) | (raw == ESCAPE)) & ~escaped),
            sent.eq(self.o.valid & self.o.ready & ~escapes),
            self.o.payload.eq(Mux(escapes, ESCAPE, raw ^ (escaped << (STUFF.bit_length() - 1)))),
            check.data.eq(self.i.p.data),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += escaped.eq(escapes)

        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("Open"))
            with m.State("Open"):
                m.d.comb += [self.o.valid.eq(self.i.valid), self.o.payload.eq(FLAG), check.start.eq(1)]
                with m.If(sent):
                    m.next = "Payload"
            with m.State("Payload"):
                m.d.comb += [raw.eq(self.i.p.data), self.o.valid.eq(self.i.valid)]
                m.d.comb += [self.i.ready.eq(sent), check.valid.eq(sent)]
                with m.If(sent & self.i.p.last):
                    m.next = "Crc low"
            with m.State("Crc low"):
                m.d.comb += [raw.eq(check.crc[:8]), self.o.valid.eq(1)]
                with m.If(sent):
                    m.next = "Crc high"
            with m.State("Crc high"):
                m.d.comb += [raw.eq(check.crc[8:]), self.o.valid.eq(1)]
                with m.If(sent):
                    m.next = "Close"
            with m.State("Close"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(FLAG)]
                with m.If(sent):
                    m.next = "Open"
        return m
