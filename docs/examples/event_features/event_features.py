"""Rival cells learn what happens around the events of saccaded digits, and their thresholds share the work.

After the adaptive selection thresholds of Afshar et al. 2020 (FEAST). See README.md beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.data import Rate
from synloom.demo.data import contrast_rates
from synloom.demo.example import Example, Figure, Trial, lost_events
from synloom.demo.mnist import load_mnist
from synloom.demo.pictures import (
    BLUE,
    DASHES,
    DIVERGING,
    GREEN,
    INK,
    ORANGE,
    SKY,
    VERMILION,
    new_picture,
)
from synloom.demo.saccades import Saccades
from synloom.demo.time_surfaces import pooled_counts, time_surfaces

EYE = Saccades(side=28)
RADIUS = 3
PIXELS = (2 * RADIUS + 1) ** 2
SHOW_MS, REST_MS, URGE_FROM_MS = 12, 8, 4
"""An event is shown so long, then there is a rest; the urge to answer begins after some ms of it."""

EVENT_MS = SHOW_MS + REST_MS
MAX_HZ = 1000.0
BATCH = 10
"""Images in one run."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """How much is shown, and the settings, which were chosen on a part of the learning images."""

    train: int = 1000
    test: int = 500
    learn: int = 1000
    events: int = 48
    cells: int = 48
    parts: int = 5
    tau_ms: float = 25.0
    support: float = 4.0
    strength: float = 2600.0
    threshold: float = 9.0
    asked_threshold: float = 4.0
    theta_plus: float = 0.1
    rivalry: float = 40.0
    urge: float = 2.5
    A: float = 0.015
    A_end: float = 0.004


SHORT = Task(train=12, test=5, learn=6, events=4)


class Seen(NamedTuple):
    """Images as events: all of each image, those that are shown, and the surroundings (n, events, PIXELS)."""

    all: list[np.ndarray]
    shown: list[np.ndarray]
    surfaces: np.ndarray


class Answers(NamedTuple):
    """Spikes of the cells: the image, the event in it, the ms of that event, and the cell, (spikes,) each."""

    image: np.ndarray
    event: np.ndarray
    ms: np.ndarray
    cell: np.ndarray

    def first(self, events: int) -> Answers:
        """Return the first spikes of each event alone; there are several if they come in one step."""
        which = self.image * events + self.event
        least = np.full(which.max(initial=0) + 1, EVENT_MS)
        np.minimum.at(least, which, self.ms)
        kept = self.ms == least[which]
        return Answers(*(each[kept] for each in self))


def look(task: Task, images: np.ndarray, rng: np.random.Generator) -> Seen:
    """Return what the camera sends of each image, and events at even intervals with their surroundings.

    Events around which nothing has happened, which are mostly noise, are not among them.
    """
    seen = Seen([EYE.draw(rng, image) for image in images], [], np.empty((len(images), task.events, PIXELS)))
    for events, surfaces in zip(seen.all, seen.surfaces, strict=True):
        around = time_surfaces(events, side=EYE.side, radius=RADIUS, tau_ms=task.tau_ms)
        (known,) = np.nonzero(around.sum(axis=1) >= task.support)
        chosen = known[np.linspace(0, len(known) - 1, task.events).astype(int)]
        surfaces[:] = around[chosen]
        seen.shown.append(events[chosen])
    return seen


def network(task: Task, seed: int) -> sl.Network:
    """Return the network: the surroundings of an event drive rival cells; the urge makes them answer."""
    net = sl.Network(dt=1.0, seed=seed)
    surroundings = net.add(sl.InputPopulation(2 * PIXELS, label="surroundings"))
    urge = net.add(sl.InputPopulation(1, label="urge"))
    cell = sl.LIF(
        tau_m=6.0,
        tau_syn_E=0.0,
        tau_syn_I=0.0,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=task.threshold,
        theta_plus=task.theta_plus,
        tau_theta=20_000.0,
    )
    cells = net.add(sl.Population(task.cells, cell, label="cells", v_range=2500.0))
    rule = sl.TraceTarget(
        A=task.A, tau=4.0, target=0.45, w_min=-1.0, w_max=1.0, bounds="soft", pairing="nearest"
    )
    start = sl.Uniform(0.25, 0.7)
    net.add(sl.Projection(surroundings, cells, sl.AllToAll(), weight=start, plasticity=rule, label="sight"))
    net.add(sl.Projection(cells, cells, sl.AllToAll(), weight=-task.rivalry, label="rivalry"))
    net.add(sl.Projection(urge, cells, sl.AllToAll(), weight=task.urge, label="hurry"))
    return net


def show(device: sl.Device, task: Task, rates: np.ndarray, urged: bool = False) -> Answers:
    """Show the events of some images, (n, events, channels) in Hz, one after the other."""
    count = rates.shape[0] * task.events
    trains = Rate(steps=SHOW_MS, regular=True)(rates.ravel() / MAX_HZ).reshape(SHOW_MS, count, -1)
    raster = np.zeros((count, EVENT_MS, trains.shape[2]), dtype=bool)
    raster[:, :SHOW_MS] = trains.transpose(1, 0, 2)
    device.inject("surroundings", raster.reshape(count * EVENT_MS, -1))
    if urged:
        hurry = np.zeros((count, EVENT_MS), dtype=bool)
        hurry[:, URGE_FROM_MS:SHOW_MS] = True
        device.inject("urge", hurry.reshape(-1, 1))
    begun = device.time
    times, cells = device.run(float(count * EVENT_MS)).spikes("cells")
    event, ms = np.divmod(np.rint(times - begun).astype(np.int64), EVENT_MS)
    return Answers(*np.divmod(event, task.events), ms, cells)


def learn(device: sl.Device, task: Task, rates: np.ndarray, order: np.ndarray, plastic: bool) -> np.ndarray:
    """Show images while thresholds adapt, and weights if plastic; return what happened in each run.

    That is the share of events without an answer, and the thresholds: their least, mean and largest.
    """
    device.set_learning(plastic)
    course = []
    for begin in range(0, len(order), BATCH):
        device.set_rule("sight", A=task.A * (task.A_end / task.A) ** (begin / len(order)))
        some = order[begin : begin + BATCH]
        found = show(device, task, rates[some])
        answered = len(np.unique(found.image * task.events + found.event))
        threshold = task.threshold + device.read_state("cells")["theta"]
        missed = 1.0 - answered / (len(some) * task.events)
        course.append((missed, threshold.min(), threshold.mean(), threshold.max()))
    device.set_learning(False)
    device.set_adaptation(False)
    device.set_neurons("cells", v_thresh=task.asked_threshold)
    return np.array(course)


def ask(device: sl.Device, task: Task, rates: np.ndarray) -> Answers:
    """Show all images with the urge to answer."""
    parts = []
    for begin in range(0, len(rates), BATCH):
        found = show(device, task, rates[begin : begin + BATCH], urged=True)
        parts.append(found._replace(image=found.image + begin))
    return Answers(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def pooled(task: Task, seen: Seen, answers: Answers, number: int) -> np.ndarray:
    """Return each image's counts of features in each part of the sensor; each event counts as one."""
    which = answers.image * task.events + answers.event
    share = 1.0 / np.maximum(np.bincount(which, minlength=len(seen.shown) * task.events), 1)
    rows = []
    for image, events in enumerate(seen.shown):
        here = answers.image == image
        size = {"number": number, "side": EYE.side, "parts": task.parts}
        rows.append(
            pooled_counts(events[answers.event[here]], answers.cell[here], share[which[here]], **size)
        )
    return np.array(rows)


