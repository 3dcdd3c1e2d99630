"""Random numbers that any number of lanes can make at once (docs/numbers.md, random numbers).

A position's number is ``key * x**n`` in GF(2)[x] / (x**31 + x**3 + 1): multiplication by a constant power of
x is a linear map of the key's bits, so each lane has its own handful of XOR gates and all lanes agree by
construction.
"""

from __future__ import annotations

from functools import cache

from amaranth.hdl import Cat, Mux, Signal, Value

__all__ = ["FIELD_BITS", "field_key", "power_map", "times_power", "xorshift32"]

FIELD_BITS = 31
_TAP = 3


@cache
def power_map(power: int) -> tuple[int, ...]:
    """Return one mask per output bit: bit k of ``state * x**power`` is the parity of state & mask k."""
    columns = []
    for bit in range(FIELD_BITS):
        value = 1 << bit
        for _ in range(power):
            value <<= 1
            if value >> FIELD_BITS:
                value ^= 1 << FIELD_BITS | 1 << _TAP | 1
        columns.append(value)
    return tuple(
        sum(((column >> k) & 1) << bit for bit, column in enumerate(columns)) for k in range(FIELD_BITS)
    )


def times_power(state: Value, power: int, bits: int = FIELD_BITS) -> Value:
    """Return the low `bits` bits of ``state * x**power``."""
    outputs = []
    for mask in power_map(power)[:bits]:
        terms = [state[k] for k in range(FIELD_BITS) if mask >> k & 1]
        parity = terms[0]
        for term in terms[1:]:
            parity = parity ^ term
        outputs.append(parity)
    return Cat(*outputs)


def xorshift32(state: Value) -> Value:
    """Return the successor of a 32-bit Marsaglia xorshift state (shifts 13, 17, 5)."""
    a = state ^ (state << 13)[:32]
    b = a ^ (a >> 17)
    return b ^ (b << 5)[:32]


def field_key(state: Signal) -> Value:
    """Return the field element that a 32-bit generator state stands for; never 0."""
    low = state[:FIELD_BITS]
    return Mux(low == 0, 1, low)
