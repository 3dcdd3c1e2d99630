"""Encoders: numbers and signals as rasters of spikes. All are called in one way, ``encoder(values)``.

Rate, latency and phase codes: Guo et al. 2021, Neural coding in spiking neural networks: a comparative study
for robust neuromorphic systems, *Frontiers in Neuroscience* 15, 638474. Populations of receptive fields:
Bohte et al. 2002, Error-backpropagation in temporally encoded networks of spiking neurons, *Neurocomputing*
48, 17. Changes of a signal: Lichtsteiner et al. 2008, *IEEE Journal of Solid-State Circuits* 43, 566.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, real, reals, switch, whole
from synloom.base.errors import ParameterError
from synloom.base.wording import shown

__all__ = ["Delta", "Encoder", "Latency", "Levels", "Phase", "Raster", "Rate", "Receptive"]

Raster = npt.NDArray[np.uint8]
_MOST_STEPS = 1 << 24
_MOST_CELLS = 1 << 28
"""Steps times channels of a raster; drawing one takes 8 bytes for each."""


class Encoder(Protocol):
    """What all encoders are: a call with values, which returns a raster."""

    def __call__(self, values: npt.ArrayLike) -> Raster:
        """Return the spikes, (T, channels) uint8, for `Device.inject`, `run(stimulus=)` or `present`."""
        ...


def _shares(values: npt.ArrayLike) -> FloatArray:
    """Return values in 0..1, (n,) float64."""
    return np.atleast_1d(reals("values", values, low=0.0, high=1.0))


def _sized(steps: int, channels: int) -> None:
    """Refuse rasters that would not fit memory."""
    if steps * channels > _MOST_CELLS:
        raise ParameterError(
            f"a raster of {steps:,} steps and {channels:,} channels is too large; steps times channels must "
            f"be at most {_MOST_CELLS:,}: encode fewer values at once, or fewer steps"
        )


def _signal(values: npt.ArrayLike) -> FloatArray:
    """Return a signal, (T, n) float64; one of one channel may be (T,)."""
    try:
        signal = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"a signal must be an array (T, n) of numbers, not {shown(values)}") from None
    signal = signal[:, None] if signal.ndim == 1 else signal
    if signal.ndim != 2 or not signal.size:
        raise ParameterError(f"a signal must have shape (T, n), with a row for each step, not {signal.shape}")
    if not np.isfinite(signal).all():
        raise ParameterError("a signal must be finite; it has inf or NaN")
    return signal


@dataclass(frozen=True, kw_only=True)
class Rate:
    """The larger a value, the more spikes.

    Parameters
    ----------
    steps : int
        Steps *T*.
    most : float
        Spikes per step of a value of 1, above 0 to 1.
    regular : bool
        Even intervals, the first spike after one; else a spike in each step is drawn at random.
    seed : int
        Seed of what is drawn; one encoder returns the same for the same values.

    Raises
    ------
    ParameterError
        If a parameter, or a value outside 0..1, is wrong.
    """

    steps: int
    most: float = 1.0
    regular: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        whole("steps", self.steps, 1, _MOST_STEPS)
        real("most", self.most, low=0.0, high=1.0, above=True)
        switch("regular", self.regular)
        whole("seed", self.seed, 0, 2**63 - 1)

    def __call__(self, values: npt.ArrayLike) -> Raster:
        """Return the spikes of n values in 0..1, (steps, n) uint8."""
        share = self.most * _shares(values)
        _sized(self.steps, len(share))
        if self.regular:
            # A millionth keeps sums such as 3 * (1 / 3) whole.
            counts = np.floor(np.arange(self.steps + 1)[:, None] * share + 1e-6)
            return np.asarray(np.diff(counts, axis=0) > 0.0, dtype=np.uint8)
        drawn = np.random.default_rng(self.seed).random((self.steps, len(share)))
        return np.asarray(drawn < share, dtype=np.uint8)


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The larger a value, the earlier its one spike; 0 has none.

    Parameters
    ----------
    steps : int
        Steps *T*: a value of 1 spikes in step 0, the smallest ones in the last.

    Raises
    ------
    ParameterError
        If it, or a value outside 0..1, is wrong.
    """

    steps: int

    def __post_init__(self) -> None:
        whole("steps", self.steps, 1, _MOST_STEPS)

    def __call__(self, values: npt.ArrayLike) -> Raster:
        """Return the spikes of n values in 0..1, (steps, n) uint8."""
        share = _shares(values)
        _sized(self.steps, len(share))
        when = np.rint((1.0 - share) * (self.steps - 1)).astype(np.int64)
        raster = np.zeros((self.steps, len(share)), dtype=np.uint8)
        there = np.flatnonzero(share > 0.0)
        raster[when[there], there] = 1
        return raster


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One spike in each period of an oscillation, the earlier the larger a value; 0 has none.

    Parameters
    ----------
    steps : int
        Steps *T*.
    period : int
        Steps of a period.

    Raises
    ------
    ParameterError
        If a parameter, or a value outside 0..1, is wrong.
    """

    steps: int
    period: int

    def __post_init__(self) -> None:
        whole("steps", self.steps, 1, _MOST_STEPS)
        whole("period", self.period, 1, _MOST_STEPS)

    def __call__(self, values: npt.ArrayLike) -> Raster:
        """Return the spikes of n values in 0..1, (steps, n) uint8."""
        _sized(self.steps, np.size(values))
        once = Latency(steps=self.period)(values)
        repeats = -(-self.steps // self.period)
        return np.tile(once, (repeats, 1))[: self.steps]


@dataclass(frozen=True, kw_only=True)
class Delta:
    """A spike whenever a signal has moved by a threshold since the last one (as event cameras do).

    Channels 0..n-1 spike upwards, channels n..2n-1 downwards. A step has one spike at most; what a fast
    signal is still ahead goes to the next steps.

    Parameters
    ----------
    threshold : float
        The change, above 0.

    Raises
    ------
    ParameterError
        If it, or the signal, is wrong.
    """

    threshold: float

    def __post_init__(self) -> None:
        real("threshold", self.threshold, low=0.0, above=True)

    def __call__(self, values: npt.ArrayLike) -> Raster:
        """Return the spikes of a signal (T, n), (T, 2 n) uint8; its first row is where it starts."""
        signal = _signal(values)
        level = signal[0].copy()
        n = signal.shape[1]
        raster = np.zeros((len(signal), 2 * n), dtype=np.uint8)
        for t, row in enumerate(signal):
            up = row - level >= self.threshold * (1.0 - 1e-9)
            down = level - row >= self.threshold * (1.0 - 1e-9)
            raster[t, :n], raster[t, n:] = up, down
            level += self.threshold * (up.astype(np.float64) - down)
        return raster


@dataclass(frozen=True, kw_only=True)
class Levels:
    """A spike when a signal crosses a level upwards.

    Parameters
    ----------
    levels : sequence of float
        The k levels, ascending. Channel ``i * k + j`` is level j of the signal's channel i.
    both : bool
        Spike when it is crossed downwards, too.

    Raises
    ------
    ParameterError
        If they, or the signal, are wrong.
    """

    levels: Any
    both: bool = False

    def __post_init__(self) -> None:
        levels = np.atleast_1d(reals("levels", self.levels))
        if (np.diff(levels) <= 0.0).any():
            raise ParameterError(f"levels must ascend, not {shown(self.levels)}")
        switch("both", self.both)

    def __call__(self, values: npt.ArrayLike) -> Raster:
        """Return the spikes of a signal (T, n), (T, n k) uint8."""
        levels = np.atleast_1d(reals("levels", self.levels))
        signal = _signal(values)
        _sized(len(signal), signal.shape[1] * len(levels))
        above = signal[:, :, None] >= levels
        crossed = np.zeros(above.shape, dtype=bool)
        crossed[1:] = above[1:] != above[:-1] if self.both else above[1:] & ~above[:-1]
        return crossed.reshape(len(above), -1).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class Receptive:
    """A population for each value: channels with bell-shaped receptive fields side by side.

    Parameters
    ----------
    by : Encoder
        How each field's excitation, 0..1, becomes spikes, such as ``Latency(steps=20)``.
    fields : int
        Fields *k* for each value, at least 2; channel ``i * k + j`` is field j of value i.
    low, high : float
        Centres of the first and the last field.
    width : float
        Standard deviation of a field, in distances of their centres.
    least : float
        Excitation below which a field is silent.

    Raises
    ------
    ParameterError
        If a parameter or a value is wrong.
    """

    by: Encoder
    fields: int = 8
    low: float = 0.0
    high: float = 1.0
    width: float = 1.0
    least: float = 0.05

    def __post_init__(self) -> None:
        if not callable(self.by):
            raise ParameterError(f"by must be an encoder such as Latency(steps=20), not {shown(self.by)}")
        whole("fields", self.fields, 2, 2048)
        if not real("high", self.high) > real("low", self.low):
            raise ParameterError(f"high must be above low ({self.low:g}), not {self.high:g}")
        real("width", self.width, low=0.0, above=True)
        real("least", self.least, low=0.0, high=1.0)

    def __call__(self, values: npt.ArrayLike) -> Raster:
        """Return the spikes of n values, (T, n k) uint8."""
        given = np.atleast_1d(reals("values", values))
        _sized(1, len(given) * self.fields)
        centres = np.linspace(self.low, self.high, self.fields)
        sigma = self.width * (centres[1] - centres[0])
        excited = np.exp(-0.5 * ((given[:, None] - centres) / sigma) ** 2)
        return self.by(np.where(excited < self.least, 0.0, excited).reshape(-1))
