"""A liquid of random neurons turns movements into counts, and an astrocyte keeps it awake but not wild.

After the NALSM of Ivanov and Michmizos 2021, with moving bars as events. See README.md beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.data import AddressMap, raster_of_pairs
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.motion import MovingBar
from synloom.demo.pictures import BLUE, GREEN, INK, ORANGE, VERMILION, new_picture, plot_range, plot_reference

BAR = MovingBar(size=12, jitter_ms=2.0, missing=0.3, noise=0.3)
MOTIONS = [(30.0 * direction, speed) for speed in (0.35, 0.6, 1.0) for direction in range(12)]
"""Direction in degrees and speed in pixels a ms, of each class."""

NEURONS, INHIBITORY, LENGTH = 256, 51, 70
"""The first neurons of the liquid are inhibitory; a presentation takes so many ms."""

SCALES = (0.125, 1.0, 4.0)
"""Excitatory weights at the start, in parts of those that are best without learning."""

A_PLUS, MOST = 0.01, 0.06
"""Amplitude of potentiation, and the largest one of depression."""


class Seen(NamedTuple):
    """Movements: their classes, (n,), and their rasters, (LENGTH, pixels) each."""

    labels: np.ndarray
    rasters: list[np.ndarray]


def look(rng: np.random.Generator, each: int, motions: int = len(MOTIONS)) -> Seen:
    """Return bars that cross the sensor, each motion so many times: where it becomes brighter, in ms."""
    address, labels = (
        AddressMap(width=BAR.size, height=BAR.size, polarities=False),
        np.tile(np.arange(motions), each),
    )
    rasters = []
    for label in labels:
        events = BAR.draw(rng, *MOTIONS[label])
        kept = events[(events["p"] == 1) & (events["t"] < 1000 * (LENGTH - 1))]
        pairs = address(kept, origin=0.0)
        rasters.append(raster_of_pairs(pairs, address.channels, dt=1.0, steps=LENGTH))
    return Seen(labels, rasters)


def network(seed: int, scale: float) -> sl.Network:
    """Return the liquid: each neuron sees a part of the sensor, and hears a tenth of the others."""
    rng, net = np.random.default_rng(seed), sl.Network(dt=1.0, seed=seed)
    pixels = net.add(sl.InputPopulation(BAR.size**2, label="pixels"))
    lif = sl.LIF(
        tau_m=5.0,
        cm=1.0,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=20.0,
        tau_refrac=2.0,
        tau_syn_E=1.0,
        tau_syn_I=6.0,
    )
    liquid = net.add(sl.Population(NEURONS, lif, label="liquid", v_range=800.0))
    place = np.stack(np.divmod(np.arange(BAR.size**2), BAR.size), axis=1)
    away = np.linalg.norm(place[:, None] - rng.uniform(0.0, BAR.size - 1.0, (NEURONS, 2)), axis=2)
    sees = rng.random(away.shape) < 0.8 * np.exp(-((away / 5.0) ** 2))
    net.add(sl.Projection(pixels, liquid, weighted(rng, sees, 4.0)))
    hears = (rng.random((NEURONS, NEURONS)) < 0.1) & ~np.eye(NEURONS, dtype=bool)
    inhibits = np.arange(NEURONS)[:, None] < INHIBITORY
    rule = sl.STDP(A_plus=A_PLUS, A_minus=MOST, tau_plus=20.0, tau_minus=20.0, w_min=0.0, w_max=24.0)
    late = rng.integers(1, 9, NEURONS).astype(np.float64)
    excite, inhibit = weighted(rng, hears & ~inhibits, 3.0 * scale), weighted(rng, hears & inhibits, -8.0)
    net.add(sl.Projection(liquid, liquid, excite, delay=late, plasticity=rule, label="w"))
    net.add(sl.Projection(liquid, liquid, inhibit, delay=late))
    return net


def weighted(rng: np.random.Generator, there: np.ndarray, mean: float) -> sl.FromMatrix:
    """Return synapses where they are, their weights uniform between 0 and twice the mean."""
    return sl.FromMatrix(np.where(there, 2.0 * mean * rng.random(there.shape), np.nan))


@dataclass
class Astrocyte:
    """A leaky integrator of the liquid's spikes less the input's; its level is the depression's amplitude.

    It is the LIM model of the paper, once for each presentation.
    """

    gain: float = 1e-4
    share: float = 3.0
    tau: float = 10.0
    level: float = A_PLUS
    course: list[tuple[float, float]] = field(default_factory=list)

    def feel(self, spikes: int, events: int) -> None:
        """Take in a presentation; the level is within 0 and `MOST`."""
        drive = self.gain * (spikes - self.share * events) + A_PLUS
        self.level = float(np.clip(self.level + (drive - self.level) / self.tau, 0.0, MOST))
        self.course.append((float(spikes), self.level))


def live(device: sl.Device, seen: Seen, rng: np.random.Generator, astrocyte: Astrocyte | None) -> None:
    """Let STDP form the liquid while bars go by once; without an astrocyte both amplitudes are equal."""
    device.set_rule("w", A_minus=A_PLUS)
    device.set_learning(True)
    for k in rng.permutation(len(seen.labels)):
        counts = device.present({"pixels": seen.rasters[k]}, float(LENGTH))["liquid"]
        if astrocyte:
            astrocyte.feel(int(counts.sum()), int(seen.rasters[k].sum()))
            device.set_rule("w", A_minus=astrocyte.level)
    device.set_learning(False)


def counts(device: sl.Device, seen: Seen) -> np.ndarray:
    """Return how often each neuron fires while each bar passes, from rest, (n, NEURONS)."""
    found = []
    for raster in seen.rasters:
        device.reset("dynamics")
        found.append(device.present({"pixels": raster}, float(LENGTH))["liquid"])
    return np.array(found, dtype=np.float64)


def readout(x: np.ndarray, labels: np.ndarray, z: np.ndarray, truth: np.ndarray) -> float:
    """Return how often logistic regression, fitted to rows x, is right on rows z, in %."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=500))
    return 100.0 * float(model.fit(x, labels).score(z, truth))


