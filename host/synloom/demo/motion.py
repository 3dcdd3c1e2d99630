"""Moving bars as an event camera sees them: synthetic events (t, x, y, p) of known direction and speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError

__all__ = ["EVENT", "MovingBar", "events_with_noise"]

EVENT = np.dtype([("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "i1")])
"""An event: time in microseconds, pixel, and polarity (1 brighter, 0 darker)."""


@dataclass(frozen=True, kw_only=True)
class MovingBar:
    """A bright bar that crosses a square sensor at right angles to its own length.

    Its leading edge makes a pixel brighter (an event of polarity 1), its trailing edge darker (polarity 0).

    Parameters
    ----------
    size : int
        Pixels of a side of the sensor.
    width : float
        Width of the bar, in pixels.
    jitter_ms : float
        Standard deviation by which each event is moved.
    missing : float
        Share of the events that are left out.
    noise : float
        Events at random places and times, as a share of the bar's events.
    """

    size: int = 12
    width: float = 3.0
    jitter_ms: float = 1.0
    missing: float = 0.1
    noise: float = 0.1

    def __post_init__(self) -> None:
        for name, low, high in (("size", 2, 256), ("missing", 0.0, 0.99), ("noise", 0.0, 100.0)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ParameterError(f"{name} must be in {low:g}..{high:g}, not {value:g}")

    def arrivals(self, direction: float, speed: float) -> FloatArray:
        """Return when the leading edge arrives at each pixel, (size * size,) float64 in ms, row by row.

        Parameters
        ----------
        direction : float
            In degrees; 0 is rightwards (larger x), 90 is towards larger y.
        speed : float
            In pixels a ms, above 0.
        """
        if speed <= 0.0:
            raise ParameterError(f"speed must be above 0, not {speed:g} pixels a ms")
        y, x = np.divmod(np.arange(self.size**2), self.size)
        angle = np.deg2rad(direction)
        way = x * np.cos(angle) + y * np.sin(angle)
        return np.asarray((way - way.min()) / speed, dtype=np.float64)

    def draw(self, rng: np.random.Generator, direction: float, speed: float) -> npt.NDArray[Any]:
        """Return the events of one crossing, (K,) of `EVENT`, by time; the leading edge enters at 0."""
        leading = self.arrivals(direction, speed)
        when = np.concatenate([leading, leading + self.width / speed])
        pixel = np.tile(np.arange(self.size**2), 2)
        up = np.repeat([1, 0], self.size**2)
        kept = rng.random(len(when)) >= self.missing
        extra = rng.poisson(self.noise * len(when))
        moved = when[kept] + self.jitter_ms * rng.standard_normal(int(kept.sum()))
        last = float(when.max())
        return events_with_noise(
            rng, np.maximum(moved, 0.0), pixel[kept], up[kept], extra, last=last, side=self.size
        )


def events_with_noise(
    rng: np.random.Generator,
    when: FloatArray,
    pixel: IntArray,
    up: IntArray,
    extra: int,
    *,
    last: float,
    side: int,
) -> npt.NDArray[Any]:
    """Return events, with others at random places and times among them, (K + extra,) of `EVENT`, by time.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws the others.
    when : (K,) float64
        Times, ms from 0.
    pixel, up : (K,) int64
        Pixels, row by row, and polarities.
    extra : int
        How many others there are.
    last : float
        The latest time of these, in ms.
    side : int
        Pixels of a side of the sensor.
    """
    events = np.zeros(len(when) + extra, dtype=EVENT)
    events["t"] = np.rint(1000.0 * np.concatenate([when, rng.uniform(0.0, last, extra)]))
    events["y"], events["x"] = np.divmod(np.concatenate([pixel, rng.integers(0, side**2, extra)]), side)
    events["p"] = np.concatenate([up, rng.integers(0, 2, extra)])
    return np.asarray(np.sort(events, order=["t", "y", "x", "p"]))
