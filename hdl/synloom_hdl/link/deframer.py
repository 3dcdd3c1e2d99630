"""From the line's bytes to payloads: flags, byte stuffing, checksum (HDLC: ISO/IEC 13239, RFC 1662)."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.frames import CHECK_BYTES, COMMAND_HEADER, ESCAPE, FLAG, MAX_PAYLOAD, STUFF
from synloom_hdl.link.crc import CRC_GOOD, Crc32

__all__ = ["Deframer"]


class Deframer(wiring.Component):
    """Find frames in a byte stream, undo the stuffing and judge each frame.

    Bytes before the first flag are ignored. `puts` gives every byte of a frame, those of the checksum
    included; at the closing flag the frame is committed or dropped. It is dropped if the checksum is wrong,
    if the payload has fewer than COMMAND_HEADER or more than MAX_PAYLOAD bytes, or if an escape precedes the
    flag. There is no latency. After each byte `i` waits for a clock, in which a FIFO may be read.

    Members
    -------
    i : In(stream of 8 bits)
        From the line.
    puts : Out(1)
        `data` is the frame's next byte. A frame has at most MAX_PAYLOAD + CHECK_BYTES + 1, and never two in
        successive clocks.
    data : Out(8)
        The byte.
    commits : Out(1)
        The frame is correct; `length` is valid.
    length : Out(8)
        Bytes of the payload minus COMMAND_HEADER.
    drops : Out(1)
        The frame is wrong.
    """

    i: In(stream.Signature(8))
    puts: Out(1)
    data: Out(8)
    commits: Out(1)
    length: Out(8)
    drops: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = Crc32()

        is_flag, is_escape = Signal(), Signal()
        inside, begun, escaped = Signal(), Signal(), Signal()
        # Starts below zero by the bytes of header and checksum, which the length does not count.
        count = Signal(9, init=(1 << 9) - COMMAND_HEADER - CHECK_BYTES)
        too_long, good = Signal(), Signal()

        taken = Signal()
        m.d.sync += self.i.ready.eq(~taken)
        m.d.comb += [
            taken.eq(self.i.valid & self.i.ready),
            is_flag.eq(taken & (self.i.payload == FLAG)),
            is_escape.eq((self.i.payload == ESCAPE) & ~escaped),
            self.data.eq(self.i.payload ^ (escaped << (STUFF.bit_length() - 1))),
            self.puts.eq(taken & inside & ~is_flag & ~is_escape & ~too_long),
            self.length.eq(count),
            too_long.eq(count == MAX_PAYLOAD - COMMAND_HEADER + 1),
            good.eq((crc.value == CRC_GOOD) & ~escaped & ~count[8] & ~too_long),
            self.commits.eq(is_flag & begun & good),
            self.drops.eq(is_flag & begun & ~good),
            crc.start.eq(is_flag),
            crc.puts.eq(self.puts),
            crc.data.eq(self.data),
        ]
        with m.If(is_flag):
            m.d.sync += [inside.eq(1), begun.eq(0), escaped.eq(0), count.eq(count.init)]
        with m.Elif(taken):
            m.d.sync += [begun.eq(inside), escaped.eq(is_escape)]
            with m.If(self.puts):
                m.d.sync += count.eq(count + 1)
        return m
