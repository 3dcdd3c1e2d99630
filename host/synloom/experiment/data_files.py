"""Data files beside an experiment: spike lists, pairs and matrices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.experiment.location import Location

__all__ = ["find", "read_spikes", "read_table"]

_SPIKES: Final = ("times", "channels")


def find(name: str, folder: Path, where: Location) -> Path:
    """Return the path of a data file, which must be in the experiment's folder or below it.

    An experiment's folder is thus complete, and its results can include a copy of everything they need.

    Raises
    ------
    ExperimentError
        If the file is elsewhere or does not exist.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise where.error(f"must be in the experiment's folder or below it, not {name!r}")
    if not path.is_file():
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


def _numbers(array: Any, what: str, where: Location) -> FloatArray:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise where.error(f"{what} must hold numbers, not {getattr(array, 'dtype', 'several arrays')}")
    return array.astype(np.float64)


def _load(path: Path, suffix: str, where: Location) -> Any:
    """Return the contents of a NumPy file: an array (.npy), or arrays by name (.npz)."""
    if path.suffix != suffix:
        raise where.error(f"must be a .csv or {suffix} file, not {path.name!r}")
    try:
        loaded = np.load(path, allow_pickle=False)
        if not hasattr(loaded, "files"):
            return loaded
        with loaded:
            return {key: loaded[key] for key in loaded.files}
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen types for damaged files
        raise where.error(f"({path.name}) cannot be read by NumPy: {error}") from error


def _check_heading(cells: list[str], name: str, where: Location) -> None:
    if "time" in cells[-1] and "time" not in cells[0]:
        raise where.error(f"({name}) must have times in its first column and channels in its second")


def _read_csv(
    path: Path, where: Location, heading: Callable[[list[str], str, Location], None] | None = None
) -> FloatArray:
    """Return the rows of a file of comma-separated numbers; the first line may be a heading."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise where.error(f"({path.name}) cannot be read as UTF-8 text: {error}") from error
    rows: list[list[float]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            row = [float(cell) if cell.strip() else np.nan for cell in line.split(",")]
        except ValueError:
            if number == 1:
                if heading is not None:
                    heading(line.lower().split(","), path.name, where)
                continue
            raise where.error(f"({path.name}) line {number} must be numbers, not {line[:40]!r}") from None
        if rows and len(row) != len(rows[0]):
            raise where.error(f"({path.name}) line {number} has {len(row)} columns, not {len(rows[0])}")
        rows.append(row)
    if not rows:
        raise where.error(f"({path.name}) has no rows of numbers")
    return np.array(rows)
