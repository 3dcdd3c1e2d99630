"""Sums over the coincidences of two and three spikes, for all pairs and all distances at once.

Spikes are one flat sequence, step after step, so a pair has a distance in positions: channel i of step t is
position ``width * t + i``. The sequence is cut into blocks; each is compared with itself and what follows.

Three ways lead to the same sums. Channels in the same step: bits of 64 steps in a word, and counts of their
conjunctions. Distances of rare spikes: each spike and those behind it. Distances of frequent spikes: the
correlation of a block with itself and what follows is a product of their Fourier transforms, which are added
up before one transform goes back (the overlap-save method).
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from scipy import fft

from synloom_sim.fast.compiled import cached
from synloom_sim.noise.sources import Raster

__all__ = ["Counted", "Distances", "Pairs", "Transformed"]

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint64]
_WORDS: Final = 64
"""Words of 64 steps that are compared at once: they and their channels fit a cache."""


class Pairs:
    """Counts, for each pair of channels, the steps in which both spike.

    Parameters
    ----------
    width : int
        Number of channels.
    """

    def __init__(self, width: int):
        self._counts = np.zeros((width, width), dtype=np.int64)
        self._bits = np.zeros((_WORDS, width), dtype=np.uint64)
        self._filled = 0

    def add(self, part: Raster) -> None:
        """Add steps, (T, W) bool."""
        first = 0
        while first < len(part):
            room = 64 * _WORDS - self._filled
            some = part[first : first + room]
            _pack(some, self._bits, self._filled)
            self._filled += len(some)
            first += len(some)
            if self._filled == 64 * _WORDS:
                self._flush()

    def counts(self) -> Int64s:
        """Return the counts of channels i <= j, (W, W) int64; 0 elsewhere."""
        self._flush()
        return self._counts

    def _flush(self) -> None:
        _count_pairs(np.ascontiguousarray(self._bits.T), self._counts)
        self._bits[:] = 0
        self._filled = 0


@cached
def _pack(part: Raster, bits: Words, filled: int) -> None:
    """Put steps into the bits of words, from step `filled` on."""
    for step in range(part.shape[0]):
        word, place = (filled + step) >> 6, np.uint64((filled + step) & 63)
        for channel in range(part.shape[1]):
            bits[word, channel] |= np.uint64(part[step, channel]) << place


@cached
def _count_pairs(bits: Words, counts: Int64s) -> None:
    """Add the number of common bits of each pair of rows, by Wegner's sum of neighbouring fields."""
    for i in range(bits.shape[0]):
        for j in range(i, bits.shape[0]):
            total = np.uint64(0)
            for k in range(bits.shape[1]):
                x = bits[i, k] & bits[j, k]
                x -= x >> np.uint64(1) & np.uint64(0x5555555555555555)
                x = (x & np.uint64(0x3333333333333333)) + (x >> np.uint64(2) & np.uint64(0x3333333333333333))
                x = x + (x >> np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
                total += x * np.uint64(0x0101010101010101) >> np.uint64(56)
            counts[i, j] += np.int64(total)


class Distances(Protocol):
    """Sums over all spikes, or pairs of spikes, and those behind them, by distance."""

    def add(self, block: Raster, following: Raster) -> None:
        """Add the spikes of a block, each with those behind it.

        Parameters
        ----------
        block : (n,) bool
            The block, flat.
        following : (L,) bool
            What follows it, up to the largest distance L; less at the end.
        """

    def sums(self) -> Floats:
        """Return the sums, (1 + threes, L + 1): of pairs, and of triples by their first distance."""


class Counted:
    """Counts coincidences one by one: for rare spikes.

    Parameters
    ----------
    length : int
        The largest distance.
    threes : int
        The largest distance of the first two of a triple.
    """

    def __init__(self, length: int, threes: int):
        self._counts = np.zeros((1 + threes, length + 1), dtype=np.int64)

    def add(self, block: Raster, following: Raster) -> None:
        """Add a block (see `Distances`)."""
        own = np.flatnonzero(block)
        _count_distances(np.append(own, len(block) + np.flatnonzero(following)), len(own), self._counts)

    def sums(self) -> Floats:
        """Return the numbers of coincidences, (1 + threes, L + 1)."""
        return self._counts.astype(np.float64)


@cached
def _count_distances(places: Int64s, firsts: int, counts: Int64s) -> None:
    """Count the distances from each of the first spikes to those behind it, and of triples."""
    threes, last = counts.shape[0] - 1, counts.shape[1] - 1
    for a in range(firsts):
        seconds = a + 1
        for b in range(a + 1, len(places)):
            distance = places[b] - places[a]
            if distance > last:
                break
            counts[0, distance] += 1
            for middle in range(a + 1, seconds):
                counts[places[middle] - places[a], distance] += 1
            if distance <= threes:
                seconds = b + 1


class Transformed:
    """Sums products of deviations from the mean by Fourier transforms: for frequent spikes.

    Parameters
    ----------
    length, threes : int
        As of `Counted`.
    block : int
        Positions of a block.
    rate : float
        The mean.
    """

    def __init__(self, length: int, threes: int, block: int, rate: float):
        self._length, self._rate = length, np.float32(rate)
        self._size = int(fft.next_fast_len(block + length, real=True))
        self._rows = np.zeros((2 + threes, self._size), dtype=np.float32)
        self._spectra = np.zeros((1 + threes, self._size // 2 + 1), dtype=np.complex128)

    def add(self, block: Raster, following: Raster) -> None:
        """Add a block (see `Distances`)."""
        # The first row has all, the others the firsts of pairs, and of triples.
        whole, firsts = self._rows[0], self._rows[1:]
        own, both = len(block), len(block) + len(following)
        whole[:own], whole[own:both], whole[both:] = block, following, 0
        whole[:both] -= self._rate
        firsts[0, :own], firsts[0, own:] = whole[:own], 0
        for k in range(1, len(firsts)):
            np.multiply(whole[:own], whole[k : k + own], out=firsts[k, :own])
            firsts[k, own:] = 0
        _add_products(fft.rfft(self._rows, axis=1), self._spectra)

    def sums(self) -> Floats:
        """Return the sums of products, (1 + threes, L + 1)."""
        found: Floats = fft.irfft(self._spectra, self._size, axis=1)[:, : self._length + 1]
        return found


@cached
def _add_products(made: npt.NDArray[np.complex64], spectra: npt.NDArray[np.complex128]) -> None:
    """Add the products of the first row with the conjugates of the others."""
    for k in range(spectra.shape[0]):
        for n in range(spectra.shape[1]):
            spectra[k, n] += made[0, n] * np.conj(made[k + 1, n])
