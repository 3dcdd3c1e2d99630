"""The look of the gallery's pictures: colours that a colour-blind reader tells apart, and fonts.

The colours are those of Okabe and Ito 2008 (Color Universal Design); what differs in colour also differs in
marker or lightness.
"""

from __future__ import annotations

from typing import Any, Final

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "CLASS_COLOURS",
    "DASHES",
    "DIVERGING",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PURPLE",
    "SKY",
    "VERMILION",
    "new_picture",
    "plot_range",
    "plot_reference",
]

BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
SKY: Final = "#56b4e9"
GREEN: Final = "#009e73"
VERMILION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"
INK: Final = "#22313f"
GREY: Final = "#c9d1d9"

DIVERGING: Final = LinearSegmentedColormap.from_list(
    "diverging", ["#12324a", "#5b8fa8", "#f4f1ea", "#f0a13a", "#a8480a"]
)
"""From dark blue over white to dark orange."""

CLASS_COLOURS: Final = tuple(
    to_rgba(colour)
    for colour in (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, "#f0e442", "#000000", "#7f7f7f", "#3b1f6b")
)
"""A colour for each of ten classes; neighbours differ in lightness."""

DASHES: Final = (0, (4, 3))
"""The line of what an example is compared with."""

_STYLE: Final[Any] = {
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": "#90a4ae",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": "#546e7a",
    "ytick.color": "#546e7a",
    "legend.frameon": False,
    "image.interpolation": "nearest",
}


def new_picture(width: float, height: float) -> Figure:
    """Return an empty figure in this look; width and height in inches.

    The look becomes Matplotlib's own in this process: axes take it when they are made.
    """
    matplotlib.rcParams.update(_STYLE)
    return Figure(figsize=(width, height), layout="constrained")


def plot_range(
    axes: Axes, points: npt.ArrayLike, values: npt.ArrayLike, *, colour: str, shade: str = "", **line: Any
) -> None:
    """Draw a curve that was measured with several seeds: its mean as a line, its range as a band.

    Parameters
    ----------
    axes : Axes
        Where.
    points : (K,) floats
        Where it was measured; nothing is drawn if there are none.
    values : (seeds, K) floats
        What was measured.
    colour, shade : str
        Colours of the line and of the band; that of the line if there is no shade.
    **line
        The line's label, marker and the like, as for `Axes.plot`.
    """
    band = np.asarray(values, dtype=np.float64)
    if not band.size:
        return
    low, high, alpha = band.min(axis=0), band.max(axis=0), 0.4 if shade else 0.18
    axes.fill_between(points, low, high, color=shade or colour, alpha=alpha, linewidth=0)
    axes.plot(points, band.mean(axis=0), color=colour, **line)


def plot_reference(axes: Axes, level: float, **line: Any) -> None:
    """Draw what is known without the network, as chance, as a dashed line at a level; as `Axes.axhline`."""
    axes.axhline(level, **{"color": INK, "linewidth": 0.8, "linestyle": DASHES, **line})