def binned(seen: Seen) -> np.ndarray:
    """Return the events of each pixel in every 10 ms, (n, pixels * LENGTH / 10)."""
    return np.array(
        [r.reshape(-1, 10, r.shape[1]).sum(axis=1).ravel() for r in seen.rasters], dtype=np.float64
    )


def trial(trial: Trial) -> dict[str, Any]:
    """From each scale of weights: read out the liquid as it is, after STDP alone, and with an astrocyte."""
    short, rng = trial.short, trial.rng
    train, test = (look(rng, 1, 3), look(rng, 1, 3)) if short else (look(rng, 15), look(rng, 8))
    scales = SCALES[-1:] if short else SCALES
    images = [sl.compile(network(trial.seed, scale), ARRAY) for scale in scales]
    found: dict[str, Any] = {"scales": scales, "bar": test.rasters[0], "lost": 0}
    kinds: dict[str, list[tuple[float, float]]] = {"plain": [], "STDP": [], "astrocyte": []}
    courses, rasters = [], {}
    with trial.connect(images[0]) as device:
        for scale, image in zip(scales, images, strict=True):
            for kind, results in kinds.items():
                device.load(image)
                device.set_learning(False)
                astrocyte = Astrocyte() if kind == "astrocyte" else None
                if kind != "plain":
                    live(device, train, np.random.default_rng(trial.seed), astrocyte)
                x, z = counts(device, train), counts(device, test)
                results.append((readout(x, train.labels, z, test.labels), float(z.sum(axis=1).mean())))
                if astrocyte:
                    courses.append(np.array(astrocyte.course))
                if scale in (scales[0], scales[-1]):
                    device.reset("dynamics")
                    device.inject("pixels", test.rasters[0])
                    rasters[kind, scale] = device.run(float(LENGTH)).raster("liquid")
                found["lost"] += lost_events(device)
    right = {kind: np.array([each[0] for each in results]) for kind, results in kinds.items()}
    active = {kind: np.array([each[1] for each in results]) for kind, results in kinds.items()}
    found |= {"right": right, "active": active, "courses": courses, "rasters": rasters}
    found["astrocyte"] = float(right["astrocyte"][len(scales) // 2])
    found["plain, best scale"] = float(right["plain"].max())
    found |= {f"{kind}, worst scale": float(values.min()) for kind, values in right.items()}
    found |= {f"{kind}, activity": float(a.max() / max(a.min(), 1e-9)) for kind, a in active.items()}
    x, z = (np.array([r.sum(axis=0) for r in seen.rasters], dtype=np.float64) for seen in (train, test))
    found["input's counts"] = readout(x, train.labels, z, test.labels)
    found["input in bins"] = readout(binned(train), train.labels, binned(test), test.labels)
    return found


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw one bar in three liquids, how astrocytes bring liquids together, and what that is good for."""
    one = found[0]
    low, high = one["scales"][0], one["scales"][-1]
    picture = new_picture(11.0, 6.8)
    top, bottom = picture.subfigures(2, 1, height_ratios=(1.1, 1.0))
    shown = (
        ("a noisy bar, in the order of its way", one["bar"], INK),
        ("the liquid, weak synapses", one["rasters"]["plain", low], ORANGE),
        ("the liquid, strong synapses", one["rasters"]["plain", high], VERMILION),
        ("the same, after the astrocyte", one["rasters"]["astrocyte", high], BLUE),
    )
    for axes, (title, raster, colour) in zip(top.subplots(1, 4), shown, strict=True):
        times, who = np.nonzero(raster)
        order = np.argsort(np.argsort(BAR.arrivals(*MOTIONS[0]), kind="stable"))
        axes.scatter(times, order[who] if colour == INK else who, s=2.2, color=colour, linewidths=0)
        axes.set(xlim=(0, LENGTH), xlabel="time (ms)", yticks=[], title=f"{title}\n{len(times):,} spikes")
        axes.title.set_fontsize(8.0)
    course, curve = bottom.subplots(1, 2)
    for k, (scale, astrocyte) in enumerate(zip(one["scales"], one["courses"], strict=True)):
        spikes = np.maximum(astrocyte[:, 0], 1.0)
        width = min(9, len(spikes))
        mean = np.exp(np.convolve(np.log(spikes), np.ones(width) / width, mode="valid"))
        colour = (ORANGE, GREEN, VERMILION)[k]
        course.plot(np.arange(1, len(mean) + 1), mean, color=colour, linewidth=1.1, label=f"{scale:g}")
    course.set(xscale="log", xlabel="bars seen", ylabel="spikes of the liquid, for each bar")
    course.legend(title="strength at the start", fontsize=8, title_fontsize=8, ncols=2, loc="upper right")
    course.set_title("the astrocyte brings all to the same activity")
    for kind, colour, mark in (("plain", VERMILION, "s"), ("STDP", GREEN, "^"), ("astrocyte", BLUE, "o")):
        band = np.array([each["right"][kind] for each in found])
        plot_range(curve, one["scales"], band, colour=colour, marker=mark, markersize=4.5, label=kind)
    counted = float(np.mean([each["input's counts"] for each in found]))
    plot_reference(curve, counted)
    curve.text(one["scales"][0], counted + 1.5, "the input's counts, and chance", fontsize=8)
    curve.set(
        xscale="log", xlabel="strength of excitation at the start", ylabel="motions right (%)", ylim=(0, 100)
    )
    curve.set_xticks(one["scales"], [f"{scale:g}" for scale in one["scales"]])
    curve.minorticks_off()
    curve.legend(fontsize=8, loc="upper right", ncols=3)
    curve.set_title("strong or weak at the start, it reads the same")
    return picture


EXAMPLE = Example(
    name="liquid",
    trial=trial,
    draw=draw,
    figures={
        "astrocyte": Figure(unit="% right", digits=1, least=70.0, published="97.5, on N-MNIST"),
        "plain, best scale": Figure(unit="% right", digits=1),
        "astrocyte, worst scale": Figure(unit="% right", digits=1, least=68.0),
        "STDP, worst scale": Figure(unit="% right", digits=1),
        "plain, worst scale": Figure(unit="% right", digits=1),
        "astrocyte, activity": Figure(unit="most / least of the scales", digits=2, most=1.2),
        "STDP, activity": Figure(unit="most / least of the scales", digits=2),
        "plain, activity": Figure(unit="most / least of the scales", digits=2),
        "input's counts": Figure(unit="% right", digits=1),
        "input in bins": Figure(unit="of 10 ms, % right", digits=1),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
