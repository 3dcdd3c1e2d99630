"""A content-addressable memory: 256 recurrent neurons learn patterns by one volley each, and complete them.

After the hippocampal CA3 memories of Casanueva-Morato et al. for SpiNNaker. See README.md beside this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.attractors import AttractorMemory
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.patterns import cue_of, sparse_patterns
from synloom.demo.pictures import BLUE, GREY, INK, ORANGE, SKY, new_picture, plot_range

NEURONS = 256
ACTIVE = 16

# Two neurons that fire together connect, from -2 to 1 in one volley: whatever was never learned inhibits.
# A neuron that fires lowers all its synapses onto silent ones by 0.06: that is forgetting.
# Dendritic delays let the synapse see both spikes of a pair as they were fired, in the same step.
HEBB = sl.PairRule(
    A_post=2.0, A_pre=2.0, y0=0.01, tau_pre=5.0, tau_post=5.0, w_min=-2.0, w_max=1.0, pairing="nearest"
)


def network(seed: int, threshold: float = 1.5) -> sl.Network:
    """Return the network: cells without memory of their own, all-to-all, and an input that silences them."""
    net = sl.Network(dt=1.0, seed=seed)
    cell = sl.LIF(tau_m=0.05, v_rest=0.0, v_reset=0.0, v_thresh=threshold, tau_syn_E=0.0, tau_syn_I=0.0)
    ca3 = net.add(sl.Population(NEURONS, cell, label="CA3", v_range=600.0))
    stop = net.add(sl.InputPopulation(1, label="stop"))
    net.add(sl.Projection(stop, ca3, sl.AllToAll(), weight=-100.0))
    others = sl.AllToAll(allow_self_connections=False)
    net.add(
        sl.Projection(
            ca3, ca3, others, weight=-2.0, delay=1.0, dendritic=1.0, plasticity=HEBB, label="memory"
        )
    )
    return net


def scores(memory: AttractorMemory, pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Return the share of bits that are right and of patterns that are exact, both in %."""
    wrong = [int((memory.recall(cue) ^ np.isin(np.arange(NEURONS), want)).sum()) for cue, want in pairs]
    return 100.0 * (1.0 - float(np.mean(wrong)) / NEURONS), 100.0 * wrong.count(0) / len(wrong)


def stored(
    trial: Trial, device: sl.Device, image: sl.Image, count: int, active: int = ACTIVE
) -> tuple[Any, ...]:
    """Return an empty memory that has learned so many new patterns, the patterns, and a random generator."""
    device.load(image)
    memory, rng = AttractorMemory(device), np.random.default_rng([trial.seed, count, active])
    patterns = sparse_patterns(rng, count, NEURONS, active)
    for pattern in patterns:
        memory.learn(pattern)
    return memory, patterns, rng


def overwriting(
    trial: Trial, device: sl.Device, image: sl.Image, count: int, changed: int
) -> dict[str, float]:
    """Learn patterns, then new ones in place of some: half of their bits stay, half are others."""
    memory, patterns, rng = stored(trial, device, image, count)
    half = ACTIVE // 2
    old, kept = patterns[:changed], patterns[changed:]
    free = [np.setdiff1d(np.arange(NEURONS), pattern) for pattern in old]
    new = [np.r_[p[:half], rng.choice(f, half, replace=False)] for p, f in zip(old, free, strict=True)]
    for pattern in new:
        memory.learn(pattern, times=16)
    bits_new, _ = scores(memory, [(pattern[:half], pattern) for pattern in new])
    bits_kept, _ = scores(memory, [(cue_of(rng, pattern, half), pattern) for pattern in kept])
    return {"overwritten, bits right": bits_new, "the others, bits right": bits_kept}


def cued_contents(trial: Trial, device: sl.Device) -> float:
    """Recall five memories of ten bits from a cue of one neuron each, as published; return % exact."""
    device.load(sl.compile(network(trial.seed, threshold=0.5), ARRAY))
    memory, rng = AttractorMemory(device), trial.rng
    contents = [5 + np.flatnonzero(bits) for bits in rng.random((5, 10)) < 0.5]
    for cue, content in enumerate(contents):
        memory.learn(np.r_[cue, content])
    answers = [np.flatnonzero(memory.recall(np.array([cue]), after_ms=1.0)) for cue in range(5)]
    return 20.0 * sum(np.array_equal(a, c) for a, c in zip(answers, contents, strict=True))


