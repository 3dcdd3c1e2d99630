"""Time surfaces: what has just happened around an event, and where on the sensor its feature is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError

__all__ = ["pooled_counts", "time_surfaces"]


def time_surfaces(
    events: npt.NDArray[Any],
    *,
    side: int,
    radius: int = 3,
    tau_ms: float = 25.0,
) -> FloatArray:
    """Return the surroundings of events in time, (n, width * width) float64 with width = 2 * radius + 1.

    A value is ``exp(-age / tau)`` of the last event of a pixel that has the polarity of the event in the
    middle: 1 if it is just now, as the event itself, and 0 if there was none, as outside of the sensor.
    Values are row by row.

    Parameters
    ----------
    events : (n,) of `synloom.demo.motion.EVENT`
        Events by time.
    side : int
        Pixels of a side of the sensor.
    radius : int
        How far the surroundings reach, in pixels.
    tau_ms : float
        Time constant of forgetting.

    Raises
    ------
    ParameterError
        If `radius` or `tau_ms` is out of range.

    References
    ----------
    Lagorce, Orchard, Galluppi, Shi and Benosman 2017, HOTS, *IEEE Transactions on Pattern Analysis and
    Machine Intelligence* 39(7).
    """
    if radius < 0 or tau_ms <= 0.0:
        raise ParameterError(f"radius must be at least 0 and tau_ms above 0, not {radius} and {tau_ms:g}")
    width = 2 * radius + 1
    last = np.full((2, side + 2 * radius, side + 2 * radius), -np.inf)
    ages = np.empty((len(events), width, width))
    columns = (events["t"] / 1000.0, events["x"], events["y"], events["p"])
    for k, (t, x, y, p) in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
        last[p, y + radius, x + radius] = t
        ages[k] = t - last[p, y : y + width, x : x + width]
    return np.asarray(np.exp(-ages / tau_ms).reshape(len(events), -1))


def pooled_counts(
    events: npt.NDArray[Any],
    features: IntArray,
    weights: npt.ArrayLike = 1.0,
    *,
    number: int,
    side: int,
    parts: int,
) -> FloatArray:
    """Return how often each feature was found in each part of the sensor, (number * parts * parts,) float64.

    Parameters
    ----------
    events : (K,) of `synloom.demo.motion.EVENT`
        Events; one that has several features comes several times.
    features : (K,) int
        The feature of each event, 0 to `number` - 1.
    weights : float or (K,) float
        How much each event counts.
    number : int
        How many features there are.
    side, parts : int
        The sensor of `side` x `side` pixels is divided into `parts` x `parts` parts.
    """
    row, column = (events[axis].astype(np.int64) * parts // side for axis in ("y", "x"))
    index = (np.asarray(features, dtype=np.int64) * parts + row) * parts + column
    each = np.broadcast_to(np.asarray(weights, dtype=np.float64), index.shape)
    counts = np.bincount(index, weights=each, minlength=number * parts**2)
    return np.asarray(counts, dtype=np.float64)
