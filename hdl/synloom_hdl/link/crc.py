"""The checksum of frames: CRC-16/X-25 (ISO/IEC 13239, RFC 1662), one byte a clock."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CRC_GOOD", "CRC_START", "Crc16", "following"]

CRC_START = 0xFFFF
CRC_GOOD = 0xF0B8
"""The remainder after a payload and its inverted checksum, low byte first."""


def following(crc, byte):
    """Return the checksum after one more byte; integers or Values.

    Divides by x**16 + x**12 + x**5 + 1, eight bits at once. Once the low byte is folded by 4, each bit is the
    sum of at most three.
    """
    low = (crc ^ byte) & 0xFF
    folded = (low ^ (low << 4)) & 0xFF
    return (crc >> 8) ^ (folded << 8) ^ (folded << 3) ^ (folded >> 4)


class Crc16(wiring.Component):
    """The checksum of the bytes so far, not inverted.

    Members
    -------
    start : In(1)
        Begin anew.
    puts : In(1), data : In(8)
        Include a byte; ignored with `start`.
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
