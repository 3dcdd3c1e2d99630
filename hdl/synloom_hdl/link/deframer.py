"""From the line's bytes to payload bytes: flags, escapes, check sum."""

from amaranth.hdl import Module, Signal
from amaranth.lib import crc, stream, wiring
from amaranth.lib.crc import catalog
from amaranth.lib.wiring import In, Out

from synloom.contract.frames import ESCAPE, FLAG, MAX_PAYLOAD, STUFF

__all__ = ["Deframer"]

_CRC_BYTES = 2
_SHORTEST = 2 + _CRC_BYTES
_LONGEST = MAX_PAYLOAD + _CRC_BYTES


class Deframer(wiring.Component):
    """Find frames in a byte stream, undo the stuffing and judge each frame.

    Bytes before the first flag are ignored. Every byte of a frame leaves by `puts`, the two of the check sum
    included; at the closing flag the frame is either committed or dropped. Wrong are: a check sum
    that does not fit, a payload under 2 or over MAX_PAYLOAD bytes, an escape right before the flag.
    One byte a clock, always ready, two clocks of latency.

    Members
    -------
    i : In(stream of 8 bits)
        From the line; `ready` is always high.
    puts : Out(1)
        `data` is the frame's next byte; never more than MAX_PAYLOAD + 2 a frame.
    data : Out(8)
        The byte.
    commits : Out(1)
        The frame is right; `length` is valid.
    length : Out(8)
        Bytes of its payload, less one.
    drops : Out(1)
        The frame is wrong.
    busy : Out(1)
        A byte is being looked at.
    """

    i: In(stream.Signature(8))
    puts: Out(1)
    data: Out(8)
    commits: Out(1)
    length: Out(8)
    drops: Out(1)
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = check = crc.Processor(catalog.CRC16_X25(data_width=8))

        arrived, byte = Signal(), Signal(8)
        is_flag, is_escape = Signal(), Signal()
        inside, escaped = Signal(), Signal()
        count = Signal(range(_LONGEST + 2))
        too_long = Signal()
        good = Signal()

        m.d.comb += [
            self.i.ready.eq(1),
            self.busy.eq(arrived),
            self.data.eq(byte ^ (escaped << (STUFF.bit_length() - 1))),
            self.length.eq(count - (_CRC_BYTES + 1)),
            too_long.eq(count == _LONGEST + 1),
            good.eq(check.match_detected & ~escaped & (count >= _SHORTEST) & ~too_long),
            check.data.eq(self.data),
        ]
        m.d.sync += [
            arrived.eq(self.i.valid),
            byte.eq(self.i.payload),
            is_flag.eq(self.i.payload == FLAG),
            is_escape.eq(self.i.payload == ESCAPE),
        ]

        with m.If(arrived & is_flag):
            m.d.comb += check.start.eq(1)
            m.d.sync += [inside.eq(1), escaped.eq(0), count.eq(0)]
            with m.If(inside & ((count != 0) | escaped)):
                m.d.comb += [self.commits.eq(good), self.drops.eq(~good)]
        with m.Elif(arrived & is_escape & ~escaped):
            m.d.sync += escaped.eq(1)
        with m.Elif(arrived & inside):
            m.d.sync += escaped.eq(0)
            with m.If(~too_long):
                m.d.comb += [self.puts.eq(count != _LONGEST), check.valid.eq(1)]
                m.d.sync += count.eq(count + 1)
        return m
