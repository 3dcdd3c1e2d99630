"""From the line's bytes to payload bytes: flags, escapes, check sum."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from synloom.contract.frames import ESCAPE, FLAG, MAX_PAYLOAD, STUFF
from synloom_hdl.link.crc import CRC_GOOD, Crc16

__all__ = ["HEADER_BYTES", "Deframer"]

HEADER_BYTES = 2
"""Bytes that every payload has: a command's sequence number and op."""

_CRC_BYTES = 2


class Deframer(wiring.Component):
    """Find frames in a byte stream, undo the stuffing and judge each frame.

    Bytes before the first flag are ignored. Every byte of a frame leaves by `puts`, the two of the check sum
    included; at the closing flag the frame is either committed or dropped. Wrong are: a check sum
    that does not fit, a payload under HEADER_BYTES or over MAX_PAYLOAD bytes, an escape right before the
    flag. No latency; after a byte `i` waits for a clock, so that a FIFO may be read meanwhile.

    Members
    -------
    i : In(stream of 8 bits)
        From the line.
    puts : Out(1)
        `data` is the frame's next byte; never more than MAX_PAYLOAD + 3 a frame, and not in two clocks in
        succession.
    data : Out(8)
        The byte.
    commits : Out(1)
        The frame is right; `length` is valid.
    length : Out(8)
        Bytes of its payload, less HEADER_BYTES.
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
        m.submodules.crc = crc = Crc16()

        is_flag, is_escape = Signal(), Signal()
        inside, begun, escaped = Signal(), Signal(), Signal()
        # From the header's and the check sum's bytes below zero: without them it is the length.
        count = Signal(9, init=(1 << 9) - HEADER_BYTES - _CRC_BYTES)
        too_long, good = Signal(), Signal()
        assert MAX_PAYLOAD - HEADER_BYTES == 0xFE

        taken = Signal()
        m.d.sync += self.i.ready.eq(~taken)
        m.d.comb += [
            taken.eq(self.i.valid & self.i.ready),
            is_flag.eq(taken & (self.i.payload == FLAG)),
            is_escape.eq((self.i.payload == ESCAPE) & ~escaped),
            self.data.eq(self.i.payload ^ (escaped << (STUFF.bit_length() - 1))),
            self.puts.eq(taken & inside & ~is_flag & ~is_escape & ~too_long),
            self.length.eq(count),
            too_long.eq(count == 0xFF),
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
