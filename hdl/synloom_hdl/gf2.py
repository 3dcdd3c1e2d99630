"""Random numbers for any number of lanes at once (docs/numbers.md, random numbers).

They are words of one sequence of bits, ``s[n + 64] = s[n] ^ s[n + 12] ^ s[n + 25] ^ s[n + 31]`` (Tausworthe
1965), so a bit costs one four-input gate, and all lanes agree whatever their number.
"""

from __future__ import annotations

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Module, Signal, Value

__all__ = ["GENERATOR_BITS", "GROUP", "ROUNDING_BITS", "STATE_BITS", "BitSequence"]

STATE_BITS = 64
"""Bits of a state, a window of the sequence."""

GENERATOR_BITS = 30
"""Bits of a generator's number."""

ROUNDING_BITS = 12
"""Bits of a number of stochastic rounding."""

GROUP = 16
"""Stochastic rounding takes whole groups of so many numbers."""

_TAPS = (0, 12, 25, 31)


class BitSequence:
    """The bits of the sequence from a state on.

    Squared, the polynomial gives ``s[n + 128] = s[n] ^ s[n + 24] ^ s[n + 50] ^ s[n + 62]``, and so on: from
    the 128th on a bit needs only bits that are at least 66 before it. So the gates in a row grow with the
    logarithm of the length.

    Parameters
    ----------
    m : Module
        Where the sequence is computed.
    state : Value
        Its first 64 bits.
    length : int
        How many bits are needed.
    """

    def __init__(self, m: Module, state: Value, length: int):
        blocks, have = [state], STATE_BITS
        while have < length:
            scale = 1 << (have // (2 * STATE_BITS)).bit_length()
            block = Signal(min((STATE_BITS - _TAPS[-1]) * scale, length - have), name=f"bits{have}")
            bits, first = Cat(*blocks), have - STATE_BITS * scale
            m.d.comb += block.eq(reduce(xor, (bits[first + tap * scale :][: len(block)] for tap in _TAPS)))
            blocks.append(block)
            have += len(block)
        self._bits = Cat(*blocks)

    def window(self, first: int, bits: int = STATE_BITS) -> Value:
        """Return so many bits from the one with number `first` on: a number, or a later state."""
        return self._bits[first : first + bits]
