"""Assertions for users' tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.errors import ParameterError
from synloom.device.recording import Recording

__all__ = ["assert_spikes_equal"]

_Spikes = npt.NDArray[np.float64]
_MOST_SHOWN = 10
_FORMS = "two Recordings, two rasters (T, n) of bool or uint8, or two pairs (times, neurons)"


def assert_spikes_equal(a: Any, b: Any) -> None:
    """Check that two sides have the same spikes; if not, the message shows the first difference.

    Parameters
    ----------
    a, b : Recording, (T, n) bool or uint8, or (times, neurons)
        Both in the same form. Of recordings all populations are compared; times are (K,) numbers, neurons
        (K,) integers, in any order.

    Raises
    ------
    AssertionError
        If a spike, the length or a population is on one side only, or a spike is there more often. The
        message gives the step (or time), the neuron, who else fires then, and both counts.
    ParameterError
        If the sides have no form that can be compared.
    """
    __tracebackhide__ = True
    if isinstance(a, Recording) and isinstance(b, Recording):
        _check_frames(a, b)
        for label in sorted(a.sizes):
            sides = [_columns(r.spike_steps[label] - r.first, r.spike_indices[label]) for r in (a, b)]
            _compare(sides[0], sides[1], "step", f" of {label!r}")
    elif isinstance(a, tuple) and isinstance(b, tuple):
        _compare(_pairs("a", a), _pairs("b", b), "time", "")
    else:
        left, right = _raster("a", a), _raster("b", b)
        if left.shape != right.shape:
            raise AssertionError(f"the rasters have other shapes: {left.shape} in a, {right.shape} in b")
        _compare(_columns(*left.nonzero()), _columns(*right.nonzero()), "step", "")


def _check_frames(a: Recording, b: Recording) -> None:
    """Check that two recordings are of equal length and of the same populations."""
    __tracebackhide__ = True
    for what, left, right in (
        ("steps", a.steps, b.steps),
        ("time steps in ms", a.dt, b.dt),
        ("populations", dict(sorted(a.sizes.items())), dict(sorted(b.sizes.items()))),
    ):
        if left != right:
            raise AssertionError(f"the recordings have other {what}: {left} in a, {right} in b")


def _raster(name: str, value: Any) -> npt.NDArray[Any]:
    raster = np.asarray(value)
    if raster.ndim != 2 or raster.dtype not in (np.bool_, np.uint8):
        raise ParameterError(
            f"{name} must be one of {_FORMS}; it is a {type(value).__name__} of {raster.dtype} in "
            f"{raster.ndim} dimensions, or the other is in another form"
        )
    return raster


def _pairs(name: str, value: tuple[Any, ...]) -> _Spikes:
    if len(value) != 2:
        raise ParameterError(f"{name} must be a pair (times, neurons), not a tuple of {len(value)}")
    times, neurons = (np.asarray(part) for part in value)
    if times.ndim != 1 or times.shape != neurons.shape or (neurons.size and neurons.dtype.kind not in "iu"):
        raise ParameterError(
            f"{name} must be (times, neurons), (K,) numbers and (K,) integers, not {times.shape} "
            f"{times.dtype} and {neurons.shape} {neurons.dtype}"
        )
    return _columns(times, neurons)


def _columns(times: npt.ArrayLike, neurons: npt.ArrayLike) -> _Spikes:
    """Return (K, 2) float64: times and neurons."""
    return np.stack([np.asarray(times, dtype=np.float64), np.asarray(neurons, dtype=np.float64)], axis=1)


def _compare(a: _Spikes, b: _Spikes, unit: str, where: str) -> None:
    __tracebackhide__ = True
    (left, many), (right, more) = (np.unique(side, axis=0, return_counts=True) for side in (a, b))
    places, index = np.unique(np.concatenate([left, right]), axis=0, return_inverse=True)
    here, there = np.zeros(len(places), dtype=np.int64), np.zeros(len(places), dtype=np.int64)
    index = index.reshape(-1)
    here[index[: len(left)]], there[index[len(left) :]] = many, more
    wrong = np.flatnonzero(here != there)
    if not len(wrong):
        return
    time, neuron = places[wrong[0]]
    raise AssertionError(
        f"spikes{where} differ in {len(wrong):,} places; the first is {unit} {time:g}, neuron {neuron:g}: "
        f"{here[wrong[0]]} in a, {there[wrong[0]]} in b\n"
        f"at {unit} {time:g}: neurons {_neurons(a, time)} in a, {_neurons(b, time)} in b\n"
        f"neuron {neuron:g} fires {np.sum(a[:, 1] == neuron)} times in a, {np.sum(b[:, 1] == neuron)} in b\n"
        f"all spikes{where}: {len(a):,} in a, {len(b):,} in b"
    )


def _neurons(spikes: _Spikes, time: float) -> str:
    found = np.sort(spikes[spikes[:, 0] == time, 1]).astype(np.int64).tolist()
    rest = f", and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
    return f"{found[:_MOST_SHOWN]}{rest}"
