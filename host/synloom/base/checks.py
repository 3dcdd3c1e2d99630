"""Checks of what users pass in: one clear error that gives name, value and allowed range."""

from __future__ import annotations

import numbers
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.errors import ParameterError

__all__ = [
    "HUGE",
    "FloatArray",
    "IntArray",
    "choice",
    "label_of",
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
"""Largest magnitude of a potential, current or weight: above any sense, and safe to calculate with."""
_MAX_STEPS: Final = 2**31


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
    """Return `value` as a float64 array of 0 or 1 dimensions, checked.

    Parameters
    ----------
    name : str
        What the value is, for the message.
    value : number or array_like
        A number or a sequence of numbers; booleans, NaN and text are refused.
    low, high : float
        Allowed range, ends included.
    above : bool
        Exclude `low` itself.
    infinite : bool
        Allow infinities that lie within `low`..`high`.

    Raises
    ------
    ParameterError
        If a number is missing, not finite or out of range.
    """
    try:
        raw = np.asarray(value)
        if raw.dtype.kind not in "iuf":
            raise TypeError
        array = raw.astype(np.float64)
    except (TypeError, ValueError):
        raise ParameterError(
            f"{name} must be a number or an array of numbers, not {value!r} ({type(value).__name__})"
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
    """Return one checked float; see `reals`."""
    array = reals(name, value, low=low, high=high, above=above, infinite=infinite)
    if array.ndim:
        raise ParameterError(f"{name} must be one number, not an array of shape {array.shape}")
    return float(array)


def steps_of(name: str, times: FloatArray, dt: float) -> IntArray:
    """Return `times` (ms, at least 0) in whole steps of `dt` ms, as int64 of the same shape.

    Raises
    ------
    ParameterError
        If a time is 2**31 steps or more.
    """
    with np.errstate(over="ignore"):
        steps = np.rint(times / dt)
    if not (steps < _MAX_STEPS).all():
        raise ParameterError(
            f"{name} must be under {_MAX_STEPS} steps of {dt:g} ms ({_MAX_STEPS * dt:g} ms), "
            f"not {float(np.max(times)):g} ms; are the times in ms?"
        )
    return np.asarray(steps, dtype=np.int64)


def whole(name: str, value: Any, low: int, high: int) -> int:
    """Return `value` as an int within `low`..`high`."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise ParameterError(f"{name} must be a whole number (int), not {value!r} ({type(value).__name__})")
    number = int(value)
    if not low <= number <= high:
        raise ParameterError(f"{name} must be in {low}..{high}, not {number}")
    return number


def choice(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """Return `value`, which must be one of the `allowed` words."""
    if not isinstance(value, str) or value not in allowed:
        raise ParameterError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")
    return value


def switch(name: str, value: Any) -> bool:
    """Return `value`, which must be a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise ParameterError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def label_of(which: Any) -> str:
    """Return the label of a population or projection, which may be given by its label."""
    label = which if isinstance(which, str) else getattr(which, "label", None)
    if not isinstance(label, str):
        raise ParameterError(f"give a population or projection of the network, or its label, not {which!r}")
    return label


def per_item(name: str, value: FloatArray, n: int) -> FloatArray:
    """Return `value` spread to (n,), or say that its length is wrong."""
    if value.ndim and len(value) != n:
        raise ParameterError(f"{name} must be a number or an array of length {n}, not of length {len(value)}")
    return np.broadcast_to(value, (n,)).astype(np.float64)
