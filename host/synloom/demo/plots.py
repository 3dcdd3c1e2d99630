"""The figures of the demo: confusion matrix, receptive fields, raster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from synloom.base.checks import FloatArray, IntArray
from synloom.demo.data import CLASSES, PIXELS, SIDE
from synloom.demo.digits import Outcome
from synloom.demo.readout import confusion

__all__ = ["draw_all", "draw_confusion", "draw_fields", "draw_raster"]

_DPI: Final = 160
_INK: Final = "#22313f"
_FAINT: Final = "#c9d1d9"
_RIGHT: Final = "#2a7f62"
_WRONG: Final = "#c0392b"
_CLASS_COLOURS: Final = [colormaps["tab10"](k) for k in range(CLASSES)]
_BLUES: Final = LinearSegmentedColormap.from_list("blues", ["#ffffff", "#9ec9e2", "#2171b5", "#08306b"])
_FIELDS: Final = LinearSegmentedColormap.from_list(
    "fields", ["#12324a", "#5b8fa8", "#f4f1ea", "#f0a13a", "#a8480a"]
)
_RASTER_IMAGES: Final = 10
_FIELD_COLUMNS: Final = 25
_PITCH: Final = SIDE + 2


def draw_all(outcomes: Sequence[Outcome], images: FloatArray, folder: Path) -> list[Path]:
    """Draw all figures of all forms.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Results of the forms.
    images : (n, 64) float64
        The test images.
    folder : Path
        Folder for the figures; created if it does not exist.

    Returns
    -------
    list of Path
        The PNG files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for outcome in outcomes:
        for name, figure in (
            ("confusion", draw_confusion(outcome)),
            ("fields", draw_fields(outcome)),
            ("raster", draw_raster(outcome, images)),
        ):
            path = folder / f"{outcome.form}_{name}.png"
            figure.savefig(path, dpi=_DPI)
            paths.append(path)
    return paths


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", color=_INK, fontsize=11, pad=10)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def draw_confusion(outcome: Outcome) -> Figure:
    """Draw the confusion matrix: how often each digit was classified as each class."""
    table = confusion(outcome.predicted, outcome.labels)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure = _figure(5.2, 5.4)
    axes = figure.add_subplot()
    axes.imshow(shares**0.5, cmap=_BLUES, vmin=0.0, vmax=1.0)
    for row, column in np.ndindex(table.shape):
        if table[row, column]:
            colour = "white" if shares[row, column] > 0.1 else _WRONG if row != column else _INK
            axes.text(
                column, row, str(table[row, column]), ha="center", va="center", color=colour, fontsize=9
            )
    axes.set_xticks(range(CLASSES))
    axes.set_yticks(range(CLASSES))
    axes.set_xlabel("predicted", color=_INK)
    axes.set_ylabel("digit", color=_INK)
    axes.tick_params(length=0, colors=_INK)
    for spine in axes.spines.values():
        spine.set_color(_FAINT)
    right = int(np.trace(table))
    _title(axes, f"{outcome.form}: {right} of {table.sum()} correct, {100 * outcome.accuracy:.1f} %")
    return figure