def read(counts: np.ndarray, labels: np.ndarray, train: int) -> float:
    """Return how many test images, in %, logistic regression on the roots of counts reads."""
    from sklearn.linear_model import LogisticRegression

    roots = np.sqrt(counts)
    roots -= roots[:train].mean(axis=0)
    roots /= max(float(roots[:train].std()), 1e-9)
    model = LogisticRegression(C=0.01, max_iter=400).fit(roots[:train], labels[:train])
    return 100.0 * float(model.score(roots[train:], labels[train:]))


def baselines(task: Task, seen: Seen, rates: np.ndarray, labels: np.ndarray, seed: int) -> dict[str, float]:
    """Return what k-means on the same surroundings reads, and what counts of the events alone do."""
    from sklearn.cluster import MiniBatchKMeans

    flat = rates.reshape(-1, rates.shape[2]) / MAX_HZ
    learned = task.learn * task.events
    centres = min(task.cells, learned)
    model = MiniBatchKMeans(centres, n_init=1, batch_size=1024, random_state=seed).fit(flat[:learned])
    nearest = np.argsort(model.transform(flat), axis=1)[:, :3]
    found = {}
    for name, many in (("k-means, nearest", 1), ("k-means, three nearest", 3)):
        event = np.repeat(np.arange(len(flat)), many)
        chosen = Answers(*np.divmod(event, task.events), np.zeros_like(event), nearest[:, :many].ravel())
        found[name] = read(pooled(task, seen, chosen, task.cells), labels, task.train)
    size = {"number": 2, "side": EYE.side, "parts": EYE.side}
    for name, some in (("counts of all events", seen.all), ("counts of the same events", seen.shown)):
        counts = np.array([pooled_counts(each, each["p"], **size) for each in some])
        found[name] = read(counts, labels, task.train)
    return found


