"""Spikes as events: pairs (t, channel), event cameras' (t, x, y, p), CSV and npz files."""

from __future__ import annotations

import io
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.archive import Archive, packed
from synloom.base.atomic_files import write_whole
from synloom.base.checks import FloatArray, choice, nearest_steps, real, switch, whole
from synloom.base.errors import ParameterError
from synloom.base.wording import one_line, shown

__all__ = ["AddressMap", "pairs_of_raster", "raster_of_pairs", "read_pairs", "write_pairs"]

_MOST_BYTES: Final = 1 << 30
_MOST_EVENTS: Final = 1 << 26
"""Events of a file: their pairs of float64 have 1 GiB."""
_NUMBER_LIKE: Final = re.compile(r"[\s\"']*[-+.]?\.?\d")
_MOST_CELLS: Final = 1 << 31
_PER_MS: Final = {"us": 1000.0, "ms": 1.0, "s": 0.001}
_FIELDS: Final = (("t", "ts", "timestamp"), ("x",), ("y",), ("p", "pol", "polarity"))


def _pairs(events: Any) -> FloatArray:
    """Return pairs of (ms, channel), (K, 2) float64, checked."""
    try:
        pairs = np.asarray(events, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"events must be pairs of (ms, channel), not {shown(events)}") from None
    if not pairs.size:
        return np.zeros((0, 2))
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ParameterError(f"events must be pairs of (ms, channel), shape (K, 2), not {pairs.shape}")
    if not np.isfinite(pairs).all() or (pairs < 0.0).any():
        raise ParameterError("events must have finite times and channels, at least 0")
    if (pairs[:, 1] != np.rint(pairs[:, 1])).any():
        wrong = pairs[:, 1][pairs[:, 1] != np.rint(pairs[:, 1])][0]
        raise ParameterError(f"channels must be whole numbers, not {wrong:g}; are the columns (ms, channel)?")
    return pairs


def raster_of_pairs(
    events: Any, channels: int, *, dt: float, steps: int | None = None
) -> npt.NDArray[np.uint8]:
    """Return events as a raster.

    Parameters
    ----------
    events : (K, 2) array_like
        Pairs of time in ms and channel.
    channels : int
        Number of channels.
    dt : float
        Time step, ms; times act in the nearest step, half a step rounds up.
    steps : int, optional
        Rows; later events are left out. Default: up to the last event.

    Returns
    -------
    (steps, channels) uint8
        The raster, for `Device.inject` and `present`.

    Raises
    ------
    ParameterError
        If events are not pairs, a channel is out of range, or the raster would not fit memory.
    """
    pairs = _pairs(events)
    whole("channels", channels, 1, 1 << 20)
    when = nearest_steps(pairs[:, 0], real("dt", dt, low=1e-3, high=1e3))
    if len(pairs) and pairs[:, 1].max() >= channels:
        raise ParameterError(f"channels must be in 0..{channels - 1}, not {pairs[:, 1].max():g}")
    last = min(float(when.max(initial=-1.0)), float(_MOST_CELLS))
    rows = int(last) + 1 if steps is None else whole("steps", steps, 0, 1 << 40)
    if rows * channels > _MOST_CELLS:
        count = f"{rows:,}" if rows <= _MOST_CELLS else f"over {_MOST_CELLS:,}"
        raise ParameterError(
            f"a raster of {count} steps and {channels:,} channels is too large; send the pairs with "
            f"Device.inject, or in chunks"
        )
    raster = np.zeros((rows, channels), dtype=np.uint8)
    inside = when < rows
    raster[when[inside].astype(np.int64), pairs[inside, 1].astype(np.int64)] = 1
    return raster


