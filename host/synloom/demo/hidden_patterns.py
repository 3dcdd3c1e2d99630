"""Streams of spikes that hide patterns which come again and again.

One pattern as in Masquelier, Guyonneau and Thorpe 2008, several as in their paper of 2009.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError
from synloom.demo.spike_trains import walking_rates

__all__ = ["HiddenPattern", "HiddenPatterns", "latencies"]

Raster = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class _Hidden:
    """What streams with one and with several patterns share; see `HiddenPattern`."""

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

    @property
    def members(self) -> int:
        """How many afferents repeat a pattern."""
        return int(self.afferents * self.taking_part)

    def starts(self, rng: np.random.Generator) -> IntArray:
        """Return when a pattern begins, (K,) int64 in ms: places of a grid, never two that touch."""
        bins = 1000 * self.seconds // self.pattern_ms
        free = set(range(1, bins - 1))
        chosen: list[int] = []
        for place in rng.permutation(bins).tolist():
            if len(chosen) < int(bins * self.share) and place in free:
                chosen.append(place)
                free -= {place - 1, place, place + 1}
        return np.sort(np.array(chosen, dtype=np.int64)) * self.pattern_ms

    def inside(self, starts: IntArray) -> FloatArray:
        """Return for each ms how long ago its pattern began, NaN outside, (1000 * seconds,) float64."""
        since = np.full(1000 * self.seconds, np.nan)
        for start in starts:
            since[start : start + self.pattern_ms] = np.arange(self.pattern_ms)
        return since

    def _show(self, rng: np.random.Generator, raster: Raster, start: int, pattern: IntArray) -> None:
        """Put the pattern (its times and afferents) into the raster: some are missing, the others moved."""
        times, who = pattern
        kept = rng.random(len(times)) >= self.missing
        moved = start + times[kept] + 0.5 + self.jitter_ms * rng.standard_normal(int(kept.sum()))
        raster[np.clip(moved, 0, len(raster) - 1).astype(np.int64), who[kept]] = True

    def _add_noise(self, rng: np.random.Generator, raster: Raster) -> None:
        for second in range(self.seconds):
            block = raster[1000 * second : 1000 * (second + 1)]
            block |= rng.random(block.shape, dtype=np.float32) < np.float32(1e-3 * self.noise_hz)


@dataclass(frozen=True, kw_only=True)
class HiddenPattern(_Hidden):
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

    def draw(self, rng: np.random.Generator) -> tuple[IntArray, IntArray, Raster]:
        """Return where the pattern begins, the pattern, and the raster that hides it.

        The pattern is its times in ms and its afferents, (2, S) int64; the raster has the shape
        (1000 * seconds, afferents).
        """
        starts = self.starts(rng)
        stream = walking_rates(rng, self.afferents)
        pattern = np.stack(np.nonzero(next(stream)[-self.pattern_ms :, : self.members])).astype(np.int64)
        raster = np.concatenate([next(stream) for _ in range(self.seconds)])
        for start in starts:
            raster[start : start + self.pattern_ms, : self.members] = False
        for start in starts.tolist():
            self._show(rng, raster, start, pattern)
        self._add_noise(rng, raster)
        return starts, pattern, raster


@dataclass(frozen=True, kw_only=True)
class HiddenPatterns(_Hidden):
    """A stream of spikes in which several patterns come again, each in a random share of the afferents.

    Parameters
    ----------
    patterns : int
        Number of patterns, all equally likely.
    share : float
        Share of the time that all patterns fill together.
    afferents, seconds, taking_part, pattern_ms, jitter_ms, missing, noise_hz
        As in `HiddenPattern`.
    """

    share: float = 1.0 / 3.0
    patterns: int = 3

    def draw(self, rng: np.random.Generator) -> tuple[IntArray, IntArray, list[IntArray], Raster]:
        """Return where patterns begin, which they are, the patterns, and the raster that hides them.

        The first two are (K,) int64. A pattern is its times in ms and its afferents, (2, S) int64; the raster
        has the shape (1000 * seconds, afferents).
        """
        starts = self.starts(rng)
        which = rng.integers(0, self.patterns, len(starts))
        stream = walking_rates(rng, self.afferents)
        taking = [
            np.sort(rng.permutation(self.afferents)[: self.members]).astype(np.int64)
            for _ in range(self.patterns)
        ]
        patterns = []
        for who in taking:
            times, index = np.nonzero(next(stream)[-self.pattern_ms :, who])
            patterns.append(np.stack([times, who[index]]).astype(np.int64))
        raster = np.concatenate([next(stream) for _ in range(self.seconds)])
        for start, k in zip(starts.tolist(), which.tolist(), strict=True):
            raster[start : start + self.pattern_ms, taking[k]] = False
        for start, k in zip(starts.tolist(), which.tolist(), strict=True):
            self._show(rng, raster, start, patterns[k])
        self._add_noise(rng, raster)
        return starts, which, patterns, raster


def latencies(spikes: IntArray, starts: Sequence[int] | IntArray, within: int) -> FloatArray:
    """Return how long after each start the first spike comes, in ms, NaN if none does, (K,) float64.

    Parameters
    ----------
    spikes : (S,) int64
        Times of the spikes in ms, ascending.
    starts : (K,) ints
        When patterns begin.
    within : int
        A spike must come less than so many ms after the start.
    """
    since = np.asarray(starts, dtype=np.int64)
    later = np.append(spikes, np.iinfo(np.int64).max)[np.searchsorted(spikes, since)]
    gap = (later - since).astype(np.float64)
    return np.where(gap < within, gap, np.nan)
