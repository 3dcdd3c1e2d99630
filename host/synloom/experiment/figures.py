"""Figures of an experiment: rasters with rates, state over time, weights before and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter1d

from synloom.base.checks import FloatArray
from synloom.contract.traces import TRACES
from synloom.device.weight_series import Weights
from synloom.experiment.results import Results
from synloom.experiment.style import DIVERGING, INK, SEQUENTIAL, colour, marks, new_figure, styled, time_axis

__all__ = ["draw_figures"]

_UNITS: Final = {
    "v": ("V", "mV"),
    "isyn_exc": ("excitatory current", "nA"),
    "isyn_inh": ("inhibitory current", "nA"),
    "theta": ("threshold adaptation", "mV"),
    **{trace.variable: (f"{trace.side.value} trace {trace.name}", "spikes") for trace in TRACES},
}
_POINTS: Final = 560.0
"""Width of a raster in points."""

_LINES: Final = 400
"""Most synapses drawn over time; of more, an even selection is drawn."""


def draw_figures(results: Results) -> Iterator[tuple[str, Figure]]:
    """Yield (name, figure) for every figure that the recorded data allow."""
    with styled():
        if results.recording.sizes:
            yield "raster", _raster(results)
        for variable in dict.fromkeys(variable for _, variable in results.recording.series):
            yield f"state-{variable}", _state(results, variable)
        for name, weights in results.weights.items():
            if len(weights.present(-1)):
                yield f"weights-{name}", _weights(results, name, weights)


def _changes(results: Results) -> list[float]:
    times = [change["at"] for change in results.experiment.tables["changes"]]
    return [time for time in times if 0.0 < time < results.experiment.duration]


# ---- spikes ------------------------------------------------------------------------------------


def _raster(results: Results) -> Figure:
    recording = results.recording
    sizes = recording.sizes
    # Heights follow the number of neurons, within limits that keep small populations visible.
    rooms = [min(max(0.03 * n, 0.55), 3.5) for n in sizes.values()]
    figure = new_figure(results.experiment.title, 9.0, 1.0 + sum(rooms) + 1.6)
    ratios = [*rooms, 1.3]
    panels: Any = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    for axes, name, room in zip(panels, sizes, rooms, strict=False):
        times, neurons = recording.spikes(name)
        shade = _colour_of(results, name)
        mark = min(max(72.0 * room / sizes[name], 0.8), 5.0)
        # Transparency keeps dense rasters from becoming a solid block.
        dense = len(times) / (sizes[name] * _POINTS)
        faint = min(1.0, max(0.12, 0.4 / max(dense, 0.4)))
        axes.scatter(times, neurons, s=mark**2, marker="|", linewidth=0.7, alpha=faint, color=shade)
        axes.set_ylim(-0.5, sizes[name] - 0.5)
        axes.set_yticks([0, sizes[name] - 1] if sizes[name] > 1 else [0])
        axes.set_ylabel(name, rotation=0, horizontalalignment="right", color=shade)
        marks(axes, _changes(results))
    _rates(results, panels[-1])
    time_axis(panels[-1], 0.0, results.experiment.duration)
    return figure


def _rates(results: Results, axes: Axes) -> None:
    """Draw every population's mean rate, smoothed by a Gaussian with an sd of 1/200 of the run."""
    recording, dt = results.recording, results.experiment.dt
    middles = dt * (np.arange(results.experiment.steps) + 0.5)
    for name, n in recording.sizes.items():
        spikes = np.bincount(recording.spike_steps[name], minlength=results.experiment.steps)
        rate = gaussian_filter1d(spikes * (1000.0 / (dt * n)), max(1.0, results.experiment.steps / 200.0))
        axes.plot(middles, rate, color=_colour_of(results, name), linewidth=1.3)
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel("rate (Hz)")
    marks(axes, _changes(results))


# ---- state -------------------------------------------------------------------------------------


