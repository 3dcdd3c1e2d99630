"""Random numbers: xorshift32, and the words of a product in GF(2)[x] / (x**31 + x**3 + 1)."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["FieldWords", "field_key", "xorshift32"]

_MASK32: Final = 0xFFFFFFFF
_MASK31: Final = 0x7FFFFFFF
_FIRST_LENGTH: Final = 64


def xorshift32(state: int) -> int:
    """Return the state of Marsaglia's xorshift32 after `state`."""
    state ^= (state << 13) & _MASK32
    state ^= state >> 17
    return state ^ (state << 5) & _MASK32


def field_key(state: int) -> int:
    """Return the 31-bit key, never 0, that a generator's state stands for."""
    return state & _MASK31 or 1


class FieldWords:
    """The low `bits` bits of `key * x**(bits * p)` for many p at once.

    The product is linear in the key, so it is the xor of one table entry for each of the key's
    four bytes.

    Parameters
    ----------
    bits : int
        Width of a word, which is also the step of the exponent: at most 16.
    """

    def __init__(self, bits: int):
        self._bits = bits
        bytes_of_key = np.arange(256, dtype=np.int64) << 8 * np.arange(4, dtype=np.int64)[:, None]
        self._next = bytes_of_key & _MASK31
        self._table: npt.NDArray[np.uint16] = np.zeros((4, 256, 0), dtype=np.uint16)

    def words(self, keys: npt.ArrayLike, start: int, stop: int) -> npt.NDArray[np.uint16]:
        """Return the words of each key (R,) for p in start..stop-1 as (R, stop - start) uint16."""
        if stop > self._table.shape[2]:
            self._extend(stop)
        key = np.asarray(keys, dtype=np.int64)
        table = self._table
        words: npt.NDArray[np.uint16] = table[0][key & 255, start:stop]
        words ^= table[1][key >> 8 & 255, start:stop]
        words ^= table[2][key >> 16 & 255, start:stop]
        words ^= table[3][key >> 24, start:stop]
        return words

    def _extend(self, stop: int) -> None:
        have = self._table.shape[2]
        wanted = max(_FIRST_LENGTH, stop, 2 * have)
        columns = np.empty((4, 256, wanted), dtype=np.uint16)
        columns[:, :, :have] = self._table
        low = (1 << self._bits) - 1
        for p in range(have, wanted):
            columns[:, :, p] = self._next & low
            high = self._next >> (31 - self._bits)
            # x**31 = x**3 + 1 folds what leaves at the top back in.
            self._next = (self._next << self._bits) & _MASK31 ^ high ^ high << 3
        self._table = columns
