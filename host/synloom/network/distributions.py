"""Distributions of random values, drawn from the network's seed when it is compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from synloom.base.checks import HUGE, FloatArray, real
from synloom.base.errors import ParameterError

__all__ = ["Distribution", "Normal", "Uniform"]


@runtime_checkable
class Distribution(Protocol):
    """Interface of a distribution, which may replace a number."""

    def draw(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Return `count` random numbers, (count,) float64."""
        ...


@dataclass(frozen=True)
class Uniform:
    """Uniform distribution.

    Parameters
    ----------
    low, high : float
        Bounds; `high` is at least `low`.

    Raises
    ------
    ParameterError
        If a bound is not within -1e9..1e9, or `high` is below `low`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        real("low", self.low, low=-HUGE, high=HUGE)
        real("high", self.high, low=self.low, high=HUGE)

    def draw(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Return `count` random numbers, (count,) float64."""
        # NumPy takes a high of -0.0 to be below a low of 0.0.
        return rng.uniform(self.low, self.high + 0.0, count)


@dataclass(frozen=True)
class Normal:
    """Normal distribution, clipped to bounds.

    Parameters
    ----------
    mean, sd : float
        Mean, and standard deviation, at least 0, before clipping.
    low, high : float
        Bounds; values beyond them are set to them. Default: none.

    Raises
    ------
    ParameterError
        If a value is not a number or out of range, or `low` is above `high`.
    """

    mean: float
    sd: float
    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self) -> None:
        real("mean", self.mean)
        real("sd", self.sd, low=0.0)
        low, high = real("low", self.low, infinite=True), real("high", self.high, infinite=True)
        if low > high:
            raise ParameterError(f"low must be at most high ({high:g}), not {low:g}")

    def draw(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Return `count` random numbers, (count,) float64."""
        return np.clip(rng.normal(self.mean, self.sd, count), self.low, self.high)
