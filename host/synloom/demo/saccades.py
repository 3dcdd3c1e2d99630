"""Still images as an event camera sees them while its gaze jumps: synthetic events (t, x, y, p).

The gaze goes around a triangle in three straight saccades, as the camera of N-MNIST does (Orchard, Jayawant,
Cohen and Thakor 2015), and a pixel sends an event whenever its brightness has changed by a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray
from synloom.base.errors import ParameterError
from synloom.demo.motion import events_with_noise

__all__ = ["Saccades"]


@dataclass(frozen=True, kw_only=True)
class Saccades:
    """Three saccades around a triangle, seen by a square sensor as large as the image.

    Parameters
    ----------
    side : int
        Pixels of a side of the image and of the sensor.
    reach : float
        Base and height of the triangle, in pixels.
    saccade_ms : int
        Time of one saccade.
    step : float
        Change of brightness, of 1 between black and white, that makes an event.
    jitter_ms : float
        Standard deviation by which each event is moved.
    noise : float
        Events at random places and times, as a share of the image's events.
    """

    side: int = 28
    reach: float = 4.0
    saccade_ms: int = 40
    step: float = 0.3
    jitter_ms: float = 1.0
    noise: float = 0.05

    def __post_init__(self) -> None:
        for name, low, high in (
            ("side", 2, 256),
            ("reach", 0.0, 64.0),
            ("saccade_ms", 1, 10_000),
            ("step", 0.01, 1.0),
            ("noise", 0.0, 100.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ParameterError(f"{name} must be in {low:g}..{high:g}, not {value:g}")

    def gaze(self) -> FloatArray:
        """Return where the gaze is after each ms, (3 * saccade_ms + 1, 2) float64: x and y, in pixels."""
        half = self.reach / 2.0
        corners = np.array([[-half, -half], [0.0, half], [half, -half], [-half, -half]])
        at = np.arange(3 * self.saccade_ms + 1) / self.saccade_ms
        return np.stack([np.interp(at, np.arange(4), corners[:, k]) for k in range(2)], axis=1)

    def frames(self, image: FloatArray) -> FloatArray:
        """Return what the sensor sees after each ms, (3 * saccade_ms + 1, side, side) float64.

        Parameters
        ----------
        image : (side * side,) float64
            Brightness in 0..1, row by row; all around it is black.
        """
        pixels = np.arange(self.side)
        across, down = (
            np.maximum(1.0 - np.abs(pixels[None, :, None] + shift[:, None, None] - pixels), 0.0)
            for shift in self.gaze().T
        )
        return np.asarray(down @ image.reshape(self.side, self.side) @ across.transpose(0, 2, 1))

    def draw(self, rng: np.random.Generator, image: FloatArray) -> npt.NDArray[Any]:
        """Return the events of one image, (K,) of `EVENT`, by time; polarity 1 is brighter."""
        frames = self.frames(image).reshape(-1, self.side**2)
        level, found = frames[0].copy(), []
        for ms, frame in enumerate(frames[1:]):
            steps = np.trunc((frame - level) / self.step)
            (changed,) = np.nonzero(steps)
            level[changed] += self.step * steps[changed]
            found.append(np.stack([np.full(len(changed), ms), changed, steps[changed] > 0]))
        time, pixel, up = np.concatenate(found, axis=1).astype(np.int64)
        moved = time + self.jitter_ms * rng.standard_normal(len(time))
        extra = rng.poisson(self.noise * len(time))
        end = 3.0 * self.saccade_ms
        when = np.clip(moved, 0.0, end)
        return events_with_noise(rng, when, pixel, up, extra, last=end, side=self.side)
