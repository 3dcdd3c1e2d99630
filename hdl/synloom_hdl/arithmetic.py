"""Combinational arithmetic that several blocks use."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from amaranth.hdl import Cat, Const, Mux, Value
from amaranth.utils import ceil_log2

from synloom_hdl.pipeline import staged

__all__ = ["below", "choose", "decay_dither", "decay_shift", "minimum", "popcount", "saturated", "times"]


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
def below(value: Value, limit: int) -> Value:
    """Return whether an unsigned value is less than a constant.

    Synthesis makes a carry chain of a comparison, which is a cell for each bit. This is a chain of gates,
    which takes one for three bits.
    """
    if limit >> len(value):
        return Const(1, 1)
    is_below: Value = Const(0, 1)
    for k, bit in enumerate(value):
        is_below = ~bit | is_below if limit >> k & 1 else ~bit & is_below
    return is_below


@staged
def minimum(value: Value, top: int) -> Value:
    """Return the smaller of an unsigned value and a constant."""
    if top & (top + 1) == 0:
        # All ones: the higher bits only set those.
        bits = top.bit_length()
        return (value | value[bits:].any().replicate(len(value)))[:bits]
    return Mux(below(value, top), value, top)


@staged
def decay_dither(word: Value, exponent: Value) -> Value:
    """Return ``word mod 2**s`` with s = 16 + 4 * min(exponent, 4): the dither of a decay."""
    reaches = [exponent.any(), exponent[1:].any(), exponent[2] | exponent[:2].all(), exponent[2]]
    parts = [word[16 + 4 * k : 20 + 4 * k] & reached.replicate(4) for k, reached in enumerate(reaches)]
    return Cat(word[:16], *parts)


@staged
def decay_shift(total: Value, exponent: Value, width: int) -> Value:
    """Return the low bits of ``total >> s`` with s = 16 + 4 * min(exponent, 4): the loss of a decay."""
    cuts = [(total >> s)[:width] for s in (16, 20, 24, 28, 32)]
    return Mux(exponent[2], cuts[4], choose(cuts[:4], exponent[:2]))


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
