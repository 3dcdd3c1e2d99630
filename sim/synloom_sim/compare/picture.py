"""Pictures of a report and of a comparison."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synloom.base.checks import FloatArray
from synloom.experiment.style import colour, new_figure, styled, time_axis
from synloom.image.report import Report
from synloom_sim.compare.comparison import Comparison, PopulationComparison

__all__ = ["draw_comparison", "draw_learned", "draw_report"]

_MOST_POINTS = 4000
_MOST_NEURONS = 60


def draw_report(report: Report, wanted: Mapping[str, FloatArray], got: Mapping[str, FloatArray]) -> Figure:
    """Draw weights as asked for against weights as the array has them, and the effective time constants.

    Parameters
    ----------
    report : Report
        The report of the image.
    wanted, got : mapping of str to (K,) float64
        Weights of each projection.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each projection, and one for the rows named *effective* and the areas.
    """
    with styled():
        columns = min(3, len(wanted) + 1)
        rows = -(-(len(wanted) + 1) // columns)
        figure = new_figure(report.title, 4.0 * columns, 3.2 * rows + 0.4)
        panels = figure.subplots(rows, columns, squeeze=False).reshape(-1)
        for k, label in enumerate(wanted):
            _weights(panels[k], label, wanted[label], got[label], colour(k))
        _effective(panels[len(wanted)], report)
        for panel in panels[len(wanted) + 1 :]:
            panel.set_axis_off()
        return figure


def _weights(axes: Axes, label: str, wanted: FloatArray, got: FloatArray, ink: str) -> None:
    axes.set_title(label)
    if not len(wanted):
        return
    every = max(1, len(wanted) // _MOST_POINTS)
    low, high = float(wanted.min()), float(wanted.max())
    axes.plot([low, high], [low, high], color="#b0bec5", linewidth=0.8)
    axes.plot(wanted[::every], got[::every], ".", markersize=3, color=ink)
    size = np.abs(wanted).mean()
    error = 100.0 * np.abs(got - wanted).mean() / size if size else 0.0
    axes.set_xlabel("wanted")
    axes.set_ylabel(f"got ({error:.2g} % off on average)")


def _effective(axes: Axes, report: Report) -> None:
    rows = [row for row in report.rows if "effective" in row.parameter or row.parameter.startswith("area")]
    axes.set_title("effective time constants and areas")
    if not rows:
        axes.set_axis_off()
        return
    errors = [100.0 * (row.got - row.wanted) / row.wanted if row.wanted else 0.0 for row in rows]
    axes.barh(range(len(rows)), errors, color=colour(0))
    axes.set_yticks(
        range(len(rows)), [f"{row.where}: {row.parameter.split(' (')[0]}" for row in rows], fontsize=6
    )
    axes.invert_yaxis()
    axes.set_xlabel("error (%)")


def draw_comparison(comparison: Comparison, title: str) -> Figure:
    """Draw the spikes of all populations, float above array, and where they part.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels for each population.
    """
    with styled():
        count = len(comparison.populations)
        figure = new_figure(title, 9.0, 1.8 * count + 0.8)
        panels = figure.subplots(count, 1, squeeze=False, sharex=True).reshape(-1)
        for axes, part in zip(panels, comparison.populations, strict=True):
            _spikes(axes, part, comparison.network.dt)
        time_axis(panels[-1], 0.0, len(comparison.populations[0].floats) * comparison.network.dt)
        return figure


def draw_learned(comparison: Comparison, title: str) -> Figure:
    """Draw the weights of what learns, in the array against floating point, before and after the run.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each projection that learns.
    """
    with styled():
        parts = comparison.learned
        figure = new_figure(title, 4.0 * len(parts), 3.6)
        panels = figure.subplots(1, len(parts), squeeze=False).reshape(-1)
        for k, (axes, (label, part)) in enumerate(zip(panels, parts.items(), strict=True)):
            every = max(1, len(part.before) // _MOST_POINTS)
            ends = [float(f(np.concatenate([part.floats, part.array]))) for f in (np.min, np.max)]
            axes.plot(ends, ends, color="#b0bec5", linewidth=0.8)
            before = comparison.got[label]
            axes.plot(part.before[::every], before[::every], ".", markersize=2, color="#b0bec5")
            axes.plot(part.floats[::every], part.array[::every], ".", markersize=3, color=colour(k))
            axes.set_title(label)
            axes.set_xlabel(f"float ({part.unit}); grey: before")
            axes.set_ylabel(f"array ({part.unit})")
        return figure


def _spikes(axes: Axes, part: PopulationComparison, dt: float) -> None:
    n = min(part.floats.shape[1], _MOST_NEURONS)
    for raster, ink, up in ((part.floats, colour(0), 0.2), (part.array, colour(1), -0.2)):
        steps, neurons = np.nonzero(raster[:, :n])
        axes.plot(steps * dt, neurons + up, "|", markersize=4, color=ink)
    axes.set_ylabel(part.label)
    axes.set_title(f"float above, array below: {part.why()}", fontsize=8, loc="left")
    where = part.parts()
    if where is not None:
        axes.axvline(where[0] * dt, color="#b0bec5", linewidth=1.0)
