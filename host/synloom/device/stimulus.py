"""Stimuli: spikes in the forms that users give them, converted to events (`synloom.device.events`).

Data that could be read in two ways is refused: a wrong guess would be a wrong result without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from synloom.base.checks import FloatArray, IntArray
from synloom.base.checks import steps_of as whole_steps
from synloom.base.errors import ParameterError
from synloom.base.warning import warn
from synloom.base.wording import shown
from synloom.compiler.stimulus import OFF_GRID
from synloom.device.events import NO_EVENTS, events_at
from synloom.image.places import InputInfo, PopulationInfo

__all__ = [
    "Receiver",
    "dimensions",
    "events_from",
    "raster_events",
    "raster_rows",
    "step_events",
    "steps_from_now",
    "warn_of_merging",
]

Receiver = InputInfo | PopulationInfo
"""What spikes are for: inputs, or neurons that they force to fire."""


def events_from(spikes: Any, info: Receiver, now: int, dt: float) -> IntArray:
    """Return the events of some spikes, (K,) int64; repeated spikes are repeated.

    Parameters
    ----------
    spikes : (T, n) array of bool or uint8, or sequence of (ms, index)
        A raster, whose row 0 is step `now`; or pairs, whose times count from step `now`.
    info : InputInfo or PopulationInfo
        Input population, whose delays are added, or neurons.
    now : int
        The next step.
    dt : float
        Time step, ms.

    Raises
    ------
    ParameterError
        If the spikes have another form or one that has two meanings, or a time or an index is out of range.
    """
    forms = (
        f"give a raster of bool or uint8 with shape (T, {info.n}), a row for each step, or a list of pairs "
        f"(ms, index), such as [(0.0, 0), (2.5, 0)]"
    )
    array = _array(spikes, info, forms)
    if _is_raster(array):
        if array.ndim == 2 and array.shape[1] == 2 and array.dtype == np.uint8 and (array > 1).any():
            raise ParameterError(
                f"an array of uint8 with two columns and numbers above 1 for {info.label!r} may be a raster "
                f"with counts or pairs; {forms}"
            )
        return raster_events(array, info, now, forms)
    if array.size == 0:
        return NO_EVENTS
    if array.ndim != 2 or array.shape[1] != 2 or _is_columns(spikes):
        raise ParameterError(
            f"spikes for {info.label!r} must be a raster or pairs, not {_described(spikes, array)}; {forms}"
        )
    if info.n == 2 and not _is_list_of_tuples(spikes) and np.isin(array, (0, 1)).all():
        raise ParameterError(
            f"zeros and ones in two columns for the two {_unit(info)}s of {info.label!r} may be a raster or "
            f"pairs; {forms}"
        )
    times, number = array.astype(np.float64).T
    early = ~(np.isfinite(times) & (times >= 0.0))
    if early.any():
        raise ParameterError(
            f"spike times for {info.label!r} must be finite and at least 0 ms from now, "
            f"not {times[early][0]:g} ms"
        )
    index = _check_index(number, info)
    return _due(now + steps_from_now(f"spike times for {info.label!r}", times, dt), index, info)


def steps_from_now(what: str, times: FloatArray, dt: float) -> IntArray:
    """Return times (ms from now, at least 0) as steps, (K,) int64; warn of those between two steps.

    Parameters
    ----------
    what : str
        What the times are, in the plural.
    times : (K,) float64
    dt : float
        Time step, ms.

    Raises
    ------
    ParameterError
        If a time is 2**31 steps or more.
    """
    steps = whole_steps(what, times, dt)
    off = np.abs(steps * dt - times)
    if (moved := off > OFF_GRID * dt).any():
        warn(
            f"{int(moved.sum())} of {len(times)} {what} are between steps of {dt:g} "
            f"ms and act at the nearest one, up to {off.max():.3g} ms off (half a step rounds up); give "
            f"multiples of dt, or use a smaller dt"
        )
    return steps


def raster_events(raster: Any, info: Receiver, now: int, forms: str = "") -> IntArray:
    """Return the events, (K,) int64, of a raster whose row 0 is step `now`; a count of k is k events.

    Raises
    ------
    ParameterError
        If it is no (T, n) array of bool or uint8; `forms` says what is accepted.
    """
    forms = forms or f"give a raster of bool or uint8 with shape (T, {info.n}), a row for each step"
    array = _array(raster, info, forms)
    if not _is_raster(array) or array.ndim != 2 or array.shape[1] != info.n:
        raise ParameterError(
            f"a raster for {info.label!r} must be of bool or uint8 and have shape (T, {info.n}), not "
            f"{_described(raster, array)}; {forms}"
        )
    steps, index = array.nonzero()
    if array.dtype == np.uint8 and (counts := array[steps, index]).max(initial=0) > 1:
        steps, index = steps.repeat(counts), index.repeat(counts)
    return _due(now + steps, index, info)


def dimensions(stimulus: Any) -> int:
    """Return the number of dimensions of a stimulus; 1 if it is no regular array."""
    try:
        return np.ndim(stimulus)
    except ValueError:
        return 1


def raster_rows(spikes: Any) -> int | None:
    """Return the number of rows of a raster; None if these spikes are no raster."""
    try:
        array = np.asarray(spikes)
    except ValueError:
        return None
    return len(array) if _is_raster(array) and array.ndim == 2 else None


def step_events(spikes: Any, info: Receiver, now: int) -> IntArray:
    """Return the events, (K,) int64, of one step.

    Parameters
    ----------
    spikes : (n,) array of bool or uint8, or sequence of int
        A row of a raster, or the channels or neurons that spike.
    info : InputInfo or PopulationInfo
        Input population, whose delays are added, or neurons.
    now : int
        The step.

    Raises
    ------
    ParameterError
        If the spikes have another form or one that has two meanings, or an index is out of range or given
        twice.
    """
    if type(spikes) is np.ndarray and spikes.dtype == np.bool_ and spikes.shape == (info.n,):
        # What closed loops give most: nothing to be checked.
        return _due(now, spikes.nonzero()[0], info)
    few = spikes.tolist() if type(spikes) is np.ndarray and spikes.dtype == np.int64 else spikes
    if _are_indices(few, info.n):
        return _due(now, np.array(few, dtype=np.int64), info)
    forms = (
        f"give a row of bool or uint8 with shape ({info.n},), or the indices of the {_unit(info)}s that "
        f"spike, as whole numbers (to let all {_unit(info)}s spike, give np.ones({info.n}, dtype=bool))"
    )
    array = _array(spikes, info, forms)
    if _is_raster(array):
        if array.shape != (info.n,):
            raise ParameterError(
                f"a row for {info.label!r} must have shape ({info.n},), not {array.shape}; {forms}"
            )
        (index,) = array.nonzero()
        if array.dtype == np.uint8:
            index = index.repeat(array[index])
        return _due(now, index, info)
    if array.size == 0 and array.ndim == 1:
        return NO_EVENTS
    if array.ndim != 1 or array.dtype.kind == "f":
        raise ParameterError(
            f"the spikes of a step for {info.label!r} must be a row or indices, not "
            f"{_described(spikes, array)}; {forms}"
        )
    if len(array) == info.n and np.isin(array, (0, 1)).all():
        raise ParameterError(
            f"as many whole numbers as {info.label!r} has {_unit(info)}s ({info.n}), all of them 0 or 1, may "
            f"be a row or indices; {forms}"
        )
    index = _check_index(array, info)
    if len(np.unique(index)) < len(index):
        raise ParameterError(
            f"indices for {info.label!r} must differ, since a {_unit(info)} spikes at most once a "
            f"step; {forms}"
        )
    return _due(now, index, info)


def _are_indices(spikes: Any, n: int) -> bool:
    """Return whether this is a list of a few indices of `n` that all differ; else it must be looked at."""
    return (
        type(spikes) is list
        and 0 < len(spikes) < n
        and set(map(type, spikes)) == {int}
        and min(spikes) >= 0
        and max(spikes) < n
        and len(set(spikes)) == len(spikes)
    )


def _due(steps: IntArray | int, index: IntArray, info: Receiver) -> IntArray:
    # A forced neuron fires in the step itself: its delay is that of the spike which it then sends.
    delay = info.delay[index] if isinstance(info, InputInfo) else 0
    return events_at(delay + steps, index + info.source)


def _unit(info: Receiver) -> str:
    return "channel" if isinstance(info, InputInfo) else "neuron"


def warn_of_merging(merged: int, given: int, receivers: Sequence[Receiver], dt: float) -> None:
    """Warn that `merged` of the `given` spikes do not act."""
    if merged:
        labels = ", ".join(map(repr, dict.fromkeys(info.label for info in receivers)))
        unit = " or ".join(sorted({_unit(info) for info in receivers}))
        warn(
            f"{merged} of {given} spikes for {labels} are for a step "
            f"and {unit} that has one already, and do not act: a {unit} spikes at most once a step "
            f"({dt:g} ms). They are counted in inputs_merged; use more {unit.replace(' or ', 's or ')}s, "
            f"a larger weight or a smaller dt"
        )


def _array(spikes: Any, info: Receiver, forms: str) -> Any:
    try:
        array = np.asarray(spikes)
    except ValueError:
        array = np.asarray("ragged")
    if array.dtype.kind not in "biuf":
        raise ParameterError(
            f"spikes for {info.label!r} must be numbers in a regular array, not {shown(spikes)} "
            f"({type(spikes).__name__}); {forms}"
        )
    return array


def _is_raster(array: Any) -> bool:
    return bool(array.dtype.kind == "b" or array.dtype == np.uint8)


def _is_columns(spikes: Any) -> bool:
    """Return whether this is (times, indices), as `Recording.spikes` returns them, and no list of pairs."""
    if not isinstance(spikes, (tuple, list)) or len(spikes) != 2:
        return False
    kinds = (np.ndarray, list) if isinstance(spikes, tuple) else np.ndarray
    return all(isinstance(part, kinds) for part in spikes)


def _is_list_of_tuples(spikes: Any) -> bool:
    return isinstance(spikes, (tuple, list)) and all(isinstance(pair, tuple) for pair in spikes)


def _described(spikes: Any, array: Any) -> str:
    if _is_columns(spikes):
        return f"a {type(spikes).__name__} of arrays (for pairs, write np.stack(..., axis=1))"
    return f"an array of {array.dtype} with shape {array.shape}"


def _check_index(number: Any, info: Receiver) -> IntArray:
    bad = (number != np.rint(number)) | (number < 0) | (number >= info.n)
    if bad.any():
        raise ParameterError(f"indices of {info.label!r} must be in 0..{info.n - 1}, not {number[bad][0]:g}")
    return np.asarray(number, dtype=np.int64)
