"""Random initial values, drawn when the network is compiled, from its seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from synloom.base.checks import FloatArray, real
from synloom.base.errors import ParameterError

__all__ = ["Distribution", "Normal", "Uniform"]


@runtime_checkable
class Distribution(Protocol):
    """What may stand for a number: something that draws numbers."""

    def draw(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Return `count` numbers."""
        ...


@dataclass(frozen=True)
class Uniform:
    """Even between `low` and `high`."""

    low: float
    high: float

    def __post_init__(self) -> None:
        real("low", self.low)
        real("high", self.high, low=self.low)

    def draw(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Return (count,) numbers."""
        return rng.uniform(self.low, self.high, count)


@dataclass(frozen=True)
class Normal:
    """Gaussian with `mean` and standard deviation `sd`, clipped to `low`..`high` if these are given."""

    mean: float
    sd: float
    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self) -> None:
        real("mean", self.mean)
        real("sd", self.sd, low=0.0)
        low, high = real("low", self.low, infinite=True), real("high", self.high, infinite=True)
        if low > high:
            raise ParameterError(f"low must be at most high, but they are {low:g} and {high:g}")

    def draw(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Return (count,) numbers."""
        return np.clip(rng.normal(self.mean, self.sd, count), self.low, self.high)
