"""How independent the generators' spikes are: ``python -m synloom_sim.noise`` prints a table.

All numbers of all steps are one sequence, so a pair of spikes has one property: how many positions it is
apart. Channel i of step t is position ``channels * t + i``. The correlation of the sequence with itself, by
FFT, is therefore the sum over all pairs that are as far apart: of channels, and of steps.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from synloom.compiler.stimulus import rate_words, rates_of
from synloom_sim.model.random_numbers import GENERATOR_BITS, Jump, Numbers
from synloom_sim.model.stimulus import bernoulli

__all__ = ["Independence", "independence", "main", "spikes"]

Floats = npt.NDArray[np.float64]
Raster = npt.NDArray[np.bool_]
_RATES = (0.1, 1.0, 5.0, 20.0, 100.0, 500.0)
_SEED = 0x0123456789ABCDEF
_BATCH = 1 << 20
"""Numbers made at once."""

_MANY = 200.0
"""Expected coincidences from which their number is taken as normal, instead of Poisson."""


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
        Of three spikes, 0, k + 1 and l positions apart, at index k, l; 0 where l <= k + 1. They are NaN if
        chance makes fewer than 200 of each, which is too few for a normal number.
    population : float
        Variance of the number of spikes in a step, divided by that of independent channels.
    """

    pairs: Floats
    distances: Floats
    triples: Floats
    population: float

    @property
    def worst(self) -> tuple[float, float, float]:
        """Largest deviation of pairs, distances and triples (NaN if there are too few)."""
        pairs, distances, triples = (
            float(np.abs(part).max(initial=0.0)) for part in (self.pairs, self.distances, self.triples)
        )
        return pairs, distances, triples


def spikes(word: int, channels: int, steps: int, state: int = _SEED) -> Iterator[Raster]:
    """Yield the spikes of channels with one word of GEN_RATE, in parts of (some steps, channels) bool."""
    numbers, jump = Numbers.of(GENERATOR_BITS), Jump.by(GENERATOR_BITS * channels)
    words = np.full(channels, word, dtype=np.uint32)
    at_once = max(1, _BATCH // channels)
    for first in range(0, steps, at_once):
        states = np.empty(min(at_once, steps - first), dtype=np.uint64)
        for k in range(len(states)):
            states[k], state = state, jump(state)
        yield bernoulli(words, numbers.at(states, 0, channels))


def independence(parts: Iterable[Raster], rate: float, lags: int, threes: int) -> Independence:
    """Measure spikes, given in parts of (steps, W) bool, of which each has the probability `rate`.

    Parameters
    ----------
    parts : iterable of (steps, W) bool
        Successive steps; parts of fewer than `lags` + 1 steps add nothing to distances and triples.
    rate : float
        Spikes a step.
    lags : int
        Distances up to so many steps.
    threes : int
        Triples whose first two are up to so many positions apart.
    """
    ones, twos = np.zeros(0), np.zeros((0, 0))
    near = np.zeros((1 + threes, 0))
    places = np.zeros_like(near)
    counts: list[npt.NDArray[np.int64]] = []
    for part in parts:
        width = part.shape[1]
        if not len(ones):
            ones, twos = np.zeros(width), np.zeros((width, width))
            near, places = (np.zeros((1 + threes, width * lags + 1)) for _ in range(2))
        x = part.astype(np.float32)
        ones += part.sum(axis=0)
        twos += x.T @ x
        counts.append(part.sum(axis=1))
        # Single precision is enough: its error is below a hundredth of a standard deviation.
        flat = x.ravel() - np.float32(rate)
        inner = len(flat) - near.shape[1] + 1
        if inner > 0:
            size = 1 << (len(flat) - 1).bit_length()
            whole = np.fft.rfft(flat, size)
            for k in range(1 + threes):
                # The spikes themselves, or pairs k positions apart.
                first = np.fft.rfft(flat[:inner] * flat[k : k + inner] if k else flat[:inner], size)
                near[k] += np.fft.irfft(np.conj(first) * whole, size)[: near.shape[1]]
                places[k] += inner
    steps = sum(len(part) for part in counts)
    variance = rate * (1 - rate)
    distances = near[0] / np.sqrt(np.maximum(places[0], 1) * variance**2)
    distances[0] = 0
    triples = near[1:] / np.sqrt(np.maximum(places[1:], 1) * variance**3)
    for k, row in enumerate(triples):
        row[: k + 2] = 0
        if places[k + 1].max() * rate**3 < _MANY:
            row[:] = np.nan
    return Independence(
        np.triu(_pair_sigmas(ones, twos, rate, steps), 1),
        distances,
        triples,
        float(np.concatenate(counts).var() / (len(ones) * variance)),
    )


def _pair_sigmas(ones: Floats, twos: Floats, rate: float, steps: int) -> Floats:
    """Return the deviations of the coincidences of all pairs."""
    expected = steps * rate**2
    if expected >= _MANY:
        covariance = twos - rate * (ones[:, None] + ones[None, :]) + expected
        return covariance / (math.sqrt(steps) * rate * (1 - rate))
    found, where = np.unique(twos.astype(np.int64), return_inverse=True)
    return np.array([_poisson_sigma(int(k), expected) for k in found])[where.reshape(twos.shape)]


def _poisson_sigma(count: int, expected: float) -> float:
    """Return how many standard deviations of a normal number are as rare as a Poisson one."""

    def probability(k: int) -> float:
        return math.exp(k * math.log(expected) - expected - math.lgamma(k + 1))

    normal = NormalDist()
    if count >= expected:
        tail = sum(probability(k) for k in range(count, count + 60))
        return max(0.0, -normal.inv_cdf(min(max(tail, 1e-300), 1 - 1e-16)))
    tail = sum(probability(k) for k in range(count + 1))
    return min(0.0, normal.inv_cdf(min(max(tail, 1e-300), 1 - 1e-16)))


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure how independent the generators' spikes are.")
    parser.add_argument("--channels", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--lags", type=int, default=64, help="steps between spikes that are compared")
    parser.add_argument("--threes", type=int, default=4, help="positions between the first two of a triple")
    parser.add_argument("rates", nargs="*", type=float, help="rates in Hz, at steps of 1 ms")
    options = parser.parse_args(arguments)
    print(f"{options.channels} channels, {options.steps} steps of 1 ms; largest deviations in sigma")
    print("rate / Hz   pairs  distances  triples  population variance / binomial")
    for hz in options.rates or _RATES:
        word = int(rate_words(np.array([hz]), "poisson", 1.0)[0])
        rate = float(rates_of(np.array([word], dtype=np.uint16), 1.0)[0]) / 1000
        parts = spikes(word, options.channels, options.steps)
        found = independence(parts, rate, options.lags, options.threes)
        pairs, distances, triples = found.worst
        row = f"{hz:9g}  {pairs:6.2f}  {distances:9.2f}  {triples:7.2f}  {found.population:.4f}"
        print(row, flush=True)


if __name__ == "__main__":
    main()
