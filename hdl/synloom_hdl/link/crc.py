"""The checksum of frames: HDLC's CRC-32 (ISO/IEC 13239, RFC 1662), half a byte a clock."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CRC_GOOD", "CRC_START", "Crc32"]

CRC_START = 0xFFFF_FFFF
CRC_GOOD = 0xDEBB_20E3
"""The remainder after a payload and its inverted checksum, low byte first."""

_POLYNOMIAL = 0xEDB8_8320
"""x**32 + x**26 + x**23 + ... + x + 1 of IEEE 802.3, the lowest power in the highest bit."""
_NIBBLE = 4


def _remainder(nibble):
    """Return what a nibble becomes once it has moved out at the low end."""
    for _ in range(_NIBBLE):
        nibble = (nibble >> 1) ^ (_POLYNOMIAL if nibble & 1 else 0)
    return nibble


class Crc32(wiring.Component):
    """The checksum of the bytes so far, not inverted.

    A byte takes two clocks, as a UART gives it many more and eight bits at once cost three times the XORs.

    Members
    -------
    start : In(1)
        Begin anew.
    puts : In(1), data : In(8)
        Include a byte; ignored with `start`, and not allowed while `busy`.
    moves : In(1)
        With `puts`: drop the low byte instead, so that the next one takes its place.
    value : Out(32)
        Valid while not `busy`.
    busy : Out(1)
        The high half of a byte is being included.
    """

    start: In(1)
    puts: In(1)
    data: In(8)
    moves: In(1)
    value: Out(32, init=CRC_START)
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()
        kept, kept_moves = Signal(_NIBBLE), Signal()
        nibble, drops = Signal(_NIBBLE), Signal()
        out = Signal(_NIBBLE)
        m.d.comb += [
            nibble.eq(Mux(self.busy, kept, self.data)),
            drops.eq(Mux(self.busy, kept_moves, self.moves)),
            out.eq(Mux(drops, 0, self.value ^ nibble)),
        ]
        remainders = [_remainder(1 << k) for k in range(_NIBBLE)]
        folded = [
            reduce(xor, [out[k] for k in range(_NIBBLE) if remainders[k] >> bit & 1], above)
            for bit, above in enumerate([*self.value[_NIBBLE:], *[0] * _NIBBLE])
        ]
        m.d.sync += self.busy.eq(self.puts & ~self.start)
        with m.If(self.puts):
            m.d.sync += [kept.eq(self.data[_NIBBLE:]), kept_moves.eq(self.moves)]
        with m.If(self.start):
            m.d.sync += self.value.eq(CRC_START)
        with m.Elif(self.puts | self.busy):
            m.d.sync += self.value.eq(Cat(folded))
        return m