def trial(trial: Trial) -> dict[str, Any]:
    """Measure one memory: 45 patterns from half of their bits, overwriting, and the curves."""
    image = sl.compile(network(trial.seed), ARRAY)
    found: dict[str, Any] = {}
    counts = (4,) if trial.short else (15, 30, 45, 60, 75, 90, 105, 120, 150)
    with trial.connect(image) as device:
        memory, patterns, rng = stored(trial, device, image, 4 if trial.short else 45)
        pairs = [(cue_of(rng, pattern, ACTIVE // 2), pattern) for pattern in patterns]
        found["bits right"], found["exact"] = scores(memory, pairs)
        found["raster"] = movie(memory, patterns, rng)
        found["weights"] = device.read_weights("memory")[np.ix_(*[np.r_[patterns[0], patterns[1]]] * 2)]
        found["cues"] = {
            bits: scores(memory, [(cue_of(rng, p, bits), p) for p in patterns])
            for bits in ((8,) if trial.short else (2, 3, 4, 6, 8, 12))
        }
        found["noise"] = {
            bits: scores(memory, [(cue_of(rng, p, 12, wrong=bits, among=NEURONS), p) for p in patterns])
            for bits in ((2,) if trial.short else (0, 1, 2, 3, 4, 5, 6))
        }
        found |= overwriting(trial, device, image, *((4, 1) if trial.short else (15, 5)))
        found["capacity"] = {}
        for active in () if trial.short else (8, 16, 32):
            for count in counts:
                memory, patterns, rng = stored(trial, device, image, count, active)
                pairs = [(cue_of(rng, pattern, active // 2), pattern) for pattern in patterns]
                found["capacity"][active, count] = scores(memory, pairs)
        found["five cues of ten bits, exact"] = cued_contents(trial, device)
        found["lost"] = lost_events(device)
    return found


def movie(memory: AttractorMemory, patterns: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Recall four patterns one after the other; return the raster, (steps, N) bool, patterns' cells first."""
    order = np.r_[np.concatenate(patterns[:4]), np.arange(NEURONS)]
    _, first = np.unique(order, return_index=True)
    order = order[np.sort(first)]
    rasters = []
    for pattern in patterns[:4]:
        memory.device.inject("CA3", [(1.0, int(n)) for n in cue_of(rng, pattern, ACTIVE // 2)])
        memory.device.inject("stop", [(7.0, 0)])
        rasters.append(memory.device.run(12.0).raster("CA3")[:, order])
    return np.concatenate(rasters)


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw a recall as a raster, and the curves of capacity, cues and noise."""
    picture = new_picture(11.0, 6.6)
    top, bottom = picture.subfigures(2, 1, height_ratios=(1.15, 1.0))
    left, right = top.subplots(1, 2, width_ratios=(3.2, 1.0))
    raster = found[0]["raster"]
    steps, cells = np.nonzero(raster)
    forced = steps % 12 == 1
    left.scatter(steps[~forced], cells[~forced], s=14, marker="s", color=SKY, linewidths=0, label="recalled")
    left.scatter(
        steps[forced],
        cells[forced],
        s=14,
        marker="D",
        color=ORANGE,
        linewidths=0,
        label="cue: half of a pattern",
    )
    for k in range(1, 4):
        left.axvline(12 * k - 0.5, color=GREY, linewidth=0.8)
    left.set(
        xlim=(-0.5, 47.5), ylim=(75, -2), xlabel="time (ms)", ylabel="neurons, those of four patterns first"
    )
    left.legend(loc="lower left", bbox_to_anchor=(0.0, 0.03), fontsize=8)
    left.set_title("half of a pattern brings back the other half, one step later")
    weights = right.imshow(np.nan_to_num(found[0]["weights"], nan=-2.0), cmap="cividis", vmin=-2.0, vmax=1.0)
    right.set_title("weights of two patterns (mV)")
    right.set(xticks=[], yticks=[], xlabel="target", ylabel="source")
    top.colorbar(weights, ax=right, shrink=0.75)
    if found[0]["capacity"]:
        curves(bottom, found)
    return picture


def curves(part: Any, found: list[dict[str, Any]]) -> None:
    """Draw exact recalls against the number of patterns, the size of the cue, and its wrong bits."""
    capacity, cues, noise = part.subplots(1, 3, sharey=True)
    for active, colour, mark in ((8, ORANGE, "s"), (16, BLUE, "o"), (32, INK, "^")):
        counts = sorted({count for a, count in found[0]["capacity"] if a == active})
        band = np.array([[each["capacity"][active, count][1] for count in counts] for each in found])
        plot_range(capacity, counts, band, colour=colour, marker=mark, markersize=4, label=f"{active} bits")
    capacity.set(
        xlabel="patterns stored", ylabel="recalled exactly (%)", title="capacity, cue of half the bits"
    )
    capacity.legend(fontsize=8, loc=(0.33, 0.25))
    for axes, name, label in (
        (cues, "cues", "bits of the cue, of 16"),
        (noise, "noise", "wrong bits beside 12 right ones"),
    ):
        points = list(found[0][name])
        band = np.array([[each[name][point][1] for point in points] for each in found])
        plot_range(axes, points, band, colour=BLUE, marker="o", markersize=4)
        axes.set(xlabel=label, ylim=(-3, 103), title="45 patterns of 16 bits")


EXAMPLE = Example(
    name="memory",
    trial=trial,
    draw=draw,
    figures={
        "bits right": Figure(unit="%", digits=3, least=99.9),
        "exact": Figure(unit="% of patterns", digits=1, least=90.0),
        "overwritten, bits right": Figure(unit="%", digits=2, least=99.5),
        "the others, bits right": Figure(unit="%", digits=2, least=99.5),
        "five cues of ten bits, exact": Figure(unit="%", digits=0, least=100.0, published="works"),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