def trial(trial: Trial) -> dict[str, Any]:
    """Let cells learn the surroundings of events, read the digits from their answers; the same untrained."""
    task, digits, rng = SHORT if trial.short else Task(), load_mnist(), trial.rng
    train, test = (
        rng.permutation(len(part))[:count]
        for part, count in ((digits.train, task.train), (digits.test, task.test))
    )
    labels = np.concatenate([digits.train_labels[train], digits.test_labels[test]])
    seen = look(task, np.concatenate([digits.train[train], digits.test[test]]), rng)
    mean = seen.surfaces[: task.learn].mean(axis=(0, 1))
    rates = contrast_rates(seen.surfaces.reshape(-1, PIXELS), mean, task.strength)
    rates = rates.reshape(*seen.surfaces.shape[:2], -1)
    order, image = rng.permutation(task.learn), trial.image(network(task, trial.seed))
    found, lost = baselines(task, seen, rates, labels, trial.seed), 0
    with trial.connect(image) as device:
        for name, plastic in (("untrained features", False), ("features", True)):
            device.load(image)
            found["course"] = learn(device, task, rates, order, plastic)
            answers = ask(device, task, rates)
            found[name] = read(pooled(task, seen, answers, task.cells), labels, task.train)
            lost += lost_events(device)
        weights = device.read_weights("sight")
    first = answers.first(task.events)
    answered = len(np.unique(answers.image * task.events + answers.event))
    return found | {
        "first answers only": read(pooled(task, seen, first, task.cells), labels, task.train),
        "events answered": 100.0 * answered / (len(labels) * task.events),
        "cells an event": len(first.cell) / max(answered, 1),
        "lost": lost,
        "fields": (weights[:PIXELS] - weights[PIXELS:]).T.reshape(task.cells, 2 * RADIUS + 1, -1),
        "digits": [seen.all[image] for image in np.unique(labels, return_index=True)[1]],
        "dots": [places_of(seen, first, labels, digit) for digit in range(10)],
    }


def places_of(seen: Seen, answers: Answers, labels: np.ndarray, digit: int) -> tuple[np.ndarray, ...]:
    """Return x, y and feature of all answers to the events of a digit."""
    here = Answers(*(each[labels[answers.image] == digit] for each in answers))
    events = [seen.shown[image][event] for image, event in zip(here.image, here.event, strict=True)]
    x, y = (np.array([each[axis] for each in events], dtype=np.int64) for axis in ("x", "y"))
    return x, y, here.cell


def figure(**more: Any) -> Figure:
    """Return a figure in per cent of the test images."""
    return Figure(unit="% right", digits=1, **more)


