"""Detectors with a delay at every synapse learn in which direction and how fast a bar moves.

After the heterogeneous delays of Grimaldi and Perrinet 2023. See README.md beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.data import AddressMap, raster_of_pairs
from synloom.demo.example import Example, Figure, Trial, lost_events
from synloom.demo.motion import MovingBar
from synloom.demo.pictures import BLUE, ORANGE, VERMILION, new_picture, plot_range, plot_reference
from synloom.demo.readout import nearest_mean

THRESHOLDS = np.array([4.0, 6.0, 8.0, 11.0, 15.0, 20.0, 27.0])
"""A motion has a cell for each, in mV; a spike of a cell counts as many votes."""

HARD = MovingBar(jitter_ms=2.0, missing=0.3, noise=0.3)


@dataclass(frozen=True)
class Task:
    """Which motions there are, how they are seen, and which delays there are to choose from."""

    bar: MovingBar
    directions: int
    speeds: tuple[float, ...]
    delays: tuple[int, ...]
    shows: int

    @property
    def motions(self) -> list[tuple[float, float]]:
        """Direction in degrees and speed in pixels a ms, of each class."""
        return [(360.0 * d / self.directions, s) for s in self.speeds for d in range(self.directions)]

    @property
    def length(self) -> int:
        """Time of one presentation, ms: the slowest bar, its longest delay, and a rest."""
        slowest = max(self.bar.arrivals(*motion).max() for motion in self.motions)
        return int(slowest + max(self.delays)) + 15

    def seen(self, rng: np.random.Generator, motion: int, bar: MovingBar | None = None) -> np.ndarray:
        """Return a new crossing as a raster (length, pixels): where it becomes brighter, in steps of 1 ms."""
        events = replace(bar or self.bar, size=self.bar.size).draw(rng, *self.motions[motion])
        address = AddressMap(width=self.bar.size, height=self.bar.size, polarities=False)
        pairs = address(events[events["p"] == 1], origin=0.0)
        return raster_of_pairs(pairs, address.channels, dt=1.0, steps=self.length)

    def many(self, rng: np.random.Generator, each: int, bar: MovingBar | None = None) -> tuple[Any, ...]:
        """Return labels and rasters: each motion so many times."""
        labels = np.tile(np.arange(len(self.motions)), each)
        return labels, [self.seen(rng, int(label), bar) for label in labels]


FULL = Task(MovingBar(size=12), 12, (0.35, 0.6, 1.0), tuple(range(0, 46, 2)), shows=6)
SHORT = Task(MovingBar(size=6), 4, (0.5, 1.0), tuple(range(0, 16, 2)), shows=1)


def network(task: Task, delays: tuple[int, ...], seed: int) -> sl.Network:
    """Return the network: from every pixel to every cell a synapse for each of the delays."""
    net = sl.Network(dt=1.0, seed=seed)
    pixels = net.add(sl.InputPopulation(task.bar.size**2, label="pixels"))
    cells = len(task.motions) * len(THRESHOLDS)
    lif = sl.LIF(tau_m=2.0, v_rest=0.0, v_reset=0.0, v_thresh=390.0, tau_syn_E=0.0, tau_syn_I=0.0)
    detectors = net.add(sl.Population(cells, lif, label="detectors", v_range=400.0))
    # When the teacher fires a cell, synapses whose spike has arrived within 2 ms grow, the others shrink.
    rule = sl.TraceTarget(A=0.3, tau=2.0, target=0.3, w_min=-0.3, w_max=1.0, bounds="soft", pairing="nearest")
    for delay in delays:
        line = sl.Projection(
            pixels,
            detectors,
            sl.AllToAll(),
            weight=0.0,
            delay=float(delay),
            plasticity=rule,
            label=f"{delay} ms",
        )
        net.add(line)
    return net


def learn(device: sl.Device, task: Task, rng: np.random.Generator, part: float = 1.0) -> None:
    """Show each motion some times; its cells are forced to fire when the bar reaches the last pixel.

    The thresholds become a part of `THRESHOLDS` afterwards.
    """
    cells = np.arange(len(THRESHOLDS))
    for _ in range(task.shows):
        for motion in rng.permutation(len(task.motions)):
            device.inject("pixels", task.seen(rng, motion))
            end = np.rint(task.bar.arrivals(*task.motions[motion]).max()) + 1.0
            device.inject("detectors", [(float(end), int(motion * len(cells) + k)) for k in cells])
            device.run(float(task.length))
    device.set_learning(False)
    scale = part * task.bar.size**2 / FULL.bar.size**2
    device.set_neurons("detectors", v_thresh=np.tile(scale * THRESHOLDS, len(task.motions)))


def decide(device: sl.Device, task: Task, rasters: list[np.ndarray]) -> np.ndarray:
    """Return the motion with most votes for each raster, -1 if no cell fires."""
    shape = len(task.motions), len(THRESHOLDS)
    counts = [device.present({"pixels": r}, float(task.length))["detectors"].reshape(shape) for r in rasters]
    votes = np.array([each @ THRESHOLDS for each in counts])
    return np.where(votes.any(axis=1), votes.argmax(axis=1), -1)


def baselines(train: tuple[Any, ...], test: tuple[Any, ...]) -> dict[str, float]:
    """Return how often counts of each pixel's events alone tell the motion, in %."""
    from sklearn.linear_model import LogisticRegression

    (learned, shown), (labels, rasters) = train, test
    x, z = (np.array([each.sum(axis=0) for each in part], dtype=np.float64) for part in (shown, rasters))
    logistic = LogisticRegression(max_iter=300).fit(x, learned).predict(z)
    return {
        "logistic regression on counts": 100.0 * float(np.mean(logistic == labels)),
        "nearest mean of counts": 100.0 * float(np.mean(nearest_mean(x, learned, z) == labels)),
    }


