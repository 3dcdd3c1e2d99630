"""A railway through four seasons, rendered: synthetic views from the window of a train.

The land is drawn from a seed: mountains, hills, woods, fields, trees and houses, each at its own distance, so
that near things pass quickly and far ones slowly. Seasons change colours, leaves, snow, haze and light.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import ParameterError

__all__ = ["SEASONS", "Route", "Season", "patch_normalised"]

Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Season:
    """How the land looks in one season; colours are red, green and blue in 0..1.

    Parameters
    ----------
    sky, low_sky : colour
        Of the sky at its top, and at the horizon, which is also the colour of the haze.
    meadow, crop : colour
        Of the two kinds of fields.
    leaves, needles : colour
        Of trees that lose their leaves, and of those that do not.
    snow : float
        How much of the ground and of the roofs is white, 0..1.
    snow_line : float
        Height on the mountains, of their highest, above which there is snow.
    haze : float
        How much of a far thing's colour the air takes, for each 100 m.
    light : float
        Exponent of the camera's brightness: above 1 is darker.
    """

    sky: Colour
    low_sky: Colour
    meadow: Colour
    crop: Colour
    leaves: Colour
    needles: Colour
    snow: float = 0.0
    snow_line: float = 0.75
    haze: float = 0.12
    light: float = 1.0


SEASONS: Final = {
    "spring": Season(
        sky=(0.48, 0.68, 0.90),
        low_sky=(0.86, 0.92, 0.95),
        meadow=(0.56, 0.74, 0.34),
        crop=(0.50, 0.39, 0.27),
        leaves=(0.66, 0.80, 0.42),
        needles=(0.13, 0.34, 0.24),
        snow_line=0.55,
    ),
    "summer": Season(
        sky=(0.26, 0.54, 0.86),
        low_sky=(0.84, 0.90, 0.93),
        meadow=(0.48, 0.69, 0.28),
        crop=(0.68, 0.56, 0.24),
        leaves=(0.22, 0.46, 0.16),
        needles=(0.08, 0.27, 0.20),
        snow_line=0.85,
        light=0.9,
    ),
    "autumn": Season(
        sky=(0.56, 0.63, 0.74),
        low_sky=(0.94, 0.88, 0.78),
        meadow=(0.62, 0.58, 0.28),
        crop=(0.46, 0.33, 0.22),
        leaves=(0.86, 0.46, 0.12),
        needles=(0.14, 0.28, 0.20),
        snow_line=0.7,
        haze=0.2,
        light=1.1,
    ),
    "winter": Season(
        sky=(0.62, 0.70, 0.80),
        low_sky=(0.93, 0.92, 0.94),
        meadow=(0.62, 0.58, 0.44),
        crop=(0.45, 0.36, 0.30),
        leaves=(0.47, 0.41, 0.38),
        needles=(0.16, 0.26, 0.25),
        snow=0.85,
        snow_line=0.15,
        haze=0.16,
        light=1.0,
    ),
}
"""Four seasons of the same land."""

_SPACING: Final = 20.0
_HORIZON: Final = 0.56
_EYE: Final = 2.6
_MASTS: Final = 55.0


class Route:
    """A route with so many places, 20 m apart, as a window of a train shows it.

    Parameters
    ----------
    places : int
        Number of places.
    seed : int
        Seed of the land.
    width, height : int
        Size of an image, in pixels.

    Raises
    ------
    ParameterError
        If a size is out of range.
    """

    def __init__(self, places: int, seed: int, *, width: int = 96, height: int = 48):
        for name, value, least in (("places", places, 1), ("width", width, 16), ("height", height, 8)):
            if value < least:
                raise ParameterError(f"{name} must be at least {least}, not {value}")
        self.places, self.width, self.height = places, width, height
        rng = np.random.default_rng(seed)
        self._waves = {name: _waves(rng) for name in ("mountain", "hill", "wood", "tips", "meadow", "crop")}
        self._things = _things(rng, places * _SPACING)

    def traverse(self, season: Season, rng: np.random.Generator, *, noise: float = 1.0) -> FloatArray:
        """Return an image of each place, (places, height, width, 3) float64 in 0..1.

        Parameters
        ----------
        season : Season
            How the land looks.
        rng : numpy.random.Generator
            Chance of this ride.
        noise : float
            How much differs from ride to ride: where along the track an image is taken (a standard deviation
            of half a metre), how the train rolls (a third of a pixel), clouds, the camera's noise (0.03).
        """
        where = np.arange(self.places) * _SPACING + 0.4 * noise * rng.standard_normal(self.places)
        clouds = _waves(rng)
        images = np.empty((self.places, self.height, self.width, 3))
        for k, metre in enumerate(where):
            clear = self._view(float(metre), season, 0.33 * noise * rng.standard_normal(), clouds, noise)
            seen = np.clip(clear, 0.0, 1.0) ** season.light
            images[k] = seen + 0.03 * noise * rng.standard_normal(seen.shape)
        return np.clip(images, 0.0, 1.0)

    def _view(
        self, metre: float, season: Season, roll: float, clouds: FloatArray, cloudy: float
    ) -> FloatArray:
        """Paint one image from the farthest to the nearest."""
        rows: FloatArray = np.arange(self.height, dtype=np.float64)[:, None] + 0.5
        columns: FloatArray = np.arange(self.width, dtype=np.float64) + 0.5
        across = (columns - self.width / 2) / (self.width / 2)
        horizon = _HORIZON * self.height + roll
        up = np.clip(1.0 - rows / horizon, 0.0, 1.0)[..., None]
        image = np.array(season.low_sky) * (1.0 - up) + np.array(season.sky) * up
        image = np.repeat(image, self.width, axis=1)
        place = metre / 60.0 + 0.7 * across + 0.5 * np.sin(2.0 * across) + 2.6 * rows / self.height
        cover = 0.4 * cloudy * _noise(clouds, place)
        image += np.clip(cover, 0.0, 0.4)[..., None] * (np.array([0.97, 0.97, 0.98]) - image)
        air = np.array(season.low_sky)
        self._ridges(image, metre, season, rows, across, horizon)
        depth = _EYE * self.width / 2 / np.maximum(rows - horizon, 0.3)
        along = metre + across[None, :] * depth
        field = np.floor(along / 14.0) * 3.1 + np.floor(np.log2(depth)) * 7.7
        crop = _noise(self._waves["crop"], field) > 0.1
        tint = 0.9 + 0.12 * _noise(self._waves["meadow"], along / 1.3 + depth)
        ground = np.where(crop[..., None], np.array(season.crop), np.array(season.meadow)) * tint[..., None]
        ground += season.snow * (np.array([0.94, 0.95, 0.98]) - ground)
        ground += (1.0 - np.exp(-season.haze * depth / 100.0))[..., None] * (air - ground)
        image = np.where((rows > horizon)[..., None], ground, image)
        self._stand(image, metre, season, horizon)
        return image

    def _ridges(
        self,
        image: FloatArray,
        metre: float,
        season: Season,
        rows: FloatArray,
        across: FloatArray,
        horizon: float,
    ) -> None:
        """Paint mountains, hills and the wood, each before the other."""
        white, air = np.array([0.96, 0.97, 0.99]), np.array(season.low_sky)
        snowy = season.snow
        kinds: tuple[tuple[str, float, float, Colour], ...] = (
            ("mountain", 1500.0, 0.36, (0.40, 0.44, 0.54)),
            ("hill", 420.0, 0.20, season.meadow),
            ("wood", 120.0, 0.09, season.needles),
        )
        for name, depth, tall, colour in kinds:
            along = (metre + across * depth) / depth
            ridge = 0.5 + 0.5 * _noise(self._waves[name], 1.4 * along * (3.0 if name == "wood" else 1.0))
            height = tall * self.height * np.clip(ridge, 0.05, 1.0)
            if name == "wood":
                tips = np.abs((along * 22.0 + 2.0 * _noise(self._waves["tips"], along * 9.0)) % 1.0 - 0.5)
                height = height * (0.75 + 0.7 * tips)
            above = (horizon - rows) / height[None, :]
            paint = np.broadcast_to(np.array(colour), image.shape).copy()
            if name == "mountain":
                level = (horizon - rows) / (tall * self.height)
                paint[np.broadcast_to(level > season.snow_line, paint.shape[:2])] = white
            else:
                paint += (0.8 if name == "hill" else 0.3) * snowy * (white - paint)
            paint *= (0.92 + 0.08 * np.sign(np.gradient(height)))[None, :, None]
            paint += (1.0 - np.exp(-season.haze * depth / 400.0)) * (air - paint)
            covered = (above >= 0.0) & (above <= 1.0)
            image[covered] = paint[covered]

    def _stand(self, image: FloatArray, metre: float, season: Season, horizon: float) -> None:
        """Paint trees, houses and masts, the farthest first."""
        for along, depth, size, kind in self._things:
            scale = self.width / 2 / depth
            centre = self.width / 2 + (along - metre) * scale
            if not -0.3 * self.width < centre < 1.3 * self.width:
                continue
            foot = horizon + _EYE * scale
            x = (np.arange(self.width) + 0.5 - centre)[None, :] / (size * scale)
            y = (foot - np.arange(self.height) - 0.5)[:, None] / (size * scale)
            air = 1.0 - np.exp(-season.haze * depth / 100.0)
            for shape, colour in _painted(int(kind), x, y, season):
                mixed = np.array(colour) + air * (np.array(season.low_sky) - np.array(colour))
                image[shape] = mixed


def _painted(
    kind: int, x: FloatArray, y: FloatArray, season: Season
) -> list[tuple[np.ndarray[tuple[int, ...], np.dtype[np.bool_]], Colour]]:
    """Return masks and colours of one thing, whose height is about 1 and whose foot is at 0."""
    bark: Colour = (0.33, 0.25, 0.19)
    white: Colour = (0.95, 0.96, 0.98)
    some = season.snow * 0.4
    if kind == 0:  # a conifer
        needles = _mixed(season.needles, white, some)
        crown = (np.abs(x) <= 0.34 * (1.0 - y) - 0.05 * ((5.0 * y) % 1.0)) & (y > 0.08)
        return [((np.abs(x) < 0.03) & (y >= 0) & (y < 0.2), bark), (crown, needles)]
    if kind == 1:  # a tree with leaves
        crown = (x / 0.36) ** 2 + ((y - 0.64) / 0.36) ** 2 < 1.0
        lit = (x / 0.24 + 0.35) ** 2 + ((y - 0.72) / 0.24) ** 2 < 1.0
        return [
            ((np.abs(x) < 0.045) & (y >= 0) & (y < 0.4), bark),
            (crown, _mixed(season.leaves, white, 0.5 * some)),
            (crown & lit, _mixed(season.leaves, white, 0.25 + 0.5 * some)),
        ]
    if kind == 2:  # a house
        wall: Colour = (0.62, 0.20, 0.16)
        roof = _mixed((0.27, 0.25, 0.27), white, season.snow)
        windows = (np.abs(np.abs(x) - 0.32) < 0.09) & (np.abs(y - 0.33) < 0.1)
        return [
            ((np.abs(x) < 0.6) & (y >= 0) & (y < 0.62), wall),
            (windows, (0.95, 0.90, 0.70)),
            ((np.abs(x) < 0.7 * (1.0 - (y - 0.6) / 0.5)) & (y >= 0.6) & (y < 1.1), roof),
        ]
    # a mast of the line, the same everywhere
    pole, arm = (np.abs(x) < 0.012) & (y >= 0), (np.abs(y - 0.9) < 0.012) & (np.abs(x) < 0.1)
    return [(pole | arm, (0.3, 0.31, 0.33))]


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    r, g, b = ((1.0 - share) * a + share * c for a, c in zip(colour, other, strict=True))
    return r, g, b


def _things(rng: np.random.Generator, length: float) -> FloatArray:
    """Return what stands along the route, (n, 4): metre, distance, height, kind; the farthest first."""
    groves = _waves(rng)
    count = int(length / 3.0) + 80
    along = rng.uniform(-150.0, length + 150.0, count)
    depth = 14.0 * 6.0 ** rng.random(count)
    kind = np.where(_noise(groves, along / 60.0) + 0.5 * rng.standard_normal(count) > 0.0, 0.0, 1.0)
    kind[rng.random(count) < 0.08] = 2.0
    heights = [rng.uniform(low, high, count) for low, high in ((5, 12), (4, 9), (4, 6))]
    height = np.choose(kind.astype(int), heights)
    masts = np.arange(-100.0, length + 100.0, _MASTS)
    line = np.stack([masts, *(np.full_like(masts, value) for value in (10.0, 8.0, 3.0))], axis=1)
    things = np.concatenate([np.stack([along, depth, height, kind], axis=1), line])
    return things[np.argsort(-things[:, 1], kind="stable")]


def _waves(rng: np.random.Generator) -> FloatArray:
    """Return frequencies, phases and amplitudes of a smooth random function, (3, 9)."""
    octave = np.repeat([0.5, 1.0, 2.1], 3)
    often, phase = octave * rng.uniform(0.7, 1.4, 9), rng.uniform(0, 2 * np.pi, 9)
    return np.stack([often, phase, 0.75 / np.sqrt(octave * 3)])


def _noise(waves: FloatArray, x: FloatArray) -> FloatArray:
    """Return a smooth random function of x, about in -1..1."""
    f, phase, size = waves
    total = np.zeros_like(x)
    for each in range(len(f)):
        total += size[each] * np.sin(2 * np.pi * f[each] * x + phase[each])
    return 0.6 * total


def patch_normalised(images: FloatArray, width: int, height: int, patch: int) -> FloatArray:
    """Return small grey images, each patch with mean 0 and standard deviation 1, as SeqSLAM does.

    A patch of almost one grey keeps its small differences: none is divided by less than 0.06.

    Parameters
    ----------
    images : (n, H, W, 3) float64
        Colours in 0..1.
    width, height : int
        Size of the small images; they divide that of the large ones.
    patch : int
        Side of a patch in pixels of the small images, which it divides.

    Returns
    -------
    (n, height * width) float64
        The small images, row by row.

    Raises
    ------
    ParameterError
        If a size does not divide another one.
    """
    n, tall, wide, _ = images.shape
    if tall % height or wide % width:
        raise ParameterError(f"width and height must divide {wide} and {tall}, not be {width} and {height}")
    if height % patch or width % patch:
        raise ParameterError(f"patch must divide {width} and {height}, not be {patch}")
    grey = images @ np.array([0.299, 0.587, 0.114])
    small = grey.reshape(n, height, tall // height, width, wide // width).mean(axis=(2, 4))
    parts = small.reshape(n, height // patch, patch, width // patch, patch)
    mean, spread = parts.mean(axis=(2, 4), keepdims=True), parts.std(axis=(2, 4), keepdims=True)
    flat = (parts - mean) / np.maximum(spread, 0.06)
    return np.asarray(flat.reshape(n, height * width), dtype=np.float64)
