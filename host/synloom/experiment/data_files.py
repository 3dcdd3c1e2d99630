"""Data files beside an experiment: spike lists, pairs and matrices."""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from synloom.base.archive import Archive, read_member
from synloom.base.checks import FloatArray
from synloom.base.errors import ParameterError
from synloom.base.plain_data import open_regular
from synloom.experiment.location import Location

__all__ = ["find", "read_spikes", "read_table"]

_SPIKES: Final = ("times", "channels")
_MOST_BYTES: Final = 128 << 20
"""Most bytes of the arrays of a data file."""
_MOST_TEXT: Final = 32 << 20
"""Most bytes of a text file."""


def find(name: str, folder: Path, where: Location) -> Path:
    """Return the path of a data file, which must be in the experiment's folder or below it.

    An experiment's folder is thus complete, and its results can include a copy of everything they need.

    Raises
    ------
    ExperimentError
        If the file is elsewhere or does not exist.
    """
    try:
        path = (folder / name).resolve()
        inside, there = path.is_relative_to(folder.resolve()), path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a circle of links, a NUL
        raise where.error(f"cannot be the name of a file, {name!r}: {error}") from error
    if not inside:
        raise where.error(f"must be in the experiment's folder or below it, not {name!r}")
    if not there:
        raise where.error(f"names a file that does not exist: {path}")
    return path


def read_spikes(name: str, folder: Path, where: Location) -> tuple[FloatArray, FloatArray]:
    """Return spikes from the arrays of an ``.npz`` file or the two columns of a ``.csv`` file.

    Returns
    -------
    times, channels : (K,) float64
        Times in ms, and channels.

    Raises
    ------
    ExperimentError
        If the file does not exist, cannot be read or holds something else.
    """
    path = find(name, folder, where)
    if path.suffix == ".csv":
        table = _read_csv(path, where, heading=_check_heading)
        if table.shape[1] != 2:
            raise where.error(f"({name}) must have two columns, times and channels, not {table.shape[1]}")
        return table[:, 0], table[:, 1]
    arrays = _load(path, ".npz", where)
    for key in _SPIKES:
        if key not in arrays:
            raise where.error(
                f"({name}) must have arrays times and channels; it has {', '.join(arrays) or 'none'}"
            )
    for key in _SPIKES:
        if arrays[key].dtype.kind == "b":
            raise where.error(f"({name}) {key} must be numbers, not a raster of bool")
    times, channels = (_numbers(arrays[key], f"({name}) {key}", where) for key in _SPIKES)
    if times.ndim != 1 or times.shape != channels.shape:
        raise where.error(
            f"({name}) must have times and channels of the same length, not of shapes {times.shape} and "
            f"{channels.shape}"
        )
    return times, channels


def read_table(name: str, folder: Path, where: Location) -> FloatArray:
    """Return the numbers of a ``.csv`` or ``.npy`` file, (rows, columns) float64; empty cells are NaN.

    Raises
    ------
    ExperimentError
        If the file does not exist, cannot be read or holds something else.
    """
    path = find(name, folder, where)
    table = _read_csv(path, where) if path.suffix == ".csv" else _load(path, ".npy", where)
    numbers = _numbers(table, f"({name})", where)
    if numbers.ndim != 2:
        raise where.error(f"({name}) must have two dimensions, not {numbers.ndim}")
    return numbers


def _numbers(values: Any, what: str, where: Location) -> FloatArray:
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf":
        raise where.error(f"{what} must hold numbers, not {getattr(values, 'dtype', 'several arrays')}")
    return values.astype(np.float64)


def _load(path: Path, suffix: str, where: Location) -> Any:
    """Return the contents of a NumPy file: an array (.npy), or arrays by name (.npz)."""
    if path.suffix != suffix:
        raise where.error(f"must be a .csv or {suffix} file, not {path.name!r}")
    try:
        if suffix == ".npy":
            with open_regular(path) as file:
                return read_member(file, _MOST_BYTES)
        with Archive(path) as archive:
            size = sum(member.size for member in archive.members.values())
            if size > _MOST_BYTES:
                raise ParameterError(f"its arrays have {size:,} bytes; at most {_MOST_BYTES:,} are allowed")
            return {key: archive.read(key, _MOST_BYTES) for key in archive.members}
    except (OSError, ValueError) as error:  # a ParameterError is a ValueError
        raise where.error(f"({path.name}) cannot be read: {error}") from error


def _check_heading(cells: list[str], name: str, where: Location) -> None:
    if "time" in cells[-1] and "time" not in cells[0]:
        raise where.error(f"({name}) must have times in its first column and channels in its second")


def _read_csv(
    path: Path, where: Location, heading: Callable[[list[str], str, Location], None] | None = None
) -> FloatArray:
    """Return the rows of a file of comma-separated numbers; the first line may be a heading."""
    numbers, columns = array("d"), 0
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig") as file:
            if path.stat().st_size > _MOST_TEXT:
                raise where.error(f"({path.name}) has more than {_MOST_TEXT:,} bytes; use a NumPy file")
            for number, line in enumerate(file, 1):
                row = _row(line.rstrip("\n"), number, path.name, where, heading)
                if row and columns and len(row) != columns:
                    raise where.error(f"({path.name}) line {number} has {len(row)} columns, not {columns}")
                columns = columns or len(row)
                numbers.extend(row)
    except (OSError, UnicodeDecodeError) as error:
        raise where.error(f"({path.name}) cannot be read as UTF-8 text: {error}") from error
    if not columns:
        raise where.error(f"({path.name}) has no rows of numbers")
    return np.array(numbers).reshape(-1, columns)


def _row(
    line: str,
    number: int,
    name: str,
    where: Location,
    heading: Callable[[list[str], str, Location], None] | None,
) -> list[float]:
    """Return the numbers of a line; none if it is empty, a comment or the heading."""
    if not line.strip() or line.lstrip().startswith("#"):
        return []
    try:
        return [float(cell) if cell.strip() else np.nan for cell in line.split(",")]
    except ValueError:
        if number > 1:
            raise where.error(f"({name}) line {number} must be numbers, not {line[:40]!r}") from None
    if heading is not None:
        heading(line.lower().split(","), name, where)
    return []
