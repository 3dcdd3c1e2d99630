"""Spikes spread over a graph from a few labelled nodes, and STDP writes down which labels reach a node.

After the graph learning of Cong et al. 2022 for neuromorphic computers. See README.md beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.graphs import LabelledGraph, harmonic_labels, karate_club, placed, stochastic_blocks
from synloom.demo.pictures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    VERMILION,
    new_picture,
    plot_range,
    plot_reference,
)
from synloom.demo.readout import nearest_mean

GAIN = 0.9
"""Spikes of a node for one spike of each of its neighbours."""

MIXING = (0.01, 0.03, 0.05, 0.07, 0.09)
"""Probabilities of an edge between two blocks; within a block it is 0.25."""

NAMES = {"stdp": "spikes and STDP", "propagation": "label propagation", "mean": "nearest mean"}

COLOURS, MARKS = (BLUE, ORANGE, GREEN, PURPLE), "osD^"


@dataclass(frozen=True, kw_only=True)
class Times:
    """How long each class is shown and each node is asked, ms."""

    settle: float = 200.0
    learn: float = 800.0
    ask: float = 20.0


def network(graph: LabelledGraph, known: np.ndarray, seed: int) -> sl.Network:
    """Return the network: a neuron for each node and class, a synapse each way for each edge."""
    net = sl.Network(dt=1.0, seed=seed)
    labelled = net.add(sl.InputPopulation(len(known), label="labelled"))
    # A node fires once for each 10 mV that it gets: it has the mean rate of its neighbours, times the gain.
    delta = {"v_rest": 0.0, "v_reset": 0.0, "tau_syn_E": 0.0, "tau_syn_I": 0.0}
    divider = sl.LIF(tau_m=float("inf"), v_thresh=10.0, reset_mode="subtract", **delta)
    nodes = net.add(sl.Population(graph.nodes, divider, label="nodes", v_range=2600.0))
    # The classes' threshold is out of reach: they fire only if they are forced to.
    judge = sl.LIF(tau_m=50.0, v_thresh=3000.0, **delta)
    classes = net.add(sl.Population(graph.classes, judge, label="classes", v_range=3500.0))
    weights = np.where(graph.edges, 10.0 * GAIN / np.maximum(graph.edges.sum(axis=0), 1), np.nan)
    weights[:, known] = np.nan
    net.add(sl.Projection(labelled, nodes, sl.FromMatrix(weights[known]), label="from labelled"))
    weights[known] = np.nan
    net.add(sl.Projection(nodes, nodes, sl.FromMatrix(weights), delay=1.0, label="edges"))
    # When a class is forced to fire, synapses from nodes with a high rate grow, from silent ones shrink.
    rule = sl.TraceTarget(A=0.001, tau=80.0, target=2.4, w_min=0.0, w_max=6.0, pairing="all_to_all")
    votes = sl.Projection(nodes, classes, sl.AllToAll(), weight=2.0, plasticity=rule, label="votes")
    net.add(votes)
    return net


def learn(device: sl.Device, graph: LabelledGraph, known: np.ndarray, times: Times) -> np.ndarray:
    """Let the labelled nodes of each class fire for a while, and then the class with them; return rasters."""
    rasters = []
    for label in range(graph.classes):
        device.reset("dynamics")
        steps = np.arange(0.0, times.settle + times.learn, 5.0)
        seeds = np.flatnonzero(graph.labels[known] == label)
        device.inject("labelled", [(float(t), int(node)) for t in steps for node in seeds])
        teacher = np.arange(times.settle, times.settle + times.learn, 10.0)
        device.inject("classes", [(float(t), label) for t in teacher])
        device.set_learning(True)
        rasters.append(device.run(times.settle + times.learn).raster("nodes"))
    device.set_learning(False)
    return np.array(rasters)


def ask(device: sl.Device, graph: LabelledGraph, times: Times) -> np.ndarray:
    """Force each node in turn, and return the class with the highest potential, (nodes,) int64."""
    answers = np.empty(graph.nodes, dtype=np.int64)
    device.write_weights("edges", 0.0 * device.read_weights("edges"))  # nothing spreads any more
    for node in range(graph.nodes):
        device.reset("dynamics")
        device.inject("nodes", [(float(t), node) for t in np.arange(0.0, times.ask, 2.0)])
        device.run(times.ask)
        answers[node] = device.read_state("classes")["v"].argmax()
    return answers


def classified(
    device: sl.Device, graph: LabelledGraph, known: np.ndarray, seed: int, times: Times
) -> dict[str, Any]:
    """Return the network's answers and the baselines' for one graph, in % of the nodes without a label."""
    device.load(sl.compile(network(graph, known, seed), ARRAY))
    rasters = learn(device, graph, known, times)
    rest = np.setdiff1d(np.arange(graph.nodes), known)
    rows = graph.edges.astype(np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    answers = {
        "stdp": ask(device, graph, times),
        "propagation": harmonic_labels(graph, known),
        "mean": nearest_mean(rows[known], graph.labels[known], rows),
    }
    shares = {k: 100.0 * float(np.mean(each[rest] == graph.labels[rest])) for k, each in answers.items()}
    return shares | {"answers": answers["stdp"], "rasters": rasters, "graph": graph, "known": known}


def trial(trial: Trial) -> dict[str, Any]:
    """Classify the nodes of the karate club, and of graphs of blocks that are mixed more and more."""
    club, rng = karate_club(), trial.rng
    times = Times(settle=60.0, learn=200.0, ask=10.0) if trial.short else Times()
    leaders = np.array([0, 33])
    found: dict[str, Any] = {"blocks": {}}
    with trial.connect(ARRAY) as device:
        found["club"] = classified(device, club, leaders, trial.seed, times)
        for mixing in () if trial.short else MIXING:
            blocks = stochastic_blocks(rng, 4, 30, 0.25, mixing)
            known = np.concatenate([30 * k + rng.choice(30, 3, replace=False) for k in range(4)])
            found["blocks"][mixing] = classified(device, blocks, known, trial.seed, times)
        found["lost"] = lost_events(device)
    nothing = dict.fromkeys(NAMES, np.nan)
    for part, shares in (
        ("club", found["club"]),
        ("blocks", found["blocks"].get(0.03, nothing)),
        ("mixed blocks", found["blocks"].get(0.05, nothing)),
    ):
        found |= {f"{part}, {name}": shares[k] for k, name in NAMES.items()}
    return found


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw both graphs with the answers, spikes that spread from one class, and how many are right."""
    one = found[0]
    picture = new_picture(11.0, 6.8)
    top, bottom = picture.subfigures(2, 1, height_ratios=(1.15, 1.0))
    left, right = top.subplots(1, 2)
    answers(left, one["club"])
    left.set_title("karate club: two labels known (large), the rest from spikes; crosses are errors")
    blocks = one["blocks"].get(0.03, one["club"])
    answers(right, blocks)
    right.set_title("four blocks of 30, three labels known in each")
    spread, curve = bottom.subplots(1, 2, width_ratios=(1.25, 1.0))
    raster = blocks["rasters"][1][:150]
    steps, nodes = np.nonzero(raster)
    colours = np.array(COLOURS)[blocks["graph"].labels[nodes]]
    spread.scatter(steps, nodes, s=3, c=colours, linewidths=0)
    spread.set(xlabel="time (ms)", ylabel="nodes, by block", xlim=(0, 150), ylim=(len(raster[0]), -1))
    spread.set_title("what spreads from the labelled nodes of the second class, which fire every 5 ms")
    for (name, label), colour, mark in zip(NAMES.items(), (BLUE, ORANGE, GREEN), "os^", strict=True):
        points = list(one["blocks"])
        band = np.array([[each["blocks"][point][name] for point in points] for each in found])
        if points:
            if name == "stdp":
                plot_range(curve, points, band, colour=colour, marker=mark, label=label)
            else:
                curve.plot(points, band.mean(axis=0), color=colour, marker=mark, label=label)
    plot_reference(curve, 25.0, label="chance")
    curve.set(
        xlabel="probability of an edge between blocks (within: 0.25)", ylabel="right (%)", ylim=(0, 103)
    )
    curve.legend(fontsize=8, loc="lower left")
    curve.set_title("the more the blocks mix; band: range of seeds")
    return picture


