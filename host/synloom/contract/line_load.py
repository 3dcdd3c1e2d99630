"""What a raster costs on the line, in words of the record stream and in bytes (docs/protocol.md)."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.frames import CHECK_BYTES, RECORD_FRAME_WORDS, RECORDS_HEADER
from synloom.contract.params import ArrayParams
from synloom.contract.records import TIME_MAX

__all__ = ["BITS_PER_BYTE", "line_bytes", "raster_words", "spike_words"]

BITS_PER_BYTE: Final = 10
"""Bits of a character on the line: start, eight of data, stop."""

_STUFFED: Final = 2 / 256
"""Share of bytes that are sent as two, of random bytes."""


def spike_words(params: ArrayParams, counts: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the words of a step's record, with its time, for so many neurons that fired in it.

    Parameters
    ----------
    params : ArrayParams
        The array.
    counts : (T,) int
        Neurons that fired in each step.

    Returns
    -------
    (T,) int64
        The time word, the first word of the record, and a list or a bitmap. 0 for silent steps, whose share
        of later time words does not count.
    """
    fired = np.asarray(counts, dtype=np.int64)
    return np.where(fired > 0, 2 + np.minimum(fired, params.neuron_words), 0)


def raster_words(params: ArrayParams, activity: float) -> float:
    """Return the mean words of a step whose neurons fire independently, each with probability `activity`."""
    n = params.neurons
    counts = np.arange(n + 1)
    if activity <= 0.0:
        return 1 / TIME_MAX
    if activity >= 1.0:
        return float(spike_words(params, n))
    factorials = np.array([math.lgamma(k + 1) for k in range(n + 1)])
    logs = factorials[n] - factorials - factorials[::-1]
    logs += counts * math.log(activity) + (n - counts) * math.log1p(-activity)
    return float(np.exp(logs) @ spike_words(params, counts))


def line_bytes(words: float) -> float:
    """Return the bytes of so many record words on the line: full frames, and stuffing as of random bytes."""
    payload = 2 * words * (1 + (RECORDS_HEADER + CHECK_BYTES) / (2 * RECORD_FRAME_WORDS))
    return payload * (1 + _STUFFED) + 2 * words / RECORD_FRAME_WORDS
