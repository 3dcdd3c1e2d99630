"""Small groups of neurons learn the places of their own stretch of a railway, and know them in other seasons.

After the region-specific ensembles of Hussaini, Milford and Fischer 2022. See README.md beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.data import contrast_rates
from synloom.demo.example import Example, Figure, Trial, lost_events
from synloom.demo.pictures import BLUE, DIVERGING, GREY, INK, ORANGE, new_picture
from synloom.demo.retrieval import (
    along_sequences,
    area,
    confidence,
    precision_recall,
    recall_at_full_precision,
    standardised,
)
from synloom.demo.route import SEASONS, Route, patch_normalised

SHOW_MS = 16
SILENT = 900.0
"""A threshold that no image reaches, mV: the cells of all regions but one are silent while it is learned."""
LEARNED = ("spring", "autumn")
ASKED = ("summer", "winter")
SEQUENCE = 5


@dataclass(frozen=True, kw_only=True)
class Task:
    """How long the route is, and the settings, which were chosen on routes of other seeds."""

    regions: int = 8
    places: int = 25
    cells: int = 64
    width: int = 16
    height: int = 8
    passes: int = 7
    looks: int = 4
    strength: float = 2600.0
    threshold: float = 16.5
    asked_threshold: float = 5.0
    fall: float = 0.7
    rivalry: float = 1.8
    A: float = 0.1
    A_end: float = 0.02

    @property
    def of_cells(self) -> np.ndarray:
        """The region of each cell."""
        return np.repeat(np.arange(self.regions), self.cells)

    @property
    def of_places(self) -> np.ndarray:
        """The region of each place."""
        return np.repeat(np.arange(self.regions), self.places)

    def ride(self, route: Route, season: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return the images of a ride, and what the network sees: how each differs from their mean."""
        images = route.traverse(SEASONS[season], rng)
        small = patch_normalised(images, self.width, self.height, patch=4)
        return images, small - small.mean(axis=0)


SHORT = Task(regions=2, places=5, cells=8, width=8, height=4, passes=1, looks=1)


def network(task: Task, seed: int) -> sl.Network:
    """Return the network: pixels drive the cells of all regions; only cells of one region are rivals."""
    net = sl.Network(dt=1.0, seed=seed)
    pixels = net.add(sl.RegularInput(2 * task.width * task.height, label="pixels"))
    metronome = net.add(sl.RegularInput(1, rate=1000.0 / SHOW_MS, label="metronome"))
    cell = sl.LIF(
        tau_m=4.8,
        tau_syn_E=0.0,
        tau_syn_I=0.0,
        v_rest=0.0,
        v_thresh=task.threshold,
        v_reset=task.threshold - task.fall,
        reset_mode="subtract",
    )
    cells = net.add(sl.Population(task.regions * task.cells, cell, label="cells", v_range=1000.0))
    rule = sl.TraceTarget(
        A=task.A, tau=0.9, target=0.18, w_min=-1.0, w_max=1.0, bounds="soft", pairing="nearest"
    )
    start = sl.Uniform(0.25, 0.7)
    net.add(sl.Projection(pixels, cells, sl.AllToAll(), weight=start, plasticity=rule, label="sight"))
    region = task.of_cells
    rivals = (region[:, None] == region[None, :]) & ~np.eye(len(region), dtype=bool)
    matrix = sl.FromMatrix(np.where(rivals, -task.rivalry, np.nan))
    net.add(sl.Projection(cells, cells, matrix, label="rivalry"))
    net.add(sl.Projection(metronome, cells, sl.AllToAll(), weight=-40.0, label="blank"))
    return net


def look(device: sl.Device, task: Task, view: np.ndarray, looks: int = 1) -> np.ndarray:
    """Show a view by on and off channels; return how often each cell fired."""
    rates = contrast_rates(view[None], np.zeros_like(view), task.strength)[0]
    device.set_rates("pixels", rates, bits=8)
    return device.present({}, float(looks * SHOW_MS))["cells"]


def learn(device: sl.Device, task: Task, rides: list[np.ndarray], rng: np.random.Generator) -> None:
    """Learn one region after the other, each by its own cells alone."""
    device.set_learning(True)
    for region in range(task.regions):
        device.set_neurons("cells", v_thresh=np.where(task.of_cells == region, task.threshold, SILENT))
        mine = [view for ride in rides for view in ride[task.of_places == region]]
        for k in range(task.passes):
            device.set_rule("sight", A=task.A * (task.A_end / task.A) ** (k / task.passes))
            for index in rng.permutation(len(mine)):
                look(device, task, mine[index])
    device.set_learning(False)
    low = task.asked_threshold
    device.set_neurons("cells", v_thresh=low, v_reset=low - task.fall)


def votes_of(task: Task, learned: np.ndarray) -> np.ndarray:
    """Return the share of each cell's vote for each place, (cells, places), from its answers to both rides.

    A cell votes for the places of its region, with its mean answer to them divided by its answers to the
    whole route: cells that fire anywhere have little weight (hyperactive cells, the source's regularisation).
    """
    own = task.of_places[:, None] == task.of_cells[None, :]
    return (np.where(own, learned, 0.0) / np.maximum(learned.sum(axis=0), 1e-9)).T


