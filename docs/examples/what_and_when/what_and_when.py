"""A network predicts what follows a cue, when, and how likely: errors teach the read-out of a reservoir.

After Yamada and Chao 2025, with forced spikes and a reward for the errors. See README.md beside this file.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure as Picture
from scipy.signal import lfilter

import synloom as sl
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.outcomes import CuedOutcomes, Outcome, Prediction, World, judged
from synloom.demo.pictures import BLUE, DASHES, GREEN, GREY, INK, ORANGE, SKY, new_picture, plot_reference

RESERVOIR, HUM, CELLS = 192, 60, 20
"""Neurons of the reservoir, channels of its background, and neurons that predict each event."""

LENGTH, WINDOW = 360, 30
"""Length of a trial; a prediction is right in so many ms before the event."""

SILENT = 900.0
"""A threshold that no input reaches, mV: a neuron fires only if it is forced to."""

TASK = CuedOutcomes()
MEMBERS = TASK.events * CELLS
Volley = list[tuple[float, int]]
COLOURS = (BLUE, ORANGE, GREEN)


def network(seed: int) -> sl.Network:
    """Return the network: cues silence a reservoir, whose cells come back each at a time of its own."""
    rng, net = np.random.default_rng(seed), sl.Network(dt=1.0, seed=seed)
    cues = net.add(sl.InputPopulation(TASK.cues * TASK.lines, label="cues"))
    hum = net.add(sl.PoissonInput(HUM, rate=20.0, label="hum"))
    noise = net.add(sl.PoissonInput(MEMBERS, rate=100.0, label="noise"))
    tau_m, tau_syn_E = rng.uniform(10.0, 30.0, RESERVOIR), rng.uniform(5.0, 10.0, RESERVOIR)
    tau_syn_I = 10.0 * 8.0 ** rng.random(RESERVOIR)
    drive = rng.uniform(11.0, 26.0, RESERVOIR) / 20.0
    many = sl.LIF(
        tau_m=tau_m,
        cm=tau_m / 20.0,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=10.0,
        tau_refrac=3.0,
        tau_syn_E=tau_syn_E,
        tau_syn_I=tau_syn_I,
        i_offset=drive,
    )
    one = sl.LIF(
        v_rest=0.0, v_reset=0.0, v_thresh=10.0, tau_m=10.0, tau_refrac=30.0, tau_syn_E=0.0, tau_syn_I=0.0
    )
    reservoir = net.add(sl.Population(RESERVOIR, many, label="reservoir", v_range=300.0))
    cells = net.add(sl.Population(MEMBERS, one, label="predictions", v_range=1000.0))
    depth = -np.exp(rng.uniform(0.0, 2.5, (TASK.cues, RESERVOIR))) / TASK.lines
    late = rng.integers(1, 15, RESERVOIR).astype(np.float64)
    for source, weights, delay in (
        (cues, sl.FromMatrix(np.repeat(depth, TASK.lines, axis=0)), 0.0),
        (hum, sparse(rng, HUM, 0.2, 0.01), 0.0),
        (reservoir, sparse(rng, RESERVOIR, 0.1, 0.006), late),
    ):
        net.add(sl.Projection(source, reservoir, weights, delay=delay))
    net.add(sl.Projection(noise, cells, sl.OneToOne(), weight=3.0))
    # A spike changes each synapse by the trace of its source; the reward is the sign of the error.
    rule = sl.PairRule(A_post=0.01, tau_pre=8.0, x0=0.2, w_min=-4.0, w_max=4.0, reward=True)
    net.add(sl.Projection(reservoir, cells, sl.AllToAll(), weight=0.0, plasticity=rule, label="w"))
    return net


def sparse(rng: np.random.Generator, sources: int, share: float, size: float) -> sl.FromMatrix:
    """Return random synapses of both signs onto the reservoir, a share of all pairs."""
    weights = size * rng.standard_normal((sources, RESERVOIR))
    return sl.FromMatrix(np.where(rng.random(weights.shape) < share, weights, np.nan))


class Answer(NamedTuple):
    """What happens after a cue: times and cells of the predictions, and the reservoir's raster."""

    times: np.ndarray
    cells: np.ndarray
    reservoir: np.ndarray


