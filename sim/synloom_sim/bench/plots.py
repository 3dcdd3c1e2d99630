"""Pictures of the reports: cost against activity and against size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from synloom_sim.bench.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PLOTS", "draw", "is_ours"]

Row = dict[str, Any]

_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
"""Okabe and Ito (2008), which colour-blind people can tell apart, and a brown."""
_MARKERS: Final = "osD^vPX*"


def _axes(
    title: str, x: str, y: str, columns: int = 1, names: Sequence[str] = ("",)
) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure, and its panels side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4 * columns, 4.2), layout="constrained")
    figure.suptitle(title, fontsize=11)
    all_axes = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
    for axes, name in zip(all_axes, names, strict=True):
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(x)
        axes.set_yscale("log")
        axes.grid(visible=True, which="major", alpha=0.3)
    all_axes[0].set_ylabel(y)
    return figure, all_axes


def clocks_by_activity(rows: Sequence[Row]) -> Figure:
    """Return clocks of a step against activity for 64 + 256, and their bound as lines."""
    figure, panels = _axes(
        "Clocks of a step, 64 inputs + 256 neurons", "inputs and neurons that spike in a step / %",
        "clocks", 2, ("all synapses learn", "none learns"),
    )  # fmt: skip
    for axes, learning in zip(panels, (True, False), strict=True):
        for colour, marker, lanes in zip(_COLOURS, _MARKERS, (1, 4, 8, 16), strict=False):
            found = [
                r
                for r in rows
                if (r["inputs"], r["neurons"], r["lanes"], r["learning"]) == (64, 256, lanes, learning)
            ]
            share = [100 * r["active"] for r in found]
            _against_bound(axes, share, found, lanes, colour, marker)
        axes.set_xscale("symlog", linthresh=1, linscale=0.6)
        axes.set_xticks([0, 1, 5, 20, 100], ["0", "1", "5", "20", "100"])
        axes.minorticks_off()
    panels[0].legend(fontsize=8, title="lines: bound", title_fontsize=8)
    return figure


def clocks_by_size(rows: Sequence[Row]) -> Figure:
    """Return clocks of a step against the number of neurons, at 5 % activity with learning."""
    figure, (axes,) = _axes(
        "Clocks of a step at 5 %, all synapses learn, 64 inputs", "neurons", "clocks"
    )  # fmt: skip
    for colour, marker, lanes in zip(_COLOURS, _MARKERS, (1, 4, 8, 16), strict=False):
        found = [
            r
            for r in rows
            if r["inputs"] == 64 and r["lanes"] == lanes and r["learning"] and 0.03 < r["active"] < 0.1
        ]
        found.sort(key=lambda r: int(r["neurons"]))
        sizes = [r["neurons"] for r in found]
        _against_bound(axes, sizes, found, lanes, colour, marker)
    _sizes(axes, sorted({r["neurons"] for r in rows if r["inputs"] == 64}))
    axes.legend(fontsize=8, title="lines: bound", title_fontsize=8)
    return figure


def _against_bound(
    axes: Axes, places: Sequence[float], rows: Sequence[Row], lanes: int, colour: str, marker: str
) -> None:
    """Draw the clocks of rows as marks, and their bounds as a line."""
    axes.plot(places, [r["bound"] for r in rows], color=colour, linewidth=1)
    label = "1 lane" if lanes == 1 else f"{lanes} lanes"
    axes.plot(places, [r["clocks"] for r in rows], marker, color=colour, label=label, markersize=5)


def _sizes(axes: Axes, sizes: Sequence[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(n) for n in sizes])
    axes.minorticks_off()


def peers_by_size(rows: Sequence[Row]) -> Figure:
    """Return steps per second against the number of neurons, for all simulators."""
    figure, panels = _axes(
        "Steps a second of processor time, one core, all-to-all, 1.7 % active",
        "neurons", "steps/s", 2, ("all synapses learn (STDP)", "none learns"),
    )  # fmt: skip
    titles = list(dict.fromkeys(row["title"] for row in rows))
    for axes, learning in zip(panels, (True, False), strict=True):
        for title, colour, marker in zip(titles, cycle(_COLOURS), cycle(_MARKERS), strict=False):
            found = [r for r in rows if r["title"] == title and r["learning"] == learning]
            found.sort(key=lambda r: int(r["neurons"]))
            axes.plot(
                [r["neurons"] for r in found],
                [r["steps_per_second"] for r in found],
                marker=marker,
                color=colour,
                label=title,
                markersize=5,
                linewidth=2 if is_ours(title) else 1,
            )
        _sizes(axes, sorted({r["neurons"] for r in rows}))
    panels[1].legend(fontsize=8, bbox_to_anchor=(1.02, 1), loc="upper left")
    figure.set_size_inches(12.6, 4.2)
    return figure


def is_ours(title: str) -> bool:
    """Return whether a simulator is a target of Synloom."""
    return title in ("fast engine", "model", "simulated board")


PLOTS: Final[dict[str, dict[str, Callable[[Sequence[Row]], Figure]]]] = {
    "clocks": {"bench_activity": clocks_by_activity, "bench_size": clocks_by_size},
    "peers": {"bench_peers": peers_by_size},
}
"""Pictures of each kind of report, by the names of their files."""


def draw(report: Report, folder: Path) -> list[Path]:
    """Draw all pictures of a report into a folder as PNG, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, make in PLOTS.get(report.kind, {}).items():
        path = folder / f"{name}.png"
        make(report.rows).savefig(path, dpi=110)
        paths.append(path)
    return paths
