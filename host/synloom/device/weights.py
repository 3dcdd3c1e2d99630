"""Weights of a projection: conversion between the array's bytes and SI units."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError
from synloom.base.wording import shown
from synloom.contract.array_port import Port
from synloom.contract.memory import Write
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.image.image import Image
from synloom.image.places import InputInfo, PopulationInfo, ProjectionInfo

__all__ = ["raw_from_si", "read_raw", "si_from_raw", "writes_of_raw"]

Raw = npt.NDArray[np.int8]


def _ends(image: Image, info: ProjectionInfo) -> tuple[PopulationInfo | InputInfo, PopulationInfo]:
    pre = image.populations.get(info.pre) or image.inputs[info.pre]
    return pre, image.populations[info.post]


def _places(image: Image, info: ProjectionInfo) -> tuple[IntArray, IntArray, IntArray]:
    """Return source, row and target of each synapse, (K,) int64 each."""
    pre, row, post = image.synapses[info.first : info.first + info.count].astype(np.int64).T
    return pre, row, post


def read_raw(port: Port, image: Image, info: ProjectionInfo) -> Raw:
    """Read the weights of a projection as the array holds them, (n_pre, n_post) int8."""
    pre, post = _ends(image, info)
    sources, rows, targets = _places(image, info)
    memory, neurons = memory_of(image.params, Region.WEIGHTS), image.params.neurons
    used = np.unique(rows)
    blocks = [np.zeros((0, post.n), dtype=np.uint16)]
    for run in np.split(used, np.flatnonzero(np.diff(used) > 1) + 1):
        if 2 * post.n >= neurons and len(run):
            # Rows follow one another without gaps; one long read is faster than many short ones.
            count = (len(run) - 1) * neurons + post.n
            flat = np.zeros(len(run) * neurons, dtype=np.uint16)
            flat[:count] = port.read(memory.region, memory.offset(int(run[0]), post.first), count)
            blocks.append(flat.reshape(len(run), neurons)[:, : post.n])
        else:
            blocks += [
                port.read(memory.region, memory.offset(i, post.first), post.n)[None] for i in run.tolist()
            ]
    words = np.concatenate(blocks)
    raw = np.full((pre.n, post.n), image.params.weight_absent, dtype=np.int8)
    found = memory.unpack(words)["weight"].astype(np.int8).reshape(len(used), post.n)
    raw[sources, targets] = found[np.searchsorted(used, rows), targets]
    return raw


def writes_of_raw(image: Image, info: ProjectionInfo, raw: Raw) -> Iterator[Write]:
    """Yield what writes the weights of a projection as the array holds them, (n_pre, n_post) int8.

    Synapses of other projections in the same rows are left alone.
    """
    _, post = _ends(image, info)
    sources, rows, targets = _places(image, info)
    memory, neurons = memory_of(image.params, Region.WEIGHTS), image.params.neurons
    used = np.unique(rows)
    block = np.full((len(used), post.n), image.params.weight_absent, dtype=np.int8)
    # What else is in these rows, for the same targets, is no synapse or another projection's.
    others = image.weights[used, post.first : post.first + post.n] != image.params.weight_absent
    others[np.searchsorted(used, rows), targets] = False
    block[np.searchsorted(used, rows), targets] = raw[sources, targets]
    mine = ~others
    places = (used[:, None] * neurons + np.arange(post.first, post.first + post.n))[mine]
    weights = block[mine]
    begins = np.flatnonzero(np.diff(places, prepend=-2) > 1).tolist()
    for begin, end in pairwise([*begins, len(places)]):
        yield memory.write({"weight": weights[begin:end]}, int(places[begin]))


def _lsb(image: Image, info: ProjectionInfo) -> tuple[FloatArray, FloatArray]:
    post = image.populations[info.post]
    exc = 2.0 ** (info.shift + post.gain_exc) * post.i_lsb_exc
    return exc, 2.0 ** (info.shift + post.gain_inh) * post.i_lsb_inh


def si_from_raw(image: Image, info: ProjectionInfo, raw: Raw) -> FloatArray:
    """Return weights, (n_pre, n_post) float64, in nA (mV for delta synapses); NaN is *no synapse*."""
    exc, inh = _lsb(image, info)
    values = np.where(raw >= 0, raw * exc, raw * inh)
    return np.where(raw == image.params.weight_absent, np.nan, values)


def raw_from_si(image: Image, info: ProjectionInfo, weights: npt.ArrayLike) -> Raw:
    """Return weights as the array holds them, (n_pre, n_post) int8.

    Parameters
    ----------
    image : Image
        The loaded image.
    info : ProjectionInfo
        The projection.
    weights : (n_pre, n_post) array_like
        Weights in nA (mV for delta synapses), NaN where there is no synapse.

    Raises
    ------
    ParameterError
        If the shape is wrong, a weight is out of range, or NaN is not where synapses are missing.
    """
    pre, post = _ends(image, info)
    try:
        wanted = np.asarray(weights, dtype=np.float64)
    except (OverflowError, TypeError, ValueError):
        raise ParameterError(
            f"weights of {info.label!r} must be numbers in a regular array, not {shown(weights)}"
        ) from None
    if np.asarray(weights).dtype.kind == "b" or np.asarray(weights).dtype == np.int8:
        raise ParameterError(
            f"weights of {info.label!r} must be in SI units, not {np.asarray(weights).dtype}: read_weights "
            f"without raw=True gives them"
        )
    if wanted.shape != (pre.n, post.n):
        raise ParameterError(
            f"weights of {info.label!r} must have shape {(pre.n, post.n)}, not {wanted.shape}"
        )
    absent = image.params.weight_absent
    missing = np.ones((pre.n, post.n), dtype=bool)
    sources, _, targets = _places(image, info)
    missing[sources, targets] = False
    wrong = np.argwhere(missing != np.isnan(wanted))
    if len(wrong):
        i, j = wrong[0].tolist()
        fault = (
            "has no synapse, so its weight must be NaN"
            if missing[i, j]
            else "has a synapse, so it needs a weight"
        )
        raise ParameterError(f"projection {info.label!r}: the pair ({i}, {j}) {fault}")
    exc, inh = _lsb(image, info)
    with np.errstate(over="ignore"):
        steps = np.rint(np.where(missing, 0.0, wanted) / np.where(wanted >= 0.0, exc, inh))
    most = image.params.weight_max
    bad = np.abs(steps) > most
    if bad.any():
        raise ParameterError(
            f"weights of {info.label!r} must be in {-most * inh.min():.6g}..{most * exc.min():.6g}, "
            f"not {wanted[bad][0]:g}; compile the network with weights of that size"
        )
    return np.where(missing, absent, steps).astype(np.int8)
