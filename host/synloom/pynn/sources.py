"""Spikes of sources, drawn or taken by the host: steps, labelled by their ends, for each stretch of a run."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
from pyNN import errors

from synloom.base.checks import FloatArray, IntArray
from synloom.pynn.grid import nearest, warn_moved

__all__ = ["Train", "rate_changes", "rates_at", "train_of"]

_BLOCK: Final = 1 << 20


class Train(Protocol):
    """What gives the spikes of a population of sources."""

    def take(self, first: int, end: int) -> tuple[IntArray, IntArray]:
        """Return labels (in steps) and sources of the spikes with ``first < label <= end``, in order."""
        ...


def train_of(population: Any, dt: float, seed: Sequence[int]) -> Train:
    """Return what gives the spikes of a population of sources.

    Parameters
    ----------
    population : Population
        The population; its parameters may change between two calls of `take`.
    dt : float
        Time step, ms.
    seed : sequence of int
        With the population's first id, the seed of its random numbers.
    """
    kind = type(population.celltype).__name__
    if kind == "SpikeSourceArray":
        return _Listed(population, dt)
    rng = np.random.default_rng([*seed, int(population.first_id)])
    if kind == "SpikeSourcePoisson":
        return _Poisson(population, dt, rng)
    return _Renewal(population, dt, rng)


def rates_at(population: Any, step: int, dt: float) -> FloatArray:
    """Return the rates of SpikeSourcePoisson in a step, (n,) Hz: 0 before `start` and after `duration`.

    Raises
    ------
    InvalidParameterValueError
        If a rate is negative, or above one spike in each step.
    """
    rates = _values(population, "rate")
    if not ((rates >= 0.0) & (rates <= 1000.0 / dt * (1.0 + 1e-9))).all():
        raise errors.InvalidParameterValueError(
            f"rates of {population.label!r} must be in 0..{1000.0 / dt:g} Hz, one spike in each step of "
            f"{dt:g} ms, not {rates.max():g} Hz; use more sources"
        )
    begin, stop = _active(population, dt)
    # The spike of a step has its end as label.
    return np.where((step >= begin) & (step < stop), rates, 0.0)


def rate_changes(population: Any, first: int, end: int, dt: float) -> set[int]:
    """Return the steps after `first` and before `end` from which rates of SpikeSourcePoisson are others."""
    steps = np.concatenate(_active(population, dt))
    return {int(step) for step in np.unique(steps) if first < step < end}


def _values(population: Any, name: str) -> FloatArray:
    return np.asarray(population.values(name), dtype=np.float64)


class _Listed:
    """Spikes at given times; a time between two steps belongs to the nearest one, half a step to the next."""

    def __init__(self, population: Any, dt: float):
        self._population = population
        self._dt = dt
        self._of: Any = None
        self._labels = np.zeros(0, dtype=np.int64)
        self._sources = self._labels

    def take(self, first: int, end: int) -> tuple[IntArray, IntArray]:
        trains = self._population.values("spike_times")
        if trains is not self._of:
            self._read(trains, first)
        mine = (self._labels > first) & (self._labels <= end)
        return self._labels[mine], self._sources[mine]

    def _read(self, trains: Any, first: int) -> None:
        times = [np.asarray(train.value, dtype=np.float64) for train in trains]
        count = [len(part) for part in times]
        sources = np.repeat(np.arange(len(times)), count)
        joined = np.concatenate([np.zeros(0), *times])
        labels = nearest(joined, self._dt)
        warn_moved(joined, self._dt, f"spike times of {self._population.label!r}")
        if first == 0 and (zero := labels == 0).any():
            warnings.warn(
                f"{int(zero.sum())} spikes of {self._population.label!r} at 0 ms are taken as spikes at "
                f"{self._dt:g} ms, the end of the first step",
                errors.RoundingWarning,
                stacklevel=2,
            )
            labels = np.maximum(labels, 1)
        pairs = np.unique(np.stack([labels, sources], axis=1), axis=0)
        if len(pairs) < len(labels):
            warnings.warn(
                f"{len(labels) - len(pairs)} spikes of {self._population.label!r} share a step with another "
                f"one of the same source and do not act",
                errors.RoundingWarning,
                stacklevel=2,
            )
        self._of, self._labels, self._sources = trains, pairs[:, 0], pairs[:, 1]


class _Poisson:
    """Each step has a spike with probability rate * dt, independently of all others."""

    def __init__(self, population: Any, dt: float, rng: np.random.Generator):
        self._population = population
        self._dt = dt
        self._rng = rng

    def take(self, first: int, end: int) -> tuple[IntArray, IntArray]:
        rates_at(self._population, first, self._dt)
        chance = _values(self._population, "rate") * (self._dt / 1000.0)
        begin, stop = _active(self._population, self._dt)
        found = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
        rows = max(_BLOCK // len(chance), 1)
        for start in range(first, end, rows):
            # One number for each step and source, whatever is asked for at once.
            count = min(rows, end - start)
            step, source = np.nonzero(self._rng.random((count, len(chance))) < chance)
            label = start + 1 + step
            on = (label > begin[source]) & (label <= stop[source])
            found.append((label[on], source[on]))
        labels, sources = (np.concatenate(part) for part in zip(*found, strict=True))
        return labels, sources


class _Renewal:
    """Intervals are independent: a dead time and an exponential one, or gamma-distributed.

    Where parameters of a source change, an interval of the new ones begins at the present time.
    """

    def __init__(self, population: Any, dt: float, rng: np.random.Generator):
        self._population = population
        self._dt = dt
        self._rng = rng
        self._next = np.zeros(0)
        self._of: dict[str, FloatArray] = {}

    def take(self, first: int, end: int) -> tuple[IntArray, IntArray]:
        begin, stop = _active(self._population, self._dt)
        changed = self._changed()
        if len(changed):
            self._next[changed] = np.maximum(begin[changed], first) * self._dt + self._intervals(changed)
        labels, sources = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        limit = np.minimum(end, stop) * self._dt
        while len(due := np.flatnonzero(self._next <= limit)):
            label = np.ceil(self._next[due] / self._dt - 1e-6).astype(np.int64)
            kept = label > first
            labels.append(np.minimum(label, end)[kept])
            sources.append(due[kept])
            self._next[due] += self._intervals(due)
        pairs = np.unique(np.stack([np.concatenate(labels), np.concatenate(sources)], axis=1), axis=0)
        return pairs[:, 0], pairs[:, 1]

    def _changed(self) -> IntArray:
        """Return the sources whose intervals or starts are others than at the last call; at first all."""
        # A duration changes no interval.
        names = [name for name in self._population.parameters if name != "duration"]
        values = {name: _values(self._population, name).copy() for name in names}
        if not self._of:
            self._next = np.zeros(len(values["start"]))
            changed = np.ones(len(self._next), dtype=bool)
        else:
            changed = np.any([values[name] != self._of[name] for name in names], axis=0)
        self._of = values
        return np.flatnonzero(changed)

    def _intervals(self, which: IntArray) -> FloatArray:
        """Return an interval in ms for each of some sources."""
        population = self._population
        if type(population.celltype).__name__ == "SpikeSourceGamma":
            alpha, beta = _values(population, "alpha")[which], _values(population, "beta")[which]
            return np.asarray(self._rng.gamma(alpha) * (1000.0 / beta))
        rate, dead = _values(population, "rate")[which], _values(population, "tau_refrac")[which]
        # A rate of 0 has intervals without end.
        with np.errstate(divide="ignore"):
            free = 1000.0 / rate - dead
        return np.asarray(dead + self._rng.exponential(1.0, len(which)) * free)


def _active(population: Any, dt: float) -> tuple[IntArray, IntArray]:
    """Return for each source the steps after which and up to which it spikes, (n,) each."""
    start = _values(population, "start")
    return nearest(start, dt), nearest(start + _values(population, "duration"), dt)
