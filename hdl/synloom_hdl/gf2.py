"""Random numbers for any number of lanes at once (docs/numbers.md, random numbers).

The number of a position is ``key * x**n`` in GF(2)[x] / (x**31 + x**3 + 1). Multiplication by a constant
power of x is a linear map of the key's bits, so that all lanes read one sequence of bits and agree whatever
their number. The key comes from a xorshift generator (Marsaglia 2003).
"""

from __future__ import annotations

from functools import cache

from amaranth.hdl import Cat, Module, Mux, Signal, Value

__all__ = ["FIELD_BITS", "BitSequence", "field_key", "power_map", "times_power", "xorshift32"]

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
    """Return the next state of a 32-bit xorshift generator with shifts 13, 17, 5 (Marsaglia 2003)."""
    a = state ^ (state << 13)[:32]
    b = a ^ (a >> 17)
    return b ^ (b << 5)[:32]


def field_key(state: Signal) -> Value:
    """Return the element of the field that a generator's 32-bit state selects; never 0."""
    low = state[:FIELD_BITS]
    return Mux(low == 0, 1, low)


class BitSequence:
    """The lowest bits of ``key, key * x, key * x**2, ...`` as one sequence that all lanes read.

    Let ``b(t)`` be the lowest bit of ``key * x**t``. By the field's polynomial ``b(t) = b(t-31) ^ b(t-28)``,
    and bit k of ``key * x**t`` is ``b(t-k)`` for k < 3 and ``b(t-k) ^ b(t-k+3)`` for k >= 3. So 28 more bits
    cost 28 gates; a linear map for each bit of each lane would cost many times that.

    Parameters
    ----------
    m : Module
        Where the sequence is computed.
    key : Value
        The field element.
    length : int
        The largest power of x that `number` is asked for.
    registered : bool
        Numbers come from registers, a clock after the key; else in the same clock.
    """

    def __init__(self, m: Module, key: Value, length: int, *, registered: bool = True):
        # Blocks run backwards in t, so that the bits of a number, which do too, are neighbours.
        first = Signal(FIELD_BITS)
        m.d.comb += first.eq(Cat(times_power(key, t, 1) for t in range(FIELD_BITS, 0, -1)))
        self._last = FIELD_BITS
        self._bits = first
        blocks = [first]
        while self._last < length:
            block = Signal(FIELD_BITS - _TAP)
            behind, ahead = FIELD_BITS - _TAP, FIELD_BITS
            m.d.comb += block.eq(self._window(self._last + 1, ahead) ^ self._window(self._last + 1, behind))
            blocks.insert(0, block)
            self._last += len(block)
            self._bits = Cat(*blocks)
        self._key = key
        if not registered:
            return
        registers = [Signal.like(block) for block in blocks]
        m.d.sync += [register.eq(block) for register, block in zip(registers, blocks, strict=True)]
        self._key = Signal(FIELD_BITS)
        m.d.sync += self._key.eq(key)
        self._bits = Cat(*registers)

    def _window(self, start: int, back: int) -> Value:
        """Return b(t - back) for the block of t from `start` on."""
        end = start + FIELD_BITS - _TAP - 1 - back
        return self._bits[self._last - end :][: FIELD_BITS - _TAP]

    def number(self, power: int, bits: int) -> Value:
        """Return the low `bits` bits of ``key * x**power``."""
        if power == 0:
            return self._key[:bits]
        window = self._bits[self._last - power :][:bits]
        return Cat(window[:_TAP], window[_TAP:] ^ window[: bits - _TAP])
