"""From payloads to the line's bytes: checksum, byte stuffing, flags (HDLC: ISO/IEC 13239, RFC 1662)."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.frames import CHECK_BYTES, ESCAPE, FLAG, STUFF
from synloom_hdl.link.crc import Crc32
from synloom_hdl.link.layouts import FrameByte

__all__ = ["Framer"]


class Framer(wiring.Component):
    """Send each payload as `flag payload crc flag`, with byte stuffing, a byte every two clocks at most.

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
        m.submodules.crc = crc = Crc32()

        raw = Signal(8)
        is_flag, is_payload = Signal(), Signal()
        escapes, escaped = Signal(), Signal()
        moves, sent = Signal(), Signal()

        m.d.comb += [
            raw.eq(Mux(is_payload, self.i.p.data, ~crc.value[:8])),
            escapes.eq(~is_flag & ((raw == FLAG) | (raw == ESCAPE)) & ~escaped),
            moves.eq(self.o.valid & self.o.ready),
            sent.eq(moves & ~escapes),
            self.o.payload.eq(
                Mux(is_flag, FLAG, Mux(escapes, ESCAPE, raw ^ (escaped << (STUFF.bit_length() - 1))))
            ),
            crc.start.eq(is_flag),
            crc.puts.eq(sent),
            crc.data.eq(self.i.p.data),
            crc.moves.eq(~is_payload),
        ]
        with m.If(moves):
            m.d.sync += escaped.eq(escapes)

        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("Open"))
            with m.State("Open"):
                m.d.comb += [is_flag.eq(1), self.o.valid.eq(self.i.valid)]
                with m.If(sent):
                    m.next = "Payload"
            with m.State("Payload"):
                m.d.comb += [
                    is_payload.eq(1),
                    self.o.valid.eq(self.i.valid & ~crc.busy),
                    self.i.ready.eq(sent),
                ]
                with m.If(sent & self.i.p.last):
                    m.next = "Crc 0"
            for k in range(CHECK_BYTES):
                with m.State(f"Crc {k}"):
                    m.d.comb += self.o.valid.eq(~crc.busy)
                    with m.If(sent):
                        m.next = f"Crc {k + 1}" if k + 1 < CHECK_BYTES else "Close"
            with m.State("Close"):
                m.d.comb += [is_flag.eq(1), self.o.valid.eq(1)]
                with m.If(sent):
                    m.next = "Open"
        return m