def draw_fields(outcome: Outcome) -> Figure:
    """Draw the receptive field of each neuron: pixels brighter (amber) or darker (blue) than the mean image.

    Neurons are sorted by the class that they vote for; its colour underlines them.
    """
    fields = outcome.weights[:PIXELS].astype(np.float64) - outcome.weights[PIXELS:]
    limit = max(1.0, float(np.abs(fields).max()))
    order = np.argsort(outcome.names, kind="stable")
    rows = -(-len(order) // _FIELD_COLUMNS)
    mosaic = np.ones((rows * _PITCH, _FIELD_COLUMNS * _PITCH, 3))
    for place, neuron in enumerate(order):
        top, left = (_PITCH * part for part in divmod(place, _FIELD_COLUMNS))
        tile = _FIELDS(0.5 + 0.5 * fields[:, neuron].reshape(SIDE, SIDE) / limit)
        mosaic[top : top + SIDE, left : left + SIDE] = tile[..., :3]
        mosaic[top + SIDE, left : left + SIDE] = _colour(outcome.names[neuron])[:3]
    figure = _figure(9.2, 0.37 * rows + 0.95)
    axes = figure.add_subplot()
    axes.imshow(mosaic, interpolation="nearest")
    _bare(axes)
    _title(axes, f"{outcome.form}: receptive fields of {len(order)} neurons")
    for k in range(CLASSES):
        where = (k + 0.5) / CLASSES
        number = f"{k}: {int((outcome.names == k).sum())}"
        axes.text(
            where,
            -0.03,
            number,
            transform=axes.transAxes,
            ha="center",
            va="top",
            color=_colour(k),
            fontsize=9,
        )
    return figure


def _colour(name: int) -> tuple[float, float, float, float]:
    """Return the colour of a class; grey for neurons without one."""
    return _CLASS_COLOURS[name] if name >= 0 else (0.6, 0.6, 0.6, 1.0)


def draw_raster(outcome: Outcome, images: FloatArray) -> Figure:
    """Draw the first test images, and below them the spikes of all neurons, sorted by class."""
    shown = min(_RASTER_IMAGES, len(outcome.labels))
    start, length = outcome.test_start, shown * outcome.look_ms
    inside = (outcome.spike_steps >= start) & (outcome.spike_steps < start + length)
    times = outcome.spike_steps[inside] - start
    order = np.argsort(outcome.names, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    neurons = outcome.spike_neurons[inside]
    figure = _figure(10.0, 5.4)
    grid = figure.add_gridspec(2, 1, height_ratios=(1.0, 5.2), hspace=0.02)
    _draw_strip(figure.add_subplot(grid[0]), outcome, images[:shown])
    axes = figure.add_subplot(grid[1])
    colours = [_colour(name) for name in outcome.names[neurons]]
    axes.scatter(times + 0.5, place[neurons], s=7.0, c=colours, marker="|", linewidths=1.6)
    for k in range(1, shown):
        axes.axvline(k * outcome.look_ms, color=_FAINT, linewidth=0.8, zorder=0)
    axes.set_xlim(0, length)
    axes.set_ylim(len(order), -1)
    axes.set_xlabel("time / ms", color=_INK)
    axes.set_ylabel("neurons, by class", color=_INK)
    axes.tick_params(length=0, colors=_INK)
    _draw_classes(axes, outcome.names[order])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def _draw_strip(axes: Axes, outcome: Outcome, images: FloatArray) -> None:
    """Draw the images, and below each its predicted class: green if correct, red if wrong."""
    width = outcome.look_ms
    for k, image in enumerate(images):
        middle = (k + 0.5) * width
        axes.imshow(
            image.reshape(SIDE, SIDE),
            cmap="gray_r",
            vmin=0.0,
            vmax=1.0,
            extent=(middle - 0.36 * width, middle + 0.36 * width, 0.0, 1.0),
            aspect="auto",
        )
        name, label = int(outcome.predicted[k]), int(outcome.labels[k])
        text, colour = (str(name), _RIGHT) if name == label else (f"{name}, not {label}", _WRONG)
        axes.text(middle, -0.12, text, ha="center", va="top", color=colour, fontsize=10, fontweight="bold")
    axes.set_xlim(0, len(images) * width)
    axes.set_ylim(-0.5, 1.05)
    _bare(axes)
    _title(axes, f"{outcome.form}: the first test images, their predicted classes, and the spikes")


def _draw_classes(axes: Axes, names: IntArray) -> None:
    """Mark the neurons of each class."""
    ticks, texts = [], []
    for k in range(CLASSES):
        members = np.flatnonzero(names == k)
        if len(members):
            axes.axhline(members[-1] + 0.5, color=_FAINT, linewidth=0.5, zorder=0)
            ticks.append(float(members.mean()))
            texts.append(str(k))
    axes.set_yticks(ticks, texts)
    for label, text in zip(axes.get_yticklabels(), texts, strict=True):
        label.set_color(_CLASS_COLOURS[int(text)])
        label.set_fontweight("bold")