def pairs_of_raster(raster: Any, *, dt: float) -> FloatArray:
    """Return the spikes of a raster (T, n) as pairs of (ms, channel), (K, 2) float64, by time.

    Raises
    ------
    ParameterError
        If it is no raster.
    """
    try:
        array = np.asarray(raster)
    except ValueError:
        raise ParameterError(
            f"a raster must have rows of one length, shape (T, n), not {shown(raster)}"
        ) from None
    if array.ndim != 2 or array.dtype.kind not in "bui":
        raise ParameterError(
            f"a raster must have shape (T, n) of bool or uint8, not {array.dtype} {array.shape}"
        )
    steps, channels = np.nonzero(array)
    return np.stack([steps * real("dt", dt, low=1e-3, high=1e3), channels], axis=1).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class AddressMap:
    """Channels of the pixels of an event camera, with down-sampling.

    A pixel (x, y) of polarity p belongs to channel ``(p * rows + y // factor) * columns + x // factor``.

    Parameters
    ----------
    width, height : int
        Pixels of the sensor.
    factor : int
        Pixels of a side that share a channel.
    polarities : bool
        Whether both polarities have channels of their own; else all events go to the same ones.
    unit : str
        Unit of the events' times: ``"us"``, ``"ms"`` or ``"s"``.

    Raises
    ------
    ParameterError
        If a value is out of range.
    """

    width: int
    height: int
    factor: int = 1
    polarities: bool = True
    unit: str = "us"

    def __post_init__(self) -> None:
        for name in ("width", "height", "factor"):
            whole(name, getattr(self, name), 1, 1 << 16)
        switch("polarities", self.polarities)
        choice("unit", self.unit, tuple(_PER_MS))

    @property
    def columns(self) -> int:
        """Channels of a row."""
        return -(-self.width // self.factor)

    @property
    def rows(self) -> int:
        """Rows of channels of a polarity."""
        return -(-self.height // self.factor)

    @property
    def channels(self) -> int:
        """All channels."""
        return self.rows * self.columns * (2 if self.polarities else 1)

    def __call__(self, events: Any, *, origin: float | None = None) -> FloatArray:
        """Return events as pairs of (ms, channel), by time, for `Device.inject` and `raster_of_pairs`.

        Parameters
        ----------
        events : structured array with the fields t, x, y, p
            Events; p is 0 or 1, bool, or -1 and 1. The order of the fields is free; ``ts`` or ``timestamp``
            and ``pol`` or ``polarity`` are known, too.
        origin : float, optional
            The time that becomes 0, in the events' own unit. Default: that of the first event.

        Raises
        ------
        ParameterError
            If a field is missing, or a pixel, a polarity or a time is out of range.
        """
        names = getattr(getattr(events, "dtype", None), "names", None)
        if not names:
            raise ParameterError("events must be a structured array with the fields t, x, y, p")
        t, x, y, p = (_field(events, names, wanted) for wanted in _FIELDS)
        for name, values, end in (("x", x, self.width), ("y", y, self.height)):
            bad = (values < 0) | (values >= end)
            if bad.any():
                raise ParameterError(f"{name} must be in 0..{end - 1}, not {values[bad][0]:g}")
        if not np.isin(p, (-1.0, 0.0, 1.0)).all() or (np.isin(-1.0, p) and np.isin(0.0, p)):
            raise ParameterError("p must be 0 and 1, or -1 and 1")
        first = t.min(initial=np.inf) if origin is None else real("origin", origin)
        if len(t) and t.min() < first:
            raise ParameterError(f"t must be at least the origin, {first:g}, not {t.min():g}")
        up = (p > 0).astype(np.float64) if self.polarities else np.zeros(len(t))
        channel = (up * self.rows + y // self.factor) * self.columns + x // self.factor
        when = (t - first) / _PER_MS[self.unit] if len(t) else t
        order = np.lexsort((channel, when))
        return np.stack([when[order], channel[order]], axis=1)


def _field(events: Any, names: tuple[str, ...], wanted: tuple[str, ...]) -> FloatArray:
    found = next((name for name in wanted if name in names), None)
    if found is None:
        raise ParameterError(
            f"events must have a field {wanted[0]!r}; they have {one_line(', '.join(names))}"
        )
    raw = np.asarray(events[found]).reshape(-1)
    if raw.dtype.kind not in "biuf":
        raise ParameterError(f"{found} of events must be numbers, not {raw.dtype}")
    values = raw.astype(np.float64)
    if not np.isfinite(values).all():
        raise ParameterError(f"{found} of events must be finite")
    return values


def write_pairs(path: str | os.PathLike[str], events: Any) -> None:
    """Write pairs of (ms, channel) as CSV (``time_ms,channel``) or ``.npz``, by the name of the file.

    Raises
    ------
    ParameterError
        If events are not pairs, are too many to be read, or the name ends differently.
    OSError
        If the file cannot be written.
    """
    pairs, target = _pairs(events), Path(path)
    if target.suffix == ".npz":
        _check_count("events", len(pairs))
        content = packed({"time_ms": pairs[:, 0].copy(), "channel": pairs[:, 1].astype(np.int64)})
    elif target.suffix == ".csv":
        lines = [f"{t!r},{int(k)}" for t, k in pairs.tolist()]
        content = ("\n".join(["time_ms,channel", *lines]) + "\n").encode()
    else:
        raise ParameterError(f"{target}: the name must end with .csv or .npz")
    write_whole(target, content)


def read_pairs(path: str | os.PathLike[str]) -> FloatArray:
    """Return the pairs of (ms, channel) of a file of `write_pairs`, (K, 2) float64.

    A CSV may have any first line of words, or none; words do not begin like numbers. An archive has 2**26
    (67,108,864) events at most.

    Raises
    ------
    ParameterError
        If it is no such file; the message names the line or the array.
    OSError
        If it cannot be read.
    """
    source = Path(path)
    if source.suffix not in (".npz", ".csv"):
        raise ParameterError(f"{source}: the name must end with .csv or .npz")
    try:
        return _pairs(_from_archive(source) if source.suffix == ".npz" else _from_text(source))
    except ParameterError as error:
        raise ParameterError(f"{source}{error}" if str(error)[0] == "," else f"{source}: {error}") from error


def _from_archive(source: Path) -> FloatArray:
    """Return the pairs of an archive, (K, 2); how many they are is checked before they are unpacked."""
    with Archive(source) as archive:
        for name in ("time_ms", "channel"):
            if name in archive.members:
                _check_count(name, math.prod(archive.members[name].shape))
        time, channel = (archive.read(name, _MOST_BYTES) for name in ("time_ms", "channel"))
    if time.ndim != 1 or channel.shape != time.shape or {time.dtype.kind, channel.dtype.kind} - set("iuf"):
        raise ParameterError("time_ms and channel must be numbers of one length")
    return np.stack([time.astype(np.float64, copy=False), channel.astype(np.float64, copy=False)], axis=1)


def _check_count(name: str, count: int) -> None:
    if count > _MOST_EVENTS:
        raise ParameterError(
            f"{name} must have at most {_MOST_EVENTS:,} events, not {count:,}; divide them among files"
        )


def _from_text(source: Path) -> list[tuple[float, float]]:
    """Return the pairs of a CSV; its first line may be a heading, which does not begin like a number."""
    try:
        # Spreadsheets begin UTF-8 with a byte order mark.
        lines = io.StringIO(source.read_bytes().decode("utf-8-sig")).read().splitlines()
    except UnicodeDecodeError:
        raise ParameterError("is no text") from None
    rows = []
    for number, line in enumerate(lines, 1):
        cells = line.replace(";", ",").split(",")
        try:
            rows.append((float(cells[0]), float(cells[1])))
            if len(cells) != 2:
                raise ValueError
        except (ValueError, IndexError):
            is_heading = number == 1 and len(cells) == 2 and not _NUMBER_LIKE.match(line)
            if is_heading or not line.strip():
                continue
            raise ParameterError(
                f", line {number}: must be a time and a channel, not {shown(line[:60])}"
            ) from None
    return rows
