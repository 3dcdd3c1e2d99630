"""The grid of steps: the nearest step of a time, and the warning where a time is moved."""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np
from pyNN import errors

from synloom.base.checks import FloatArray, IntArray, nearest_steps

__all__ = ["moved", "nearest", "warn_moved"]

_OFF_GRID: Final = 0.02
"""What is nearer to a step, in steps, is on it: times come in few digits, or in 32 bits."""
_FAR: Final = 1e9
"""A time in ms that no run reaches: PyNN's sources go on until 1e10 or 1e12 ms by default."""
_NEVER: Final = 1 << 60


def nearest(times: Any, dt: float) -> IntArray:
    """Return the nearest step of each time, int64; half a step goes to the next one, infinity is never."""
    return np.minimum(nearest_steps(times, dt), _NEVER).astype(np.int64)


def moved(times: FloatArray, dt: float) -> int:
    """Return how many times are between steps."""
    near = times[times < _FAR]
    return int((np.abs(nearest(near, dt) - near / dt) > _OFF_GRID).sum())


def warn_moved(times: Any, dt: float, what: str) -> None:
    """Warn with PyNN's RoundingWarning if some times, which `what` names, are between steps."""
    values = np.ravel(np.asarray(times, dtype=np.float64))
    count = moved(values, dt)
    if count:
        warnings.warn(
            f"{count} of {len(values)} {what} are between steps of {dt:g} ms and act at the nearest one",
            errors.RoundingWarning,
            stacklevel=3,
        )
