"""Stimuli: spikes in the forms that users give them, converted to events of (step, input id)."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np

from synloom.base.checks import IntArray, steps_of
from synloom.base.errors import ParameterError
from synloom.image.places import InputInfo

__all__ = ["events_from", "indices_from"]


def events_from(spikes: Any, info: InputInfo, now: int, dt: float) -> IntArray:
    """Return the events of some spikes, (K, 2) int64 of (step, input id).

    Parameters
    ----------
    spikes : (T, n) array of bool or uint8, or sequence of (ms, index)
        A raster, whose row 0 is step `now`; or pairs, whose times count from step `now`.
    info : InputInfo
        The input population; its delays are added.
    now : int
        The next step.
    dt : float
        Time step, ms.

    Raises
    ------
    ParameterError
        If the spikes have another form, or a time or an index is out of range.
    """
    array = _array(spikes, info)
    if array.dtype.kind == "b" or array.dtype == np.uint8:
        if array.ndim != 2 or array.shape[1] != info.n:
            raise ParameterError(
                f"a raster for {info.label!r} must have shape (T, {info.n}), not {array.shape}"
            )
        steps, index = (part.astype(np.int64) for part in np.nonzero(array))
    else:
        if array.size == 0:
            return np.zeros((0, 2), dtype=np.int64)
        if array.ndim != 2 or array.shape[1] != 2:
            raise ParameterError(
                f"spikes for {info.label!r} must be a raster of bool or uint8 with shape (T, {info.n}), "
                f"or pairs of (ms, index), not an array of {array.dtype} with shape {array.shape}"
            )
        times, number = array.astype(np.float64).T
        early = ~(np.isfinite(times) & (times >= 0.0))
        if early.any():
            raise ParameterError(
                f"spike times for {info.label!r} must be finite and at least 0 ms from now, "
                f"not {times[early][0]:g} ms"
            )
        steps = steps_of(f"spike times for {info.label!r}", times, dt)
        index = _check_index(number, info)
    return np.stack([now + steps + info.delay[index], info.source + index], axis=1)


def indices_from(spikes: Any, info: InputInfo) -> IntArray:
    """Return channel indices, (K,) int64, from a row (n,) of bool or uint8 or from a sequence of indices.

    Raises
    ------
    ParameterError
        If the spikes have another form, or an index is out of range.
    """
    array = _array(spikes, info)
    if array.dtype.kind == "b" or array.dtype == np.uint8:
        if array.shape != (info.n,):
            raise ParameterError(f"a row for {info.label!r} must have shape ({info.n},), not {array.shape}")
        return np.flatnonzero(array).astype(np.int64)
    return _check_index(array.reshape(-1).astype(np.float64), info)


def _array(spikes: Any, info: InputInfo) -> Any:
    try:
        array = np.asarray(spikes)
    except ValueError:
        array = np.asarray("ragged")
    if array.dtype.kind not in "biuf":
        raise ParameterError(
            f"spikes for {info.label!r} must be numbers in a regular array, not {reprlib.repr(spikes)} "
            f"({type(spikes).__name__})"
        )
    return array


def _check_index(number: Any, info: InputInfo) -> IntArray:
    bad = (number != np.rint(number)) | (number < 0) | (number >= info.n)
    if bad.any():
        raise ParameterError(f"indices of {info.label!r} must be in 0..{info.n - 1}, not {number[bad][0]:g}")
    return np.asarray(number, dtype=np.int64)
