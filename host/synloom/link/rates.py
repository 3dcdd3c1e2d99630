"""Generator rates in one byte per channel (RATES8)."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from synloom.contract.memory_map import GENERATOR

__all__ = ["ByteRates", "byte_rates"]

_LARGEST: Final = GENERATOR["rate"].high


class ByteRates(NamedTuple):
    """Arguments of RATES8, which sets the GEN_RATE word of each channel to `(byte << shift) | mode << 15`."""

    shift: int
    mode: int
    data: bytes


def byte_rates(words: npt.NDArray[np.int64]) -> ByteRates | None:
    """Return GEN_RATE words, (n,) int64, as bytes, or None if that would change one of them.

    It would if the words have both modes, or if no common shift makes all rates fit in eight bits.
    """
    modes, rates = words & ~_LARGEST, words & _LARGEST
    if not len(words) or (modes != modes[0]).any():
        return None
    shift = max(int(rates.max()).bit_length() - 8, 0)
    data = rates >> shift
    if (data << shift != rates).any():
        return None
    return ByteRates(shift, int(modes[0] != 0), data.astype(np.uint8).tobytes())