def colours(fields: np.ndarray) -> np.ndarray:
    """Return a colour for each feature, by the direction in which its surroundings are active."""
    across = np.arange(fields.shape[1]) - RADIUS
    direction = np.arctan2(
        (fields.sum(axis=2) * across).sum(axis=1), (fields.sum(axis=1) * across).sum(axis=1)
    )
    hue = (direction / (2.0 * np.pi)) % 1.0
    return hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.85), np.full_like(hue, 0.85)], axis=1))


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw events and their features, what the cells have learned, their thresholds, and the figures."""
    one = found[0]
    picture = new_picture(11.0, 8.0)
    camera, features, bottom = picture.subfigures(3, 1, height_ratios=(1.0, 1.0, 3.0))
    colour = colours(one["fields"])
    heading(camera, "what the camera sends of one image: brighter (orange), darker (blue)")
    for axis, events in zip(sensors(camera), one["digits"], strict=False):
        tint = np.where(events["p"] == 1, ORANGE, BLUE)
        axis.scatter(events["x"] + 0.5, events["y"] + 0.5, s=1.5, c=tint, alpha=0.5, linewidths=0)
    heading(features, "the features of all images of a digit, in the colours of their frames below")
    rng = np.random.default_rng(1)
    for axis, (x, y, cell) in zip(sensors(features), one["dots"], strict=True):
        some = rng.permutation(len(x))[:4000]
        apart = rng.uniform(0.0, 1.0, (2, len(some)))
        axis.scatter(x[some] + apart[0], y[some] + apart[1], s=1.2, c=colour[cell[some]], linewidths=0)
    left, right = bottom.subfigures(1, 2, width_ratios=(1.0, 1.25))
    mosaic(left, one["fields"], colour)
    course, bars = right.subplots(2, 1, height_ratios=(1.0, 1.15))
    thresholds(course, one["course"])
    compare(bars, found)
    return picture


def heading(part: Any, text: str) -> None:
    """Write a heading over a part of the picture."""
    part.suptitle(text, x=0.01, ha="left", fontsize=9.5)


def sensors(part: Any) -> Any:
    """Return ten empty squares as large as the sensor."""
    axes = part.subplots(1, 10)
    for axis in axes:
        axis.set(xticks=[], yticks=[], xlim=(0, EYE.side), ylim=(EYE.side, 0), aspect="equal")
        for spine in axis.spines.values():
            spine.set_visible(False)
    return axes


def mosaic(part: Any, fields: np.ndarray, colour: np.ndarray) -> None:
    """Draw the learned field of each cell, in the order of their colours."""
    order = np.argsort(rgb_to_hsv(colour)[:, 0], kind="stable")
    axes = part.subplots(6, -(-len(fields) // 6))
    for axis, cell in zip(axes.flat, order, strict=False):
        axis.imshow(fields[cell], cmap=DIVERGING, vmin=-2.0, vmax=2.0)
        axis.set(xticks=[], yticks=[])
        for spine in axis.spines.values():
            spine.set(visible=True, color=colour[cell], linewidth=2.0)
    heading(part, "what each cell has learned to see around an event")


def thresholds(axes: Any, course: np.ndarray) -> None:
    """Draw how thresholds move and events are missed while the cells learn."""
    images = BATCH * np.arange(1, len(course) + 1)
    axes.fill_between(images, course[:, 1], course[:, 3], color=SKY, alpha=0.4, linewidth=0)
    axes.plot(images, course[:, 2], color=BLUE)
    axes.set(xlabel="images seen", ylabel="thresholds (mV)", xlim=(0, images[-1]))
    axes.set_ylim(0.0, 1.1 * course[:, 3].max())
    missed = axes.twinx()
    missed.plot(images, 100.0 * course[:, 0], color=VERMILION, linewidth=1.0)
    missed.set(ylim=(0, 100))
    missed.set_ylabel("events missed (%)", color=VERMILION)
    axes.set_title("selection thresholds, mean and range of the cells, and missed events")


def compare(axes: Any, found: list[dict[str, Any]]) -> None:
    """Draw how many test images are read from each kind of counts: mean and range of the seeds."""
    for row, (name, colour) in enumerate(BARS.items()):
        values = np.array([each[name] for each in found])
        axes.barh(row, values.mean(), color=colour, height=0.7)
        axes.plot([values.min(), values.max()], [row, row], color=INK, linewidth=1.2)
        axes.text(1.5, row, f"{name}: {values.mean():.1f}", va="center", fontsize=8, color="white")
    axes.axvline(10.0, color=INK, linewidth=0.8, linestyle=DASHES)
    axes.set(
        yticks=[], xlim=(0, 100), ylim=(len(BARS) - 0.4, -0.6), xlabel="test images right (%; dashes: chance)"
    )
    axes.set_title("read by logistic regression, mean and range of seeds")


BARS = {
    "features": BLUE,
    "first answers only": BLUE,
    "untrained features": "#5b6b7a",
    "k-means, nearest": GREEN,
    "k-means, three nearest": GREEN,
    "counts of all events": VERMILION,
    "counts of the same events": VERMILION,
}


EXAMPLE = Example(
    name="event_features",
    trial=trial,
    draw=draw,
    figures={
        "features": figure(least=86.0),
        "first answers only": figure(),
        "untrained features": figure(),
        "k-means, nearest": figure(),
        "k-means, three nearest": figure(),
        "counts of all events": figure(),
        "counts of the same events": figure(),
        "events answered": Figure(unit="%", digits=1),
        "cells an event": Figure(digits=2),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
