"""Checks of arguments: one error that gives the name, the value and the allowed range."""

from __future__ import annotations

import numbers
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.errors import ParameterError
from synloom.base.wording import shown

__all__ = [
    "HUGE",
    "FloatArray",
    "IntArray",
    "choice",
    "label_of",
    "nearest_steps",
    "per_item",
    "real",
    "reals",
    "steps_of",
    "switch",
    "whole",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

HUGE: Final = 1e9
"""Largest magnitude of a potential, current or weight: beyond any realistic value, and free of overflow."""
_MAX_STEPS: Final = 2**31
_SAME_STEP: Final = 1e-6
"""Times that differ by less than this part of a step are equal: 0.15 / 0.1 is not quite 1.5."""


def _range_text(low: float, high: float, above: bool) -> str:
    if np.isinf(high):
        return f"{'above' if above else 'at least'} {low:g}" if np.isfinite(low) else "a finite number"
    return f"in {'(' if above else '['}{low:g}, {high:g}]"


def reals(
    name: str,
    value: Any,
    *,
    low: float = -np.inf,
    high: float = np.inf,
    above: bool = False,
    infinite: bool = False,
) -> FloatArray:
    """Return `value` as a checked float64 array of 0 or 1 dimensions.

    Parameters
    ----------
    name : str
        Name of the value, for the message.
    value : number or array_like
        A number or a sequence of numbers; booleans, NaN and text are refused.
    low, high : float
        Allowed range, bounds included.
    above : bool
        Exclude `low` itself.
    infinite : bool
        Allow infinities within `low`..`high`.

    Raises
    ------
    ParameterError
        If `value` is not numeric, is empty, has two or more dimensions, or has a number that is not finite or
        out of range.
    """
    try:
        raw = np.asarray(value)
        if raw.dtype.kind not in "iuf":
            raise TypeError
        array = raw.astype(np.float64)
    except (TypeError, ValueError):
        raise ParameterError(
            f"{name} must be a number or an array of numbers, not {shown(value)} ({type(value).__name__})"
        ) from None
    if array.ndim > 1 or array.size == 0:
        raise ParameterError(f"{name} must be a number or a 1-D array, not an array of shape {array.shape}")
    bad = np.isnan(array) | (array < low) | (array > high)
    bad |= np.zeros_like(bad) if infinite else np.isinf(array)
    if above:
        bad |= array == low
    if bad.any():
        wrong = array[bad].flat[0] if array.ndim else float(array)
        raise ParameterError(f"{name} must be {_range_text(low, high, above)}, not {wrong:g}")
    return array


def real(
    name: str,
    value: Any,
    *,
    low: float = -np.inf,
    high: float = np.inf,
    above: bool = False,
    infinite: bool = False,
) -> float:
    """Return `value` as one checked float; parameters and errors are those of `reals`."""
    array = reals(name, value, low=low, high=high, above=above, infinite=infinite)
    if array.ndim:
        raise ParameterError(f"{name} must be one number, not an array of shape {array.shape}")
    return float(array)


def nearest_steps(times: Any, dt: float) -> FloatArray:
    """Return `times` (ms) as whole numbers of steps of `dt` ms, float64 of the same shape.

    Half a step rounds up, so times at a distance of one step never share a step. A time within a millionth of
    a step below the middle counts as the middle, since decimals have no exact binary form.
    """
    with np.errstate(over="ignore"):
        steps = np.asarray(times, dtype=np.float64) / dt
    return np.asarray(np.floor(steps + (0.5 + _SAME_STEP)), dtype=np.float64)


def steps_of(name: str, times: FloatArray, dt: float) -> IntArray:
    """Return `times` (ms, at least 0) as numbers of steps of `dt` ms, int64; rounds like `nearest_steps`.

    Raises
    ------
    ParameterError
        If a time is 2**31 steps or more.
    """
    steps = nearest_steps(times, dt)
    if not (steps < _MAX_STEPS).all():
        raise ParameterError(
            f"{name} must be under {_MAX_STEPS} steps of {dt:g} ms ({_MAX_STEPS * dt:g} ms), "
            f"not {float(np.max(times)):g} ms; check that the times are in ms"
        )
    return np.asarray(steps, dtype=np.int64)


def whole(name: str, value: Any, low: int, high: int) -> int:
    """Return `value` as an int, checked to be a whole number within `low`..`high`.

    Raises
    ------
    ParameterError
        If it is not; floats and booleans are refused.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise ParameterError(
            f"{name} must be a whole number (int), not {shown(value)} ({type(value).__name__})"
        )
    number = int(value)
    if not low <= number <= high:
        raise ParameterError(f"{name} must be in {low}..{high}, not {shown(number)}")
    return number


def choice(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """Return `value`, checked to be one of the `allowed` words.

    Raises
    ------
    ParameterError
        If it is not.
    """
    if not isinstance(value, str) or value not in allowed:
        raise ParameterError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {shown(value)}")
    return value


def switch(name: str, value: Any) -> bool:
    """Return `value` as a bool, checked to be one.

    Raises
    ------
    ParameterError
        If it is not.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ParameterError(f"{name} must be True or False, not {shown(value)}")
    return bool(value)


def label_of(which: Any) -> str:
    """Return the label of a population or projection, given as the object or as its label.

    Raises
    ------
    ParameterError
        If `which` is neither.
    """
    label = which if isinstance(which, str) else getattr(which, "label", None)
    if not isinstance(label, str):
        raise ParameterError(
            f"give a population or projection of the network or its label, not {shown(which)}"
        )
    return label


def per_item(name: str, value: FloatArray, n: int) -> FloatArray:
    """Return `value`, () or (n,), broadcast to (n,) float64.

    Raises
    ------
    ParameterError
        If it has another length.
    """
    if value.ndim and len(value) != n:
        raise ParameterError(f"{name} must be a number or an array of length {n}, not of length {len(value)}")
    return np.broadcast_to(value, (n,)).astype(np.float64)