def answers(axes: Any, part: dict[str, Any]) -> None:
    """Draw a graph: colour and marker are the class that the network found."""
    graph, found, known = part["graph"], part["answers"], part["known"]
    place = placed(graph)
    for one, other in np.argwhere(np.triu(graph.edges)).tolist():
        axes.plot(*place[[one, other]].T, color=GREY, linewidth=0.5, zorder=0)
    rest = np.setdiff1d(np.arange(graph.nodes), known)
    shown = np.where(np.isin(np.arange(graph.nodes), known), graph.labels, found)
    for label in range(graph.classes):
        for group, size, edge in ((rest, 34, "white"), (known, 130, INK)):
            those = group[shown[group] == label]
            axes.scatter(
                *place[those].T,
                s=size,
                color=COLOURS[label],
                marker=MARKS[label],
                edgecolors=edge,
                linewidths=0.8,
            )
    wrong = rest[found[rest] != graph.labels[rest]]
    axes.scatter(*place[wrong].T, s=60, color=VERMILION, marker="x", linewidths=1.8)
    axes.axis("off")


EXAMPLE = Example(
    name="graph",
    trial=trial,
    draw=draw,
    figures={
        "club, spikes and STDP": Figure(unit="% right", digits=1, least=94.0),
        "club, label propagation": Figure(unit="% right", digits=1),
        "club, nearest mean": Figure(unit="% right", digits=1),
        "blocks, spikes and STDP": Figure(unit="% right", digits=1, least=80.0),
        "blocks, label propagation": Figure(unit="% right", digits=1),
        "blocks, nearest mean": Figure(unit="% right", digits=1),
        "mixed blocks, spikes and STDP": Figure(unit="% right", digits=1),
        "mixed blocks, label propagation": Figure(unit="% right", digits=1),
        "mixed blocks, nearest mean": Figure(unit="% right", digits=1),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
