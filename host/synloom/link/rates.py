"""Generator rates in one byte per channel (RATES8)."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from synloom.contract.memory_map import GENERATOR

__all__ = ["ByteRates", "byte_rates"]

_LARGEST: Final = GENERATOR["mantissa"].high
_MODE: Final = GENERATOR["regular"].start


class ByteRates(NamedTuple):
    """Arguments of RATES8, which sets the mantissa of each channel to ``byte << shift``, clipped."""

    shift: int
    exponent: int
    mode: int
    data: bytes

    @property
    def scale(self) -> int:
        """The byte that stands before the data."""
        return self.shift | self.exponent << 4 | self.mode << 7


def byte_rates(words: npt.NDArray[np.int64]) -> ByteRates | None:
    """Return GEN_RATE words, (n,) int64, as bytes, or None if that would change one of them.

    It would if their modes or exponents differ, or if no common shift makes all mantissas fit in eight bits.
    """
    scales, mantissas = words & ~_LARGEST, words & _LARGEST
    if not len(words) or (scales != scales[0]).any():
        return None
    least = max(int(mantissas.max()).bit_length() - 8, 0)
    # One place more, as a byte of 128 is then clipped to the largest mantissa.
    for shift in (least, least + 1):
        data = -(-mantissas >> shift)
        if data.max() < 256 and (np.minimum(data << shift, _LARGEST) == mantissas).all():
            exponent, mode = int(scales[0]) >> GENERATOR["exponent"].start & 7, int(scales[0]) >> _MODE
            return ByteRates(shift, exponent, mode, data.astype(np.uint8).tobytes())
    return None
