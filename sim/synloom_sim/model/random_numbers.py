"""Random numbers: words of the sequence ``s[n + 64] = s[n] ^ s[n + 12] ^ s[n + 25] ^ s[n + 31]``.

A state is 64 bits of the sequence, the first one lowest (Tausworthe 1965). Every later bit is a linear
function of the state, so a jump and the numbers of many positions are each the xor of one table entry for
each of the state's bytes.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import xor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "GENERATOR_BITS",
    "GROUP",
    "ROUNDING_BITS",
    "Jump",
    "Numbers",
    "advance",
    "by_digits",
    "unit_states",
]

GENERATOR_BITS: Final = 30
"""Bits of a generator's number."""

ROUNDING_BITS: Final = 12
"""Bits of a number of stochastic rounding."""

GROUP: Final = 16
"""Stochastic rounding takes whole groups of so many numbers."""

States = npt.NDArray[np.uint64]
_MOST: Final = 33
"""Bits that follow from a state at once: 64 less the last tap."""


def advance(states: States, bits: int) -> States:
    """Return the states, (n,) uint64, that begin `bits` later in their sequences."""
    while bits:
        now = min(bits, _MOST)
        fresh = states ^ states >> np.uint64(12) ^ states >> np.uint64(25) ^ states >> np.uint64(31)
        states = states >> np.uint64(now) | fresh << np.uint64(64 - now)
        bits -= now
    return states


def unit_states() -> States:
    """Return the 64 states with one bit, (64,) uint64: what linear functions are made of."""
    return np.uint64(1) << np.arange(64, dtype=np.uint64)


def by_digits(units: npt.NDArray[Any], width: int = 8) -> npt.NDArray[Any]:
    """Return a linear function by the value of each digit of a state, from that of each bit, (64, ...).

    The result is (64 / width, 2**width, ...) for digits of `width` bits, the lowest first.
    """
    digits = 64 // width
    bits = units.reshape(digits, width, *units.shape[1:])
    table = np.zeros((digits, 1 << width, *units.shape[1:]), dtype=units.dtype)
    for k in range(width):
        table[:, 1 << k : 2 << k] = table[:, : 1 << k] ^ bits[:, k, None]
    return table


class Jump:
    """The state some bits later, in a microsecond.

    Parameters
    ----------
    bits : int
        How far.
    """

    def __init__(self, bits: int):
        self._table: list[list[int]] = by_digits(advance(unit_states(), bits)).tolist()

    def __call__(self, state: int) -> int:
        """Return the state after `state`."""
        return reduce(
            xor, [row[byte] for row, byte in zip(self._table, state.to_bytes(8, "little"), strict=True)]
        )

    @staticmethod
    @cache
    def by(bits: int) -> Jump:
        """Return the jump by so many bits; it is made once."""
        return Jump(bits)


class Numbers:
    """The numbers of consecutive positions, for many states at once.

    Parameters
    ----------
    bits : int
        Width of a number, at most 32.
    """

    def __init__(self, bits: int):
        self._bits = bits
        self._dtype = np.uint16 if bits <= 16 else np.uint32
        self._next = unit_states()
        self._table = np.zeros((8, 256, 0), dtype=self._dtype)

    @staticmethod
    @cache
    def of(bits: int) -> Numbers:
        """Return the numbers of a width; their table is shared."""
        return Numbers(bits)

    def at(self, states: npt.ArrayLike, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the numbers of states (R,) at positions start..stop-1, (R, stop - start), unsigned."""
        if stop > self._table.shape[2]:
            self._extend(stop)
        places = np.asarray(states, dtype="<u8").view(np.uint8).reshape(-1, 8)
        numbers = self._table[0, places[:, 0], start:stop]
        for k in range(1, 8):
            numbers ^= self._table[k, places[:, k], start:stop]
        return numbers

    def _extend(self, stop: int) -> None:
        have = self._table.shape[2]
        stop = max(stop, min(2 * have, 4096))
        units = np.empty((64, stop - have), dtype=self._dtype)
        for p in range(stop - have):
            units[:, p] = self._next & np.uint64((1 << self._bits) - 1)
            self._next = advance(self._next, self._bits)
        self._table = np.concatenate([self._table, by_digits(units)], axis=2)