def listen(device: sl.Device, volley: Volley) -> Answer:
    """Give a cue and return what happens; the reward is 0, so nothing is learned."""
    begun = device.time
    device.inject("cues", volley)
    recording = device.run(float(LENGTH))
    times, cells = recording.spikes("predictions")
    return Answer(np.rint(times - begun).astype(np.int64), cells, recording.raster("reservoir"))


def teach(device: sl.Device, volley: Volley, answer: Answer, outcome: Outcome) -> None:
    """Play the cue again and force the errors: cells that missed the event, and spikes that were wrong."""
    end = TASK.begin + outcome.latency
    right = (answer.cells // CELLS == outcome.event) & (answer.times >= end - WINDOW) & (answer.times < end)
    members = np.arange(outcome.event * CELLS, (outcome.event + 1) * CELLS)
    aim = end - WINDOW // 2
    errors = {aim: (1.0, np.setdiff1d(members, answer.cells[right]))}
    for time in np.unique(answer.times[~right]):
        wrong = answer.cells[~right & (answer.times == time)]
        at = int(time) + (time == aim)  # all of a step have one reward
        errors[at] = (-1.0, np.union1d(errors[at][1], wrong) if at in errors else wrong)
    device.set_neurons("predictions", v_thresh=SILENT)
    device.inject("cues", volley)
    for at in sorted(set(errors) & set(range(LENGTH - 1))):
        reward, cells = errors[at]
        device.inject("predictions", [(float(at), int(cell)) for cell in cells])
        device.schedule(float(at), reward=reward)
        device.schedule(float(at + 1), reward=0.0)
    device.run(float(LENGTH))
    device.set_neurons("predictions", v_thresh=10.0)


class LeastSquares:
    """The same read-out by ridge regression on the reservoir's traces, from all trials so far."""

    def __init__(self) -> None:
        self.moments = np.zeros((RESERVOIR + 1, RESERVOIR + 1 + TASK.events))

    def see(self, answer: Answer, outcome: Outcome) -> None:
        """Add a trial: the target is the outcome's event, spread over the window before it."""
        end, target = TASK.begin + outcome.latency, np.zeros((LENGTH, TASK.events))
        target[end - WINDOW : end, outcome.event] = 1.0 / WINDOW
        traces = traces_of(answer.reservoir)
        self.moments += traces.T @ np.concatenate([traces, target[::4]], axis=1)

    def predict(self, answers: list[Answer]) -> np.ndarray:
        """Return its mean prediction, (events, LENGTH), each fourth ms four times."""
        square, product = np.split(self.moments, [RESERVOIR + 1], axis=1)
        weights = np.linalg.solve(square + 10.0 * np.eye(RESERVOIR + 1), product)
        mean = np.mean([traces_of(each.reservoir) for each in answers], axis=0) @ weights
        return np.asarray(np.repeat(mean.T, 4, axis=1))


def traces_of(raster: np.ndarray) -> np.ndarray:
    """Return traces of 15 ms, and a constant, at every fourth ms, (LENGTH / 4, RESERVOIR + 1)."""
    traces = lfilter([1.0], [1.0, -np.exp(-1.0 / 15.0)], raster.astype(np.float64), axis=0)
    return np.concatenate([traces, np.ones((len(raster), 1))], axis=1)[::4]


def learn(
    device: sl.Device, rng: np.random.Generator, world: World, cues: np.ndarray, other: LeastSquares
) -> list[tuple[int, Answer, Outcome]]:
    """Live in a world in which these cues come, and learn from each trial; return what was seen."""
    seen = []
    for cue in cues:
        outcome = world[cue][int(rng.random() >= world[cue][0].probability)]
        volley = TASK.volley(rng, cue)
        answer = listen(device, volley)
        other.see(answer, outcome)
        teach(device, volley, answer, outcome)
        seen.append((int(cue), answer, outcome))
    return seen


def examine(
    device: sl.Device, rng: np.random.Generator, other: LeastSquares, cues: int, tests: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions after the first cues, spikes a cell and ms, (TASK.cues, events, LENGTH).

    Also return those of least squares.
    """
    density = np.zeros((TASK.cues, TASK.events, LENGTH))
    others = np.zeros_like(density)
    for cue in range(cues):
        answers = [listen(device, TASK.volley(rng, cue)) for _ in range(tests)]
        for answer in answers:
            np.add.at(density[cue], (answer.cells // CELLS, answer.times), 1.0 / (tests * CELLS))
        others[cue] = other.predict(answers)
    return density, others


def in_time(found: Prediction) -> float:
    """Return the share of outcomes whose prediction peaks within the window before them, in %."""
    return 100.0 * float(np.mean(np.abs(found.late) <= WINDOW / 2))


def counted(world: World, seen: list[tuple[int, Answer, Outcome]]) -> float:
    """Return the mean error of the probabilities that an observer gets by counting what came."""
    errors = []
    for cue in {cue for cue, _, _ in seen}:
        came = np.array([outcome.event for at, _, outcome in seen if at == cue])
        errors += [abs(np.mean(came == each.event) - each.probability) for each in world[cue]]
    return float(np.mean(errors))


def trial(trial: Trial) -> dict[str, Any]:
    """Learn a world, then a changed one; judge the predictions after each, beside least squares'."""
    cues, trials, tests = (1, 1, 1) if trial.short else (TASK.cues, 150, 25)
    rng = trial.rng
    world = TASK.draw(rng)
    worlds, other = [world, TASK.changed(rng, world)], LeastSquares()
    found: dict[str, Any] = {"worlds": [[[tuple(o) for o in pair] for pair in w] for w in worlds]}
    dots, densities = [], []
    with trial.connect(sl.compile(network(trial.seed), ARRAY)) as device:
        for world, name in zip(worlds, ("", "changed, "), strict=True):
            order = rng.permutation(np.repeat(np.arange(cues), trials))
            seen = learn(device, rng, world, order, other)
            dots += [(answer.times, answer.cells) for cue, answer, _ in seen if cue == 0]
            density, others = examine(device, rng, other, cues, tests)
            densities.append(density)
            here, there = (judged(world, each, TASK.begin, WINDOW) for each in (density, others))
            found[f"{name}when"] = float(np.median(np.abs(here.late)))
            found[f"{name}in time"] = in_time(here)
            found[f"{name}how likely"] = float(np.mean(np.abs(here.said - here.true)))
            found[f"{name}the likelier"] = 100.0 * here.first
            found[f"{name}least squares"] = in_time(there)
            found[f"{name}said"] = np.stack([here.true, here.said, here.late], axis=1)
            if not name:
                found["wrong"] = 100.0 * here.wrong
                found["another cue's"] = in_time(
                    judged(world, np.roll(density, 1, axis=0), TASK.begin, WINDOW)
                )
                found["counting"] = counted(world, seen)
        found["lost"] = lost_events(device)
    return found | {"dots": dots, "densities": densities}


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw how the predictions after a cue are learned, those after all cues, and how good they are."""
    one = found[0]
    picture = new_picture(11.0, 7.4)
    left, right = picture.subfigures(1, 2, width_ratios=(1.0, 1.25))
    course(left.subplots(), one)
    upper, lower = right.subfigures(2, 1, height_ratios=(1.45, 1.0))
    for cue, axes in enumerate(upper.subplots(TASK.cues, 1, sharex=True)):
        for event, latency, probability in one["worlds"][1][cue]:
            end = TASK.begin + latency
            axes.plot([end, end], [0.0, probability], color=COLOURS[event], linewidth=1.0)
            axes.plot([end], [probability], color=COLOURS[event], marker="v", markersize=7)
        for event, row in enumerate(one["densities"][1][cue]):
            share = np.convolve(row, np.ones(WINDOW), mode="same")
            axes.fill_between(np.arange(LENGTH), share, color=COLOURS[event], alpha=0.35, linewidth=0)
        axes.set(ylim=(0.0, 1.12), xlim=(0, LENGTH), yticks=[0, 1], ylabel=f"cue {cue + 1}")
    axes.set_xlabel("time (ms); the cue comes at 10")
    title = "after the change: cells that predict (areas), and what comes how often (marks)"
    upper.suptitle(title, x=0.02, ha="left", fontsize=9.5)
    likely, when = lower.subplots(1, 2)
    said = np.concatenate([each[f"{name}said"] for each in found for name in ("", "changed, ")])
    rng = np.random.default_rng(0)
    spread = said[:, 0] + rng.uniform(-0.025, 0.025, len(said))
    likely.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=DASHES)
    likely.scatter(spread, said[:, 1], s=9, color=SKY, alpha=0.7, linewidths=0)
    levels = np.unique(said[:, 0].round(2))
    means = [said[np.isclose(said[:, 0], level, atol=0.01), 1].mean() for level in levels]
    likely.plot(levels, means, color=BLUE, marker="o", markersize=4.5)
    likely.set(xlabel="probability", ylabel="share of cells", xlim=(0, 1), ylim=(0, 1.05), title="how likely")
    edges = np.arange(-42.0, 43.0, 4.0)
    when.hist(np.clip(said[:, 2], -41.0, 41.0), edges, color=BLUE)
    when.axvspan(-WINDOW / 2, WINDOW / 2, color=GREY, alpha=0.5, linewidth=0, zorder=0)
    when.set(xlabel="peak of the prediction, late by (ms)", ylabel="outcomes", title="when")
    return picture


def course(axes: Any, one: dict[str, Any]) -> None:
    """Draw the spikes of all trials of the first cue, one trial a row, and where its outcomes are."""
    rows = len(one["dots"])
    for event, colour in enumerate(COLOURS):
        points = np.array(
            [
                (time, row)
                for row, (times, cells) in enumerate(one["dots"])
                for time in times[cells // CELLS == event]
            ]
        ).reshape(-1, 2)
        axes.scatter(points[:, 0], points[:, 1], s=1.2, color=colour, alpha=0.5, linewidths=0)
    for k, world in enumerate(one["worlds"]):
        for event, latency, probability in world[0]:
            end, span = TASK.begin + latency, np.array([k, k + 1]) * rows / 2
            axes.plot([end, end], span, color=COLOURS[event], linewidth=1.0 + 2.0 * probability)
    plot_reference(axes, rows / 2)
    axes.text(LENGTH, rows / 2 - 2, "the world changes", ha="right", va="bottom", fontsize=8)
    axes.set(xlim=(0, LENGTH), ylim=(rows, 0), xlabel="time (ms)", ylabel="trials of this cue")
    axes.set_title("cue 1: each dot is a prediction, lines are the events")


EXAMPLE = Example(
    name="what_and_when",
    trial=trial,
    draw=draw,
    figures={
        "when": Figure(unit="ms, median", digits=1, most=5.0, published="at the right times"),
        "in time": Figure(unit="% of outcomes", digits=1, least=90.0),
        "how likely": Figure(unit="error", digits=3, most=0.15, published="in proportion"),
        "the likelier": Figure(unit="% of cues", digits=1, least=90.0),
        "changed, when": Figure(unit="ms, median", digits=1, most=5.0, published="adapts rapidly"),
        "changed, in time": Figure(unit="% of outcomes", digits=1, least=85.0),
        "changed, how likely": Figure(unit="error", digits=3, most=0.15),
        "changed, the likelier": Figure(unit="% of cues", digits=1),
        "wrong": Figure(unit="% of predictions", digits=1),
        "least squares": Figure(unit="% of outcomes in time", digits=1),
        "changed, least squares": Figure(unit="% of outcomes in time", digits=1),
        "another cue's": Figure(unit="% of outcomes in time", digits=1),
        "counting": Figure(unit="error", digits=3),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