def trial(trial: Trial) -> dict[str, Any]:
    """Learn all motions from a few crossings each, and judge new ones; the same with one delay for all."""
    task, each = (SHORT, 1) if trial.short else (FULL, 6)
    net, rng = network(task, task.delays, trial.seed), trial.rng
    image = trial.image(net)
    single = sl.compile(network(task, task.delays[:1], trial.seed), image.params)
    easy, hard = task.many(rng, each), task.many(rng, each, HARD)
    jittered = {
        jitter: task.many(rng, 2, MovingBar(jitter_ms=jitter)) for jitter in (0.0, 1.0, 2.0, 3.0, 4.0)
    }
    found: dict[str, Any] = {"task": task, "seen": task.seen(rng, 1), "jitter": {}, "jitter alone": {}}
    with trial.connect(image) as device:
        learn(device, task, rng)
        found["weights"] = np.stack([device.read_weights(f"{d} ms")[:, 3::7] for d in task.delays])
        answers = decide(device, task, hard[1])
        found["motion"] = right(decide(device, task, easy[1]), easy[0])
        found["motion, hard"] = right(answers, hard[0])
        found["direction, hard"] = right(answers % task.directions, hard[0] % task.directions)
        for jitter, (labels, rasters) in () if trial.short else jittered.items():
            found["jitter"][jitter] = right(decide(device, task, rasters), labels)
        lost = lost_events(device)
        device.load(single)
        learn(device, task, rng, part=0.1)
        found["one delay for all"] = right(decide(device, task, easy[1]), easy[0])
        for jitter, (labels, rasters) in () if trial.short else jittered.items():
            found["jitter alone"][jitter] = right(decide(device, task, rasters), labels)
        found["lost"] = lost + lost_events(device)
    return found | baselines(task.many(rng, task.shows), easy)


