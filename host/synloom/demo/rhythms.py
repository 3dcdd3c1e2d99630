"""Phases of spike trains and their locking, and the rhythm of cells that inhibit each other after a delay."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError

__all__ = ["locking", "phases", "same_parts", "volley_period"]


def phases(raster: npt.NDArray[Any], first: int, last: int) -> FloatArray:
    """Return the phase of each neuron at each step, in cycles: it grows by 1 from spike to spike.

    Parameters
    ----------
    raster : (steps, N) bool or uint8
        Spikes.
    first, last : int
        The steps from `first` to before `last` are returned.

    Returns
    -------
    (last - first, N) float64
        Linear between spikes; NaN before the first and after the last spike of a neuron.
    """
    steps = np.arange(first, last)
    found = np.full((len(steps), raster.shape[1]), np.nan)
    for neuron in range(raster.shape[1]):
        times = np.flatnonzero(raster[:, neuron])
        if len(times) > 1:
            count = np.arange(len(times), dtype=np.float64)
            found[:, neuron] = np.interp(steps, times, count, left=np.nan, right=np.nan)
    return found


def locking(phase: FloatArray) -> FloatArray:
    """Return the phase-locking value of each pair, (N, N): 1 if their difference never changes.

    The length of the mean of ``exp(2 pi i (a - b))`` over all steps (Lachaux et al. 1999).

    Parameters
    ----------
    phase : (steps, N) float64
        Phases in cycles.
    """
    circle = np.exp(2j * np.pi * phase)
    return np.asarray(np.abs(circle.T @ circle.conj()) / len(phase), dtype=np.float64)


def volley_period(delay: float, drive: float, kick: float, threshold: float, tau: float) -> float:
    """Return the period of equal cells that fire at once and inhibit each other after a delay, in ms.

    A cell relaxes from 0 towards the drive, is kicked down after the delay, and relaxes to the threshold:
    ``delay + tau log((drive exp(-delay / tau) + kick) / (drive - threshold))``.

    Parameters
    ----------
    delay : float
        Delay of the volley, ms; shorter than the period without it.
    drive, kick, threshold : float
        Potential that a cell tends to, size of the volley's inhibition, and threshold, mV.
    tau : float
        Membrane time constant, ms.

    Raises
    ------
    ParameterError
        If the drive does not reach the threshold, or if the volley comes after the next spike.
    """
    if drive <= threshold:
        raise ParameterError(f"drive must be above the threshold of {threshold:g} mV, not {drive:g}")
    alone = tau * float(np.log(drive / (drive - threshold)))
    if delay >= alone:
        raise ParameterError(f"delay must be below the period of {alone:.4g} ms, not {delay:g}")
    return delay + tau * float(np.log((drive * np.exp(-delay / tau) + kick) / (drive - threshold)))


def same_parts(bound: npt.NDArray[np.bool_], labels: IntArray) -> float:
    """Return for which share of pairs the parts and the labels agree on whether both are of one kind.

    Parameters
    ----------
    bound : (N, N) bool
        Which pairs are bound; a part is all that is bound directly or through others.
    labels : (N,) int64
        The kinds.
    """
    part = bound | bound.T | np.eye(len(bound), dtype=bool)
    for _ in range(len(bound).bit_length()):  # each round reaches twice as far
        part = part.astype(np.int64) @ part.astype(np.int64) > 0
    pairs = np.triu_indices(len(labels), 1)
    alike = (labels[:, None] == labels[None, :])[pairs]
    return float(np.mean(part[pairs] == alike))
