"""The style of the figures: palette, axes, fonts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "DIVERGING",
    "INK",
    "PALETTE",
    "SEQUENTIAL",
    "colour",
    "marks",
    "new_figure",
    "styled",
    "time_axis",
]

PALETTE: Final = ("#2a6f97", "#d1495b", "#3a7d44", "#e08e45", "#6a4c93", "#00798c", "#8d6a4f", "#5c677d")
INK: Final = "#263238"
SEQUENTIAL: Final = "viridis"
DIVERGING: Final = "RdBu_r"

_STYLE: Final[Any] = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": "#90a4ae",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": "#546e7a",
    "ytick.color": "#546e7a",
    "figure.titlesize": 12.0,
    "figure.titleweight": "bold",
    "figure.dpi": 150,
    "savefig.facecolor": "white",
    "legend.frameon": False,
    "image.interpolation": "nearest",
}


@contextmanager
def styled() -> Iterator[None]:
    """Apply the style within a `with` block only."""
    with matplotlib.rc_context(_STYLE):
        yield


def new_figure(title: str, width: float, height: float) -> Figure:
    """Return an empty figure with a heading; width and height in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, x=0.01, horizontalalignment="left")
    return figure


def colour(index: int) -> str:
    """Return the colour of an index; the palette repeats."""
    return PALETTE[index % len(PALETTE)]


def time_axis(axes: Axes, begin: float, end: float) -> None:
    """Set the time axis to `begin`..`end`, in ms; from 5 s on it is labelled in seconds."""
    axes.set_xlim(begin, end)
    if end - begin < 5000.0:
        axes.set_xlabel("time (ms)")
        return
    axes.xaxis.set_major_formatter(lambda time, _: f"{time / 1000.0:g}")
    axes.set_xlabel("time (s)")


def marks(axes: Axes, times: list[float]) -> None:
    """Draw thin vertical lines at times, ms."""
    for time in times:
        axes.axvline(time, color="#b0bec5", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
