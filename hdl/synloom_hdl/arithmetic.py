"""Combinational arithmetic that several blocks use."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from amaranth.hdl import Array, Cat, Const, Mux, Value
from amaranth.utils import ceil_log2

from synloom_hdl.pipeline import staged

__all__ = ["choose", "minimum", "popcount", "rounded_shift", "saturated", "times"]


@staged
def popcount(bits: Value) -> Value:
    """Return the number of ones, as a balanced tree of adders."""
    terms = [bits[n] for n in range(len(bits))] or [Const(0, 1)]
    while len(terms) > 1:
        pairs = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(terms) & ~1 :]
    return terms[0]


def choose(values: Sequence[Value | None], index: Value) -> Value:
    """Return ``values[index]`` as a tree of multiplexers, one level for each bit of the index.

    It is smaller than an `Array`, which decodes every index. Where there is no value (None, or beyond the
    end) the result is one of the others.
    """
    for bit in index[: ceil_log2(len(values))]:
        pairs = zip_longest(values[::2], values[1::2])
        values = [a if b is None else b if a is None else Mux(bit, b, a) for a, b in pairs]
    return values[0]


@staged
def minimum(value: Value, top: int) -> Value:
    """Return the smaller of an unsigned value and a constant."""
    return Mux(value > top, top, value)


@staged
def rounded_shift(product: Value, exponent: Value) -> Value:
    """Return ``(product + 2**(s-1)) >> s`` with s = 16 + 4 * exponent: rounded, halves up."""
    # The bit below the cut is the half; it is chosen along, so that there is one adder.
    cut = Array([product >> (s - 1) for s in (16, 20, 24, 28)])[exponent]
    return (cut >> 1) + cut[0]


def saturated(value: Value, bits: int) -> tuple[Value, Value]:
    """Return a signed value clipped to ``-SMAX..SMAX`` with SMAX = 2**(bits-1) - 1, and whether it was.

    The range is symmetric, so that a few bits tell what is outside, without a subtraction.
    """
    sign, rest, low = value[-1], value[bits - 1 : -1], value[: bits - 1]
    above = ~sign & rest.any()
    below = sign & ~(rest.all() & low.any())
    clipped = Cat(low[0] | above | below, *[(bit | above) & ~below for bit in low[1:]], sign)
    return clipped.as_signed(), above | below


def times(value: Value, factor: int) -> Value:
    """Return a value times a constant, as a sum of shifts: synthesis would use a multiplier."""
    shifts = [n for n in range(factor.bit_length()) if factor >> n & 1]
    return sum((value << n for n in shifts[1:]), value << shifts[0])
