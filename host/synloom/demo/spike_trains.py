"""Spike trains that hide a pattern which comes again and again (Masquelier, Guyonneau and Thorpe 2008)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError

__all__ = ["HiddenPattern", "coincidence", "jittered", "walking_rates"]

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


@dataclass(frozen=True, kw_only=True)
class HiddenPattern:
    """A stream of spikes in which some afferents repeat one pattern at random times.

    Parameters
    ----------
    afferents, seconds : int
        Number of afferents, and duration.
    taking_part : float
        Share of the afferents that repeat the pattern; these are the first ones.
    share : float
        Share of the time that the pattern fills.
    pattern_ms : int
        Length of the pattern.
    jitter_ms : float
        Standard deviation by which each spike of the pattern is moved each time.
    missing : float
        Share of its spikes that are left out each time.
    noise_hz : float
        Rate of further spikes, of all afferents, all the time.
    """

    afferents: int = 2000
    seconds: int = 60
    taking_part: float = 0.5
    share: float = 0.25
    pattern_ms: int = 50
    jitter_ms: float = 1.0
    missing: float = 0.1
    noise_hz: float = 10.0

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 0.4:
            raise ParameterError(f"share must be above 0 and at most 0.4, not {self.share}")

    def starts(self, rng: np.random.Generator) -> IntArray:
        """Return when the pattern begins, (K,) int64 in ms: places of a grid, never two that touch."""
        bins = 1000 * self.seconds // self.pattern_ms
        free = set(range(1, bins - 1))
        chosen: list[int] = []
        for place in rng.permutation(bins).tolist():
            if len(chosen) < int(bins * self.share) and place in free:
                chosen.append(place)
                free -= {place - 1, place, place + 1}
        return np.sort(np.array(chosen, dtype=np.int64)) * self.pattern_ms

    def draw(self, rng: np.random.Generator) -> tuple[IntArray, IntArray, Raster]:
        """Return the pattern, as times in ms and afferents, (S,) int64 each, and the raster that hides it.

        The raster has shape (1000 * seconds, afferents); `starts` with the same seed gives its places.
        """
        starts = self.starts(rng)
        stream = walking_rates(rng, self.afferents)
        members = int(self.afferents * self.taking_part)
        times, who = np.nonzero(next(stream)[-self.pattern_ms :, :members])
        raster = np.concatenate([next(stream) for _ in range(self.seconds)])
        for start in starts:
            raster[start : start + self.pattern_ms, :members] = False
        for start in starts:
            kept = rng.random(len(times)) >= self.missing
            moved = start + times[kept] + 0.5 + self.jitter_ms * rng.standard_normal(int(kept.sum()))
            raster[np.clip(moved, 0, len(raster) - 1).astype(np.int64), who[kept]] = True
        for second in range(self.seconds):
            block = raster[1000 * second : 1000 * (second + 1)]
            block |= rng.random(block.shape, dtype=np.float32) < np.float32(1e-3 * self.noise_hz)
        return starts, np.stack([times, who]).astype(np.int64), raster

    def inside(self, starts: IntArray) -> FloatArray:
        """Return for each ms how long ago its pattern began, NaN outside, (1000 * seconds,) float64."""
        since = np.full(1000 * self.seconds, np.nan)
        for start in starts:
            since[start : start + self.pattern_ms] = np.arange(self.pattern_ms)
        return since


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
