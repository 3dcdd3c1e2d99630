"""Spike trains: noise whose rates walk, trains that jitter, and how well two trains agree."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray

__all__ = ["coincidence", "jittered", "walking_rates"]

Raster = npt.NDArray[np.bool_]

_MOST_HZ = 90.0
_SLOPE_STEP = 360.0
_MOST_SLOPE = 1800.0
_LONGEST_GAP = 50
_BLOCK = 1000


def walking_rates(rng: np.random.Generator, afferents: int) -> Iterator[Raster]:
    """Yield blocks of 1,000 ms of Poisson spikes whose rates walk, each afferent on its own.

    A rate is within 0 to 90 Hz. Its slope changes by up to 360 Hz/s in each ms, is within 1,800 Hz/s, and
    becomes 0 where the rate meets a bound. An afferent that was silent for 50 ms spikes.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.
    afferents : int
        Number of afferents.

    Yields
    ------
    (1000, afferents) bool
        Spikes; a row is 1 ms.
    """
    rate = rng.uniform(0.0, _MOST_HZ, afferents).astype(np.float32)
    slope = np.zeros(afferents, dtype=np.float32)
    silent = rng.integers(0, _LONGEST_GAP, afferents)
    while True:
        chance = rng.random((_BLOCK, afferents), dtype=np.float32)
        turns = rng.random((_BLOCK, afferents), dtype=np.float32)
        turns -= 0.5
        turns *= 2.0 * _SLOPE_STEP
        raster = np.empty((_BLOCK, afferents), dtype=np.bool_)
        for k in range(_BLOCK):
            slope += turns[k]
            np.clip(slope, -_MOST_SLOPE, _MOST_SLOPE, out=slope)
            rate += slope * np.float32(1e-3)
            slope[(rate < 0.0) | (rate > _MOST_HZ)] = 0.0
            np.clip(rate, 0.0, _MOST_HZ, out=rate)
            silent += 1
            raster[k] = (chance[k] < rate * np.float32(1e-3)) | (silent >= _LONGEST_GAP)
            silent[raster[k]] = 0
        yield raster


def coincidence(found: Raster, wanted: Raster, within: int) -> FloatArray:
    """Return how well spike trains agree, (neurons,) float64 from 0 to 1.

    A wanted spike is hit by at most one found spike at most `within` steps away. The agreement is the number
    of hits over the mean number of spikes of both trains (the coincidence of Kistler, Gerstner and van
    Hemmen 1997 without its term of chance); two silent trains agree.

    Parameters
    ----------
    found, wanted : (steps, neurons) bool
        The trains.
    within : int
        Steps that a hit may be early or late.
    """
    agreement = np.ones(found.shape[1])
    for neuron in range(found.shape[1]):
        here, there = np.flatnonzero(found[:, neuron]), np.flatnonzero(wanted[:, neuron])
        hits = at = 0
        for time in there:
            while at < len(here) and here[at] < time - within:
                at += 1
            if at < len(here) and here[at] <= time + within:
                hits, at = hits + 1, at + 1
        if len(here) + len(there):
            agreement[neuron] = 2.0 * hits / (len(here) + len(there))
    return agreement


def jittered(rng: np.random.Generator, raster: Raster, jitter: float) -> Raster:
    """Return a raster (steps, n) whose spikes are each moved by a normal number of steps; none leaves it."""
    times, who = np.nonzero(raster)
    moved = np.rint(times + jitter * rng.standard_normal(len(times)))
    result = np.zeros_like(raster)
    result[np.clip(moved, 0, len(raster) - 1).astype(np.int64), who] = True
    return result
