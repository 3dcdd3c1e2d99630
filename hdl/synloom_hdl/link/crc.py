"""The frames' check sum: CRC-16/X-25, a byte a clock."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CRC_GOOD", "CRC_START", "Crc16", "following"]

CRC_START = 0xFFFF
CRC_GOOD = 0xF0B8
"""What is left after a payload and its inverted check sum, low byte first."""


def following(crc, byte):
    """Return the 16 bits after one more byte; integers or Values.

    Dividing by x**16 + x**12 + x**5 + 1 eight bits at once: with the low byte folded by 4, every bit is the
    sum of at most three.
    """
    low = (crc ^ byte) & 0xFF
    folded = (low ^ (low << 4)) & 0xFF
    return (crc >> 8) ^ (folded << 8) ^ (folded << 3) ^ (folded >> 4)


class Crc16(wiring.Component):
    """The check sum of the bytes so far, before its inversion.

    Members
    -------
    start : In(1)
        Forget all bytes.
    puts : In(1), data : In(8)
        A byte, if not `start`.
    value : Out(16)
    """

    start: In(1)
    puts: In(1)
    data: In(8)
    value: Out(16, init=CRC_START)

    def elaborate(self, platform):
        m = Module()
        with m.If(self.start):
            m.d.sync += self.value.eq(CRC_START)
        with m.Elif(self.puts):
            m.d.sync += self.value.eq(following(self.value, self.data))
        return m
