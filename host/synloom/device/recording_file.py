"""Recordings as files: NumPy archives that are checked when they are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.archive import Archive, packed
from synloom.base.atomic_files import write_whole
from synloom.base.checks import FloatArray, IntArray, real, whole
from synloom.base.errors import ParameterError
from synloom.base.wording import shown

__all__ = ["MOST_BYTES", "Contents", "read_contents", "write_contents"]

_FORMAT: Final = 1
_MOST_TIME: Final = 2**48
"""The last first step: with steps of 1 us it comes after 8 years."""
_MOST_STEPS: Final = 2**40
"""Steps of a recording: a run has under 2**32, and several may be joined."""
_MOST_SIDE: Final = 4096
_MOST_HEADER: Final = 16 << 20
MOST_BYTES: Final = 1 << 30
"""Most bytes of the arrays of a file, if nothing else is said."""


class _OtherVersionError(ParameterError):
    """The file is a recording, but not one that this version reads."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file keeps of a recording; all but what its cost is computed from."""

    first: int
    steps: int
    dt: float
    sizes: Mapping[str, int]
    spikes: Mapping[str, tuple[IntArray, IntArray]]
    series: Mapping[tuple[str, str], tuple[IntArray, IntArray, FloatArray]]
    weights: Mapping[str, tuple[FloatArray, FloatArray]]