def scores(evidence: np.ndarray) -> dict[str, Any]:
    """Return how many queries are right, alone and as sequences, and their curves."""
    true = np.arange(len(evidence))
    rows, found = standardised(evidence), {}
    for name, each in (("", rows), (", sequences", along_sequences(rows, SEQUENCE))):
        right, sure = each.argmax(axis=1) == true, confidence(each)
        found[f"right{name}"] = 100.0 * float(right.mean())
        found[f"area{name}"] = 100.0 * area(sure, right)
        found[f"recall at 100 % precision{name}"] = 100.0 * recall_at_full_precision(sure, right)
        found[f"curve{name}"] = precision_recall(sure, right)
    return found


def trial(trial: Trial) -> dict[str, Any]:
    """Learn the route in spring and autumn; recognise its places in summer and winter."""
    task = SHORT if trial.short else Task()
    route = Route(task.regions * task.places, trial.seed)
    rides = {s: task.ride(route, s, np.random.default_rng([trial.seed, k])) for k, s in enumerate(SEASONS)}
    net, learned = network(task, trial.seed), [rides[season][1] for season in LEARNED]
    shown = np.linspace(2, route.places - 4, 5).astype(int)
    found: dict[str, Any] = {"shown": shown, "images": {s: rides[s][0][shown] for s in SEASONS}}
    with trial.connect(trial.image(net)) as device:
        learn(device, task, learned, trial.rng)
        answers = {s: np.stack([look(device, task, v, task.looks) for v in rides[s][1]]) for s in SEASONS}
        weights = device.read_weights("sight")
        found["lost"] = lost_events(device)
    votes = votes_of(task, np.mean([answers[season] for season in LEARNED], axis=0))
    for season in ASKED:
        away = [np.abs(rides[season][1][:, None] - ride[None]).sum(axis=2) for ride in learned]
        for who, evidence in (("cells", answers[season] @ votes), ("SAD", -np.minimum(*away))):
            found |= {f"{season}, {name}, {who}": value for name, value in scores(evidence).items()}
        found[f"{season}, evidence"] = standardised(answers[season] @ votes)
    half = task.width * task.height
    best = votes.argmax(axis=0)
    found["fields"] = (weights[:half] - weights[half:])[:, best].T.reshape(-1, task.height, task.width)
    return found


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw places in all seasons with what a cell learned of them, the evidence, and precision and recall."""
    one = found[0]
    picture = new_picture(11.0, 8.2)
    top, bottom = picture.subfigures(2, 1, height_ratios=(1.45, 1.0))
    axes = top.subplots(5, 5)
    for row, season in enumerate(SEASONS):
        use = "learned" if season in LEARNED else "asked"
        axes[row, 0].set_ylabel(f"{season}\n({use})", fontsize=8)
        for column, image in enumerate(one["images"][season]):
            axes[row, column].imshow(image)
    axes[4, 0].set_ylabel("a cell of\nthis place", fontsize=8)
    for column, place in enumerate(one["shown"]):
        field = one["fields"][place]
        axes[4, column].imshow(field, cmap=DIVERGING, vmin=-2.0, vmax=2.0)
        axes[0, column].set_title(f"place {place}")
    for each in axes.flat:
        each.set(xticks=[], yticks=[])
        for spine in each.spines.values():
            spine.set_visible(False)
    matrix, *curves = bottom.subplots(1, 3)
    matrix.imshow(one["summer, evidence"], cmap="cividis", vmin=0.0, vmax=5.0, aspect="auto")
    matrix.set(xlabel="place", ylabel="query, along the ride", title="evidence of the cells, summer")
    for axes, season in zip(curves, ASKED, strict=True):
        for who, colour in (("cells", BLUE), ("SAD", ORANGE)):
            for name, dash, text in (("", "-", ""), (", sequences", "--", f", {SEQUENCE} in a row")):
                grid = np.linspace(0.0, 1.0, 101)
                lines = [along(each[f"{season}, curve{name}, {who}"], grid) for each in found]
                axes.plot(100 * grid, 100 * np.mean(lines, axis=0), dash, color=colour, label=f"{who}{text}")
        axes.axhline(100.0 / len(one["fields"]), color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
        axes.set(xlabel="recall (%)", ylabel="precision (%)", xlim=(0, 100), ylim=(-2, 103))
        axes.set_title(f"{season}, mean of seeds (dots: chance)")
        axes.grid(color=GREY, linewidth=0.5)
    curves[0].legend(fontsize=8, loc="lower left", bbox_to_anchor=(0.0, 0.08))
    return picture


def along(curve: tuple[np.ndarray, np.ndarray], grid: np.ndarray) -> np.ndarray:
    """Return the best precision that has at least each recall; NaN where a curve does not reach it."""
    precision, recall = curve
    best = np.array([precision[recall >= least].max(initial=0.0) for least in grid])
    return np.where(grid <= recall.max(), best, np.nan)


def figure(**more: Any) -> Figure:
    """Return a figure in per cent."""
    return Figure(unit="%", digits=1, **more)


EXAMPLE = Example(
    name="places",
    trial=trial,
    draw=draw,
    figures={
        "summer, right, cells": figure(least=60.0),
        "summer, area, cells": figure(published="39.9, Nordland, 400 places"),
        "summer, recall at 100 % precision, cells": figure(),
        "summer, right, sequences, cells": figure(least=97.0),
        "summer, area, sequences, cells": figure(published="88.3, Nordland, 400 places"),
        "winter, right, cells": figure(),
        "winter, right, sequences, cells": figure(least=65.0),
        "summer, right, SAD": figure(),
        "summer, area, SAD": figure(),
        "summer, recall at 100 % precision, SAD": figure(),
        "summer, right, sequences, SAD": figure(),
        "winter, right, SAD": figure(),
        "winter, right, sequences, SAD": figure(),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
