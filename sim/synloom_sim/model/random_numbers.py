"""Random numbers: xorshift32 keys, and words of products in GF(2)[x] / (x**31 + x**3 + 1).

xorshift32 is by Marsaglia 2003. Multiplication by x is a step of a linear-feedback shift register, so that
multiplication by a power of x jumps ahead: all lanes of the gateware get their words in parallel.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["FieldWords", "draw_keys", "field_key", "xorshift32"]

_MASK32: Final = 0xFFFFFFFF
_MASK31: Final = 0x7FFFFFFF


def xorshift32(state: int) -> int:
    """Return the next state of xorshift32 with shifts 13, 17 and 5 (Marsaglia 2003)."""
    state ^= (state << 13) & _MASK32
    state ^= state >> 17
    return state ^ (state << 5) & _MASK32


def field_key(state: int) -> int:
    """Return the 31-bit key of a generator's state, which is never 0."""
    return state & _MASK31 or 1


def draw_keys(state: int, count: int) -> tuple[int, npt.NDArray[np.int64]]:
    """Advance a generator `count` times; return its last state and all keys, (count,) int64."""
    keys = np.empty(count, dtype=np.int64)
    for k in range(count):
        state = xorshift32(state)
        keys[k] = state & _MASK31 or 1
    return state, keys


class FieldWords:
    """The low `bits` bits of `key * x**(bits * p)` in GF(2**31), for many positions p at once.

    The product is linear in the key, so it is the xor of one table entry for each of the four bytes of the
    key.

    Parameters
    ----------
    bits : int
        Width of a word and step of the exponent, at most 16.
    """

    def __init__(self, bits: int):
        self._bits = bits
        bytes_of_key = np.arange(256, dtype=np.int64) << 8 * np.arange(4, dtype=np.int64)[:, None]
        self._next = bytes_of_key & _MASK31
        self._table: npt.NDArray[np.uint16] = np.zeros((4, 256, 0), dtype=np.uint16)

    def words(self, keys: npt.ArrayLike, start: int, stop: int) -> npt.NDArray[np.uint16]:
        """Return the words of keys (R,) at positions start..stop-1, (R, stop - start) uint16."""
        if stop > self._table.shape[2]:
            self._extend(stop)
        bytes_of_key = np.asarray(keys, dtype="<u4").view(np.uint8).reshape(-1, 4)
        words: npt.NDArray[np.uint16] = self._table[0].take(bytes_of_key[:, 0], axis=0)
        for k in (1, 2, 3):
            words ^= self._table[k].take(bytes_of_key[:, k], axis=0)
        return words[:, start:stop]

    def _extend(self, stop: int) -> None:
        have = self._table.shape[2]
        table = np.empty((4, 256, stop), dtype=np.uint16)
        table[:, :, :have] = self._table
        low = (1 << self._bits) - 1
        for p in range(have, stop):
            table[:, :, p] = self._next & low
            high = self._next >> (31 - self._bits)
            # x**31 = x**3 + 1 reduces the bits shifted out at the top.
            self._next = (self._next << self._bits) & _MASK31 ^ high ^ high << 3
        self._table = table
