"""The distance between two recordings of the same network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Distance", "distance"]

_WINDOW = 50
"""Largest distance of two spikes in steps that are matched."""


@dataclass(frozen=True)
class Distance:
    """The distance of a recording to its reference.

    Attributes
    ----------
    spikes, unmatched : int
        Spikes of the reference; spikes of either recording without a match within 50 steps.
    shift_max, shift_mean : float
        Distance of matched spikes, in steps.
    v_max, v_rms : float
        Error of V in mV, at all steps at which the last spikes of both recordings are in the same step.
    """

    spikes: int
    unmatched: int
    shift_max: int
    shift_mean: float
    v_max: float
    v_rms: float


def distance(
    raster: npt.NDArray[np.bool_],
    v: npt.NDArray[np.float64],
    reference_raster: npt.NDArray[np.bool_],
    reference_v: npt.NDArray[np.float64],
) -> Distance:
    """Compare spikes and potentials.

    Parameters
    ----------
    raster, reference_raster : (T, N) bool
        Whether each neuron fired in each step.
    v, reference_v : (T, N) float64
        Potentials at the end of each step, in mV.
    """
    shifts: list[int] = []
    unmatched = 0
    for got, wanted in zip(raster.T, reference_raster.T, strict=True):
        found, alone = _match(np.flatnonzero(got).tolist(), np.flatnonzero(wanted).tolist())
        shifts += found
        unmatched += alone
    comparable = _last_spike(raster) == _last_spike(reference_raster)
    error = np.abs(v - reference_v)[comparable]
    return Distance(
        spikes=int(np.count_nonzero(reference_raster)),
        unmatched=unmatched,
        shift_max=max(shifts, default=0),
        shift_mean=float(np.mean(shifts)) if shifts else 0.0,
        v_max=float(error.max()),
        v_rms=float(np.sqrt(np.mean(error**2))),
    )


def _match(got: list[int], wanted: list[int]) -> tuple[list[int], int]:
    """Match two ascending lists of steps, in order; return the shifts and the number without a match."""
    shifts: list[int] = []
    i = j = 0
    while i < len(got) and j < len(wanted):
        shift = got[i] - wanted[j]
        if abs(shift) <= _WINDOW:
            shifts.append(abs(shift))
        i += shift <= _WINDOW
        j += shift >= -_WINDOW
    return shifts, len(got) + len(wanted) - 2 * len(shifts)


def _last_spike(raster: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the step of the last spike up to each step, (T, N) int64; -1 before the first."""
    steps = np.arange(len(raster))[:, None]
    last: npt.NDArray[np.int64] = np.maximum.accumulate(np.where(raster, steps, -1), axis=0)
    return last
