"""Deviations of spikes from independent ones, in standard deviations.

All numbers of all steps are one sequence, so a pair of spikes has one property: how many positions it is
apart. The sums over all pairs that are as far apart are therefore those of channels, and of steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from synloom_sim.noise.sources import Raster
from synloom_sim.noise.sums import Counted, Distances, Pairs, Transformed

__all__ = ["Independence", "independence"]

Floats = npt.NDArray[np.float64]
_BLOCK: Final = 3
"""A block has so many times the steps that are compared: with few, all is transformed twice."""

_RARE: Final = 1 / 128
"""Rate up to which coincidences are counted one by one, and taken as Poisson numbers."""

_MANY: Final = 1000.0
"""Expected coincidences from which those of a pair of channels are taken as normal, instead of Poisson."""

_LEAST: Final = 1e-300
"""The smallest probability that is told from 0: 37 standard deviations."""


@dataclass(frozen=True)
class Independence:
    """What would show that spikes are not independent, in standard deviations.

    Attributes
    ----------
    pairs : (W, W) float64
        Coincidences of channels i < j; 0 elsewhere.
    distances : (D,) float64
        Coincidences of all spikes that are k positions apart, at index k; 0 at index 0.
    triples : (T, D) float64
        Of three spikes, 0, k + 1 and l positions apart, at index k, l; 0 where l <= k + 1.
    population : float
        Variance of the number of spikes in a step, divided by that of independent channels.
    """

    pairs: Floats
    distances: Floats
    triples: Floats
    population: float

    @property
    def worst(self) -> tuple[float, float, float]:
        """Largest deviation of pairs, distances and triples."""
        pairs, distances, triples = (
            float(np.abs(part).max(initial=0.0)) for part in (self.pairs, self.distances, self.triples)
        )
        return pairs, distances, triples


def independence(parts: Iterable[Raster], rate: float, lags: int, threes: int) -> Independence:
    """Measure spikes, given in parts of (some steps, W) bool, of which each has the probability `rate`.

    Parameters
    ----------
    parts : iterable of (some steps, W) bool
        Successive steps, at least one.
    rate : float
        Spikes a step: above 0 and below 1.
    lags : int
        Distances up to so many steps.
    threes : int
        Triples whose first two are up to so many positions apart.
    """
    blocks = _blocks(parts, _BLOCK * lags)
    block = next(blocks)
    width = block.shape[1]
    length = lags * width
    pairs, near = Pairs(width), _distances(rate, length, threes)
    counts = []
    steps = 0
    while len(block):
        following = next(blocks, block[:0])
        pairs.add(block)
        near.add(block.ravel(), following[:lags].ravel())
        counts.append(block.sum(axis=1))
        steps += len(block)
        block = following
    variance = rate * (1 - rate)
    sigmas = _distance_sigmas(near.sums(), rate, steps * width)
    return Independence(
        _pair_sigmas(pairs.counts(), rate, steps),
        sigmas[0],
        sigmas[1:],
        float(np.concatenate(counts).var() / (width * variance)),
    )


def _blocks(parts: Iterable[Raster], steps: int) -> Iterator[Raster]:
    """Yield the same rows in parts of so many, the last one shorter."""
    waiting: list[Raster] = []
    have = 0
    for part in parts:
        waiting.append(part)
        have += len(part)
        if have < steps:
            continue
        rows = np.concatenate(waiting) if len(waiting) > 1 else part
        whole = have - have % steps
        for first in range(0, whole, steps):
            yield rows[first : first + steps]
        waiting, have = [rows[whole:]], have - whole
    if have:
        yield np.concatenate(waiting)


def _distances(rate: float, length: int, threes: int) -> Distances:
    if rate <= _RARE:
        return Counted(length, threes)
    return Transformed(length, threes, _BLOCK * length, rate)


def _distance_sigmas(sums: Floats, rate: float, positions: int) -> Floats:
    """Return the deviations of what `_distances` sums, (1 + threes, L + 1)."""
    orders = np.where(np.arange(len(sums)) > 0, 3, 2)[:, None]
    places = np.maximum(positions - np.arange(sums.shape[1]), 0)
    if rate <= _RARE:
        # Coincidences share spikes: their variance is larger by twice the rate, so no sigma is too small.
        found = _poisson_sigmas(sums, places * rate**orders)
    else:
        found = sums / np.sqrt(np.maximum(places, 1) * (rate * (1 - rate)) ** orders)
    # A distance has to be larger than that of the first two.
    return np.triu(found, 1)


def _pair_sigmas(together: npt.NDArray[np.int64], rate: float, steps: int) -> Floats:
    """Return the deviations of the coincidences of all pairs of channels."""
    expected = steps * rate**2
    if expected >= _MANY:
        ones = together.diagonal()
        covariance = together - rate * (ones[:, None] + ones[None, :]) + expected
        found: Floats = covariance / (math.sqrt(steps) * rate * (1 - rate))
    else:
        found = _poisson_sigmas(together.astype(np.float64), np.array(expected))
    return np.triu(found, 1)


def _poisson_sigmas(counts: Floats, expected: Floats) -> Floats:
    """Return how many standard deviations of a normal number are as rare as Poisson ones."""
    many = counts >= expected
    # At least so many, or at most so many.
    tails = np.where(many, special.pdtrc(counts - 1, expected), special.pdtr(counts, expected))
    tails = np.where(many & (counts == 0), 1.0, tails)
    sizes: Floats = np.maximum(-special.ndtri(np.clip(tails, _LEAST, 1.0)), 0.0)
    return np.where(many, sizes, -sizes)