def right(answers: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of right answers, in %."""
    return 100.0 * float(np.mean(answers == labels))


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw the learned delays of all motions, how they align one crossing, and what jitter does."""
    picture = new_picture(11.0, 6.6)
    left, side = picture.subfigures(1, 2, width_ratios=(1.5, 1.0))
    wheel(left, found[0])
    events, curve = side.subplots(2, 1, height_ratios=(1.35, 1.0))
    align(events, found[0])
    for name, colour, mark, label in (
        ("jitter", BLUE, "o", "delays learned"),
        ("jitter alone", VERMILION, "s", "one delay for all"),
    ):
        points = list(found[0][name])
        band = np.array([[each[name][point] for point in points] for each in found])
        plot_range(curve, points, band, colour=colour, marker=mark, label=label)
    chance = 100.0 / len(found[0]["task"].motions)
    plot_reference(curve, chance, label="chance")
    curve.set(xlabel="jitter of events (ms)", ylabel="direction and speed right (%)", ylim=(-3, 103))
    curve.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0.0, 0.12))
    curve.set_title("what jitter does, mean and range of seeds")
    return picture


def wheel(part: Any, one: dict[str, Any]) -> None:
    """Draw a map of the preferred delay of each pixel, at the place of its direction and speed."""
    task, weights = one["task"], np.maximum(one["weights"], 0.0)
    delays = np.array(task.delays, dtype=np.float64)
    preferred = np.tensordot(delays, weights, axes=1) / np.maximum(weights.sum(axis=0), 1e-9)
    title = "learned delay of each pixel: the pixels that a bar meets first wait longest"
    part.suptitle(title, x=0.02, ha="left", fontsize=9.5)
    side = 0.085
    for k, (direction, _) in enumerate(task.motions):
        ring = 0.18 + 0.105 * (k // task.directions)
        angle = np.deg2rad(direction)
        place = 0.45 + ring * np.cos(angle) - side / 2, 0.47 - ring * np.sin(angle) - side / 2
        axes = part.add_axes((*place, side, side), frameon=False)
        shown = axes.imshow(
            preferred[:, k].reshape(task.bar.size, -1), cmap="viridis", norm=PowerNorm(0.6, 0.0, delays.max())
        )
        axes.set(xticks=[], yticks=[])
    middle = part.add_axes((0.45 - 0.09, 0.47 - 0.05, 0.18, 0.1), frameon=False)
    middle.axis("off")
    middle.text(0.5, 0.5, "slow inside,\nfast outside", ha="center", va="center", fontsize=8)
    bar = part.add_axes((0.93, 0.25, 0.016, 0.45))
    part.colorbar(shown, cax=bar, label="delay (ms)")


def align(axes: Any, one: dict[str, Any]) -> None:
    """Draw the events of one crossing, and their arrivals at the cells that have learned this motion."""
    task, seen = one["task"], one["seen"]
    order = np.argsort(np.argsort(task.bar.arrivals(*task.motions[1]), kind="stable"))
    time, pixel = np.nonzero(seen)
    chosen = one["weights"][:, pixel, 1] > 0.25
    which, event = np.nonzero(chosen)
    axes.scatter(time, order[pixel], s=9, marker="D", color=ORANGE, linewidths=0, label="events")
    arrived = time[event] + np.array(task.delays)[which]
    axes.scatter(
        arrived, order[pixel[event]], s=8, color=BLUE, linewidths=0, label="after the learned delays"
    )
    axes.set(xlabel="time (ms)", ylabel="pixels, in the bar's order", xlim=(-2, task.length - 35))
    axes.legend(fontsize=8, loc="upper left", markerscale=1.5)
    axes.set_title("delays turn a movement into a volley")


EXAMPLE = Example(
    name="motion",
    trial=trial,
    draw=draw,
    figures={
        "motion": Figure(unit="% right", digits=1, least=98.0, published="91, on moving textures"),
        "motion, hard": Figure(unit="% right", digits=1, least=80.0),
        "direction, hard": Figure(unit="% right", digits=1, least=90.0),
        "one delay for all": Figure(unit="% right", digits=1),
        "logistic regression on counts": Figure(unit="% right", digits=1),
        "nearest mean of counts": Figure(unit="% right", digits=1),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