def write_contents(path: Path, contents: Contents) -> None:
    """Write a file, whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    header = {
        "format": _FORMAT,
        "first": contents.first,
        "steps": contents.steps,
        "dt": contents.dt,
        "sizes": dict(contents.sizes),
        "series": [list(key) for key in contents.series],
        "weights": list(contents.weights),
        "weight_shapes": [list(values.shape[1:]) for _, values in contents.weights.values()],
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "header": np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    }
    for k, label in enumerate(contents.sizes):
        arrays[f"spikes{k}"] = np.stack(contents.spikes[label])
    for k, (steps, indices, values) in enumerate(contents.series.values()):
        arrays |= {f"steps{k}": steps, f"indices{k}": indices, f"values{k}": values}
    for k, (times, values) in enumerate(contents.weights.values()):
        arrays |= {f"weight_times{k}": times, f"weights{k}": values}
    write_whole(path, packed(arrays))


def read_contents(path: Path, most: int) -> Contents:
    """Return what a file has; all of it is checked.

    Raises
    ------
    OSError
        If it cannot be read.
    ParameterError
        If it is no such file, is damaged, or has another format.
    """
    try:
        with Archive(path) as archive:
            size = sum(member.size for member in archive.members.values())
            if size > most:
                raise ParameterError(f"its arrays have {size:,} bytes; at most {most:,} are allowed")
            return _contents(archive, most)
    except _OtherVersionError as error:
        raise ParameterError(f"{path}: {error}") from error
    except (ParameterError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ParameterError(f"{path}: this is no recording, or a damaged one: {error}") from error


def _contents(archive: Archive, most: int) -> Contents:
    text = archive.read("header", _MOST_HEADER)
    if text.dtype != np.uint8 or text.ndim != 1:
        raise ParameterError("its header is no text")
    header = json.loads(text.tobytes().decode())
    if not isinstance(header, dict) or type(header.get("format")) is not int:
        raise ParameterError("its header has no number of a format")
    if header["format"] != _FORMAT:
        raise _OtherVersionError(
            f"written by another version of Synloom (format {shown(header['format'])}; "
            f"this one reads {_FORMAT})"
        )
    first = whole("first", header.get("first"), 0, _MOST_TIME)
    steps = whole("steps", header.get("steps"), 0, _MOST_STEPS)
    dt = real("dt", header.get("dt"), low=1e-3, high=1e3)
    sizes, names = header.get("sizes"), header.get("series")
    if not isinstance(sizes, dict) or not isinstance(names, list):
        raise ParameterError("sizes and series must be a table and a list")
    sizes = {label: whole(f"size of {label!r}", n, 1, _MOST_SIDE) for label, n in sizes.items()}
    spikes = {}
    for k, (label, n) in enumerate(sizes.items()):
        pair = _whole_numbers(archive, f"spikes{k}", most)
        if pair.ndim != 2 or len(pair) != 2:
            raise ParameterError(f"spikes of {label!r} must have shape (2, K), not {pair.shape}")
        _within(f"steps of spikes of {label!r}", pair[0], first, first + steps)
        _within(f"neurons of {label!r}", pair[1], 0, n)
        if (np.diff((pair[0] - first) * n + pair[1]) <= 0).any():
            raise ParameterError(f"spikes of {label!r} must be in order of time and neuron, each there once")
        spikes[label] = (pair[0], pair[1])
    series = _series(archive, names, most, sizes, first, first + steps)
    weights = _weights(archive, header.get("weights"), header.get("weight_shapes"), most)
    return Contents(first, steps, dt, sizes, spikes, series, weights)


def _series(
    archive: Archive, names: list[Any], most: int, sizes: Mapping[str, int], first: int, end: int
) -> dict[tuple[str, str], tuple[IntArray, IntArray, FloatArray]]:
    """Return steps, neurons and values of each series."""
    found = {}
    for k, key in enumerate(names):
        if not isinstance(key, list) or len(key) != 2 or not all(isinstance(part, str) for part in key):
            raise ParameterError(f"a series must have a population and a variable, not {shown(key)}")
        if (key[0], key[1]) in found:
            raise ParameterError(f"the series {shown(key)} is there twice")
        when, which = (_whole_numbers(archive, f"{name}{k}", most) for name in ("steps", "indices"))
        if when.ndim != 1 or which.ndim != 1:
            raise ParameterError(f"steps and indices of {shown(key)} must have one dimension")
        values = archive.read(f"values{k}", most)
        if values.dtype != np.float64 or values.shape != (when.size, which.size):
            raise ParameterError(f"values of {shown(key)} must be float64 of shape {(when.size, which.size)}")
        if not np.isfinite(values).all():
            raise ParameterError(f"values of {shown(key)} must be finite")
        _within(f"steps of {shown(key)}", when, first, end)
        if (np.diff(when) <= 0).any():
            raise ParameterError(f"steps of {shown(key)} must ascend")
        _within(f"indices of {shown(key)}", which, 0, sizes.get(key[0], _MOST_SIDE))
        if np.unique(which).size < which.size:
            raise ParameterError(f"indices of {shown(key)} must differ")
        found[key[0], key[1]] = (when, which, values)
    return found


def _weights(
    archive: Archive, labels: Any, shapes: Any, most: int
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return times and weights of each projection of which weights were read."""
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ParameterError("weights must be a list of projections")
    if len(set(labels)) < len(labels):
        raise ParameterError("weights must be a list of projections, each there once")
    # Files of before have no shapes.
    if shapes is not None and (not isinstance(shapes, list) or len(shapes) != len(labels)):
        raise ParameterError("weight_shapes must be a list of the shapes of all weights")
    found = {}
    for k, label in enumerate(labels):
        times, values = (archive.read(f"{name}{k}", most) for name in ("weight_times", "weights"))
        if times.dtype != np.float64 or times.ndim != 1 or not np.isfinite(times).all():
            raise ParameterError(f"times of weights of {label!r} must be finite float64")
        if values.dtype != np.float64 or values.ndim != 3 or len(values) != len(times):
            raise ParameterError(f"weights of {label!r} must be float64 of shape ({len(times)}, n, m)")
        if not 0 < min(values.shape[1:]) <= max(values.shape[1:]) <= _MOST_SIDE:
            raise ParameterError(
                f"weights of {label!r} must be of 1..{_MOST_SIDE} sources and targets, not {values.shape[1:]}"
            )
        if shapes is not None and list(values.shape[1:]) != shapes[k]:
            raise ParameterError(
                f"weights of {label!r} must have the projection's shape {shown(shapes[k])}, "
                f"not {values.shape[1:]}"
            )
        if np.isinf(values).any() or (np.diff(times) <= 0.0).any():
            raise ParameterError(f"weights of {label!r} must be finite or NaN, at ascending times")
        found[label] = (times, values)
    return found


def _whole_numbers(archive: Archive, name: str, most: int) -> IntArray:
    array = archive.read(name, most)
    if array.dtype != np.int64:
        raise ParameterError(f"{name} must be int64, not {array.dtype}")
    return array


def _within(name: str, values: IntArray, low: int, end: int) -> None:
    if values.size and not (low <= int(values.min()) and int(values.max()) < end):
        raise ParameterError(f"{name} must be in {low}..{end - 1}")