def _state(results: Results, variable: str) -> Figure:
    """Draw one variable, with a panel for each neuron or channel that it was recorded of."""
    recording = results.recording
    rows = [
        (name, k)
        for (name, recorded), series in recording.series.items()
        if recorded == variable
        for k in range(len(series.indices))
    ]
    word, unit = _UNITS[variable]
    figure = new_figure(f"{results.experiment.title}: {word} ({unit})", 9.0, 1.0 + 0.85 * len(rows))
    panels: Any = figure.subplots(len(rows), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (name, k) in zip(panels, rows, strict=True):
        series = recording.series[name, variable]
        index, shade = int(series.indices[k]), _colour_of(results, name)
        axes.plot(recording.times(name, variable), series.values[:, k], color=shade, linewidth=0.9)
        axes.set_ylabel(f"{name} {index}", rotation=0, horizontalalignment="right", color=shade)
        marks(axes, _changes(results))
        if variable == "v":
            _threshold(results, name, index, axes)
    time_axis(panels[-1], 0.0, results.experiment.duration)
    return figure


def _colour_of(results: Results, name: str) -> str:
    """Return the colour of a population or an input, the same in all figures."""
    tables = results.experiment.tables
    return colour([*tables["populations"], *tables["inputs"]].index(name))


def _threshold(results: Results, name: str, index: int, axes: Axes) -> None:
    """Draw the threshold, and a stroke above it for each spike, since V is reset within the step."""
    population = next(part for part in results.network.populations if part.label == name)
    values = population.cell.values(population.n)
    top, bottom = (float(values[key][index]) for key in ("v_thresh", "v_reset"))
    axes.axhline(top, color="#90a4ae", linewidth=0.7, linestyle=(0, (1, 2)))
    if name in results.recording.sizes:
        times, neurons = results.recording.spikes(name)
        axes.vlines(times[neurons == index], top, top + 0.6 * (top - bottom), color=INK, linewidth=0.8)


# ---- weights -----------------------------------------------------------------------------------


def _weights(results: Results, name: str, weights: Weights) -> Figure:
    table = results.experiment.tables["projections"][name]
    target = results.experiment.tables["populations"][table["to"]]
    unit = "mV" if target["tau_syn_E"] == 0.0 else "nA"
    many = len(weights.times) > 2
    figure = new_figure(f"{results.experiment.title}: weights of {name}", 10.0, 6.4 if many else 3.6)
    rows: Any = figure.subfigures(2, 1) if many else [figure]
    left, middle, right = rows[0].subplots(1, 3, width_ratios=[1.0, 1.0, 1.2])
    low, high, colours = _scale(weights)
    for axes, k, when in ((left, 0, "before"), (middle, -1, "after")):
        picture = axes.imshow(
            weights.values[k].T, aspect="auto", origin="lower", vmin=low, vmax=high, cmap=colours
        )
        axes.set_title(f"{when} ({weights.times[k]:g} ms)")
        axes.set_xlabel(f"{table['from']} (source)")
        axes.set_ylabel(f"{table['to']} (target)" if k == 0 else "")
        axes.spines[["top", "right"]].set_visible(True)
    rows[0].colorbar(picture, ax=middle, label=f"weight ({unit})", pad=0.02)
    _histogram(weights, right, unit, low, high)
    if many:
        _over_time(weights, rows[1].subplots(), unit)
    return figure


def _scale(weights: Weights) -> tuple[float, float, str]:
    """Return the colour range and the colour map: from 0, or symmetric if weights have both signs."""
    both = np.concatenate([weights.present(0), weights.present(-1)])
    low, high = min(float(both.min()), 0.0), max(float(both.max()), 0.0)
    if low < 0.0 < high:
        reach = max(-low, high)
        return -reach, reach, DIVERGING
    if low == high:
        high = 1.0
    return low, high, SEQUENTIAL if high > 0.0 else f"{SEQUENTIAL}_r"


def _histogram(weights: Weights, axes: Axes, unit: str, low: float, high: float) -> None:
    edges = np.linspace(low, high, 31).tolist()
    axes.hist(weights.present(0), edges, color="#b0bec5", label="before")
    axes.hist(weights.present(-1), edges, histtype="step", linewidth=1.6, color=colour(1), label="after")
    axes.set_title("distribution")
    axes.set_xlabel(f"weight ({unit})")
    axes.set_ylabel("synapses")
    axes.legend()


def _over_time(weights: Weights, axes: Axes, unit: str) -> None:
    """Draw the weight of each synapse over time, and their mean."""
    there = ~np.isnan(weights.values[0])
    lines: FloatArray = weights.values[:, there]
    chosen = np.unique(np.linspace(0, lines.shape[1] - 1, min(lines.shape[1], _LINES)).round().astype(int))
    order = chosen[np.argsort(lines[-1, chosen])]
    for k in order:
        axes.plot(weights.times, lines[:, k], color=colour(0), alpha=0.18, linewidth=0.6)
    axes.plot(weights.times, lines.mean(axis=1), color=colour(1), linewidth=1.8, label="mean")
    shown = "" if len(order) == lines.shape[1] else f" ({len(order)} of {lines.shape[1]} synapses)"
    axes.set_title(f"over time{shown}")
    time_axis(axes, float(weights.times[0]), float(weights.times[-1]))
    axes.set_ylabel(f"weight ({unit})")
    axes.legend(loc="upper left", frameon=True, framealpha=0.9, edgecolor="none")
