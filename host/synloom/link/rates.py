"""Generator rates as one byte a channel."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from synloom.contract.memory_map import GENERATOR

__all__ = ["ByteRates", "byte_rates"]

_LARGEST: Final = GENERATOR["rate"].high


class ByteRates(NamedTuple):
    """Arguments of RATES8: `(byte << shift) | mode << 15` for each channel."""

    shift: int
    mode: int
    data: bytes


def byte_rates(words: npt.NDArray[np.int64]) -> ByteRates | None:
    """Return GEN_RATE words (n,) as bytes, or None if that would change one of them.

    It does if they have two modes, or no common shift leaves all of them eight bits.
    """
    modes, rates = words & ~_LARGEST, words & _LARGEST
    if not len(words) or (modes != modes[0]).any():
        return None
    shift = max(int(rates.max()).bit_length() - 8, 0)
    data = rates >> shift
    if (data << shift != rates).any():
        return None
    return ByteRates(shift, int(modes[0] != 0), data.astype(np.uint8).tobytes())
