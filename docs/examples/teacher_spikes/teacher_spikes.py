"""A teacher's spikes are learned: neurons fire at given times when a pattern of input spikes comes again.

The rule is ReSuMe (Ponulak and Kasinski 2010), from forced spikes and a reward. See README.md beside
this file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.pictures import BLUE, INK, ORANGE, SKY, new_picture, plot_range, plot_reference
from synloom.demo.spike_trains import coincidence, jittered

SILENT = 900.0
"""A threshold that no input reaches, mV: a neuron fires only if the teacher forces it to."""


WITHIN = 2
"""A spike is right if it is at most so many ms early or late."""

LETTERS = {
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "D": "11110 10001 10001 10001 10001 10001 11110",
    "P": "11110 10001 10001 11110 10000 10000 10000",
}
"""Letters of five columns and seven rows."""

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Task:
    """How many neurons learn how many spikes each, in how long a pattern."""

    neurons: int = 40
    inputs: int = 144
    length: int = 200
    targets: int = 5
    patterns: int = 1
    rate: float = 20.0
    passes: int = 120

    def draw(self, rng: np.random.Generator) -> list[Pair]:
        """Return for each pattern its spikes, (length, inputs), and those wanted, (length, neurons)."""
        return [(self.pattern(rng), self.wanted(rng)) for _ in range(self.patterns)]

    def pattern(self, rng: np.random.Generator) -> np.ndarray:
        """Return Poisson spikes, (length, inputs) bool."""
        return rng.random((self.length, self.inputs)) < self.rate / 1000.0

    def wanted(self, rng: np.random.Generator) -> np.ndarray:
        """Return spikes at random times, at least 7 ms apart, none in the first 20 ms."""
        wanted = np.zeros((self.length, self.neurons), dtype=bool)
        for neuron in range(self.neurons):
            slots = 20 + 10 * rng.choice((self.length - 20) // 10, self.targets, replace=False)
            wanted[slots + rng.integers(0, 4, self.targets), neuron] = True
        return wanted


def network(task: Task, seed: int) -> sl.Network:
    """Return the network: inputs, and neurons with plastic synapses of both signs from all of them."""
    net = sl.Network(dt=1.0, seed=seed)
    inputs = net.add(sl.InputPopulation(task.inputs, label="inputs"))
    lif = sl.LIF(tau_m=10.0, v_rest=0.0, v_reset=0.0, v_thresh=10.0, tau_syn_E=0.0, tau_syn_I=0.0)
    neurons = net.add(sl.Population(task.neurons, lif, label="neurons", v_range=1000.0))
    # A spike changes each synapse by the trace of its input; the reward turns the sign.
    rule = sl.PairRule(A_post=0.02, tau_pre=10.0, w_min=-8.0, w_max=8.0, rounding="nearest", reward=True)
    start = sl.Uniform(0.0, 2.0)
    net.add(sl.Projection(inputs, neurons, sl.AllToAll(), weight=start, plasticity=rule, label="w"))
    return net


def show(device: sl.Device, pattern: np.ndarray, forced: np.ndarray | None = None) -> np.ndarray:
    """Show a pattern once; return the raster of the neurons, of which some can be forced to fire."""
    device.reset("dynamics")
    device.inject("inputs", pattern)
    if forced is not None:
        device.inject("neurons", forced)
    return device.run(float(len(pattern))).raster("neurons").astype(bool)


def learn(device: sl.Device, pairs: list[Pair], passes: int, own: bool = True) -> list[float]:
    """Raise synapses before spikes that are missing, lower them before those too many; return the agreement.

    The neurons answer with learning off, and then the array learns from two volleys of forced spikes.
    """
    course = []
    for k in range(passes):
        size = 1.0 / (1.0 + 4.0 * k / passes)
        agreed = []
        for pattern, wanted in pairs:
            answer = show(device, pattern)
            agreed.append(coincidence(answer, wanted, WITHIN).mean())
            device.set_neurons("neurons", v_thresh=SILENT)
            device.set_learning(True)
            for reward, forced in ((size, wanted & ~answer), (-size, answer & ~wanted & own)):
                device.set_reward(reward)
                show(device, pattern, forced)
            device.set_learning(False)
            device.set_neurons("neurons", v_thresh=10.0)
        course.append(float(np.mean(agreed)))
    return course


def agreement(device: sl.Device, pairs: list[Pair]) -> np.ndarray:
    """Return the agreement of each neuron in each pattern, (patterns, neurons)."""
    return np.array([coincidence(show(device, pattern), wanted, WITHIN) for pattern, wanted in pairs])


def written(word: str, task: Task) -> np.ndarray:
    """Return wanted spikes that look like a word in a raster, (length, neurons)."""
    rows = [" ".join(LETTERS[letter].split()[row] for letter in word) for row in range(7)]
    wanted = np.zeros((task.length, task.neurons), dtype=bool)
    step = (task.length - 30) // len(rows[0])
    for neuron in range(task.neurons - 5):
        for column, bit in enumerate(rows[neuron * 7 // (task.neurons - 5)]):
            wanted[25 + step * column, neuron + 2] = bit == "1"
    return wanted


def trial(trial: Trial) -> dict[str, Any]:
    """Learn trains of five spikes; then those of several patterns, and a word."""
    task = Task(neurons=40, length=60, targets=3, passes=2) if trial.short else Task()
    image, rng = sl.compile(network(task, trial.seed), ARRAY), trial.rng
    pairs = task.draw(rng)
    found: dict[str, Any] = {"jitter": {}, "capacity": {}}
    with trial.connect(image) as device:
        device.set_learning(False)
        found["untrained"] = float(agreement(device, pairs).mean())
        found["course"] = learn(device, pairs, task.passes)
        each = agreement(device, pairs)
        found |= {"agreement": float(each.mean()), "all spikes right": 100.0 * float(np.mean(each == 1.0))}
        for jitter in () if trial.short else (0.0, 0.5, 1.0, 2.0, 4.0):
            moved = [(jittered(rng, p, jitter), w) for p, w in pairs for _ in range(5)]
            found["jitter"][jitter] = float(agreement(device, moved).mean())
        device.load(image)
        device.set_learning(False)
        found["teacher alone"] = learn(device, pairs, task.passes, own=False)[-1]
        found["capacity"][1] = found["agreement"]
        for patterns in () if trial.short else (2, 4, 8):
            several = replace(task, patterns=patterns).draw(rng)
            device.load(image)
            device.set_learning(False)
            learn(device, several, task.passes)
            found["capacity"][patterns] = float(agreement(device, several).mean())
        found["four patterns"] = found["capacity"].get(4, np.nan)
        word = [(task.pattern(rng), written("STDP", task))]
        device.load(image)
        device.set_learning(False)
        learn(device, word, task.passes)
        found |= {"word": word[0], "answer": show(device, word[0][0])}
        found["lost"] = lost_events(device)
    found["chance"] = float(coincidence(task.wanted(rng), pairs[0][1], WITHIN).mean())
    return found


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw a word that neurons have learned to write, and the agreement against passes, spikes and jitter."""
    one = found[0]
    picture = new_picture(11.0, 6.4)
    top, bottom = picture.subfigures(2, 1, height_ratios=(1.1, 1.0))
    before, after = top.subplots(1, 2)
    pattern, wanted = one["word"]
    before.scatter(*np.nonzero(pattern), s=3, color=INK, linewidths=0)
    before.set(xlabel="time (ms)", ylabel="inputs", xlim=(0, len(pattern)))
    before.set_title("the input: 144 spike trains, always the same noise")
    after.scatter(
        *np.nonzero(wanted), s=34, facecolors="none", edgecolors=ORANGE, linewidths=0.9, label="wanted"
    )
    after.scatter(*np.nonzero(one["answer"]), s=7, color=BLUE, linewidths=0, label="fired")
    after.set(xlabel="time (ms)", ylabel="neurons", xlim=(0, len(pattern)))
    after.invert_yaxis()
    after.legend(fontsize=8, loc="lower right", ncols=2, bbox_to_anchor=(1.02, 0.98))
    after.set_title("what the neurons have learned to answer")
    course, capacity, jitter = bottom.subplots(1, 3)
    lines = np.array([each["course"] for each in found])
    span = np.arange(1, lines.shape[1] + 1)
    plot_range(course, span, lines, colour=BLUE, shade=SKY)
    alone = float(np.mean([each["teacher alone"] for each in found]))
    plot_reference(course, alone)
    course.text(span[-1], alone + 0.02, "the teacher alone", ha="right", fontsize=8)
    course.set(xlabel="passes", ylabel="agreement", ylim=(0, 1.03), title="five spikes in 200 ms")
    for axes, name, label in (
        (capacity, "capacity", "patterns, five spikes wanted in each"),
        (jitter, "jitter", "jitter of the inputs (ms)"),
    ):
        points = list(one[name])
        band = np.array([[each[name][point] for point in points] for each in found])
        plot_range(axes, points, band, colour=BLUE, shade=SKY, marker="o", markersize=4)
        axes.set(xlabel=label, ylim=(0, 1.03))
    capacity.set_title("more patterns for the same synapses")
    jitter.set_title("what was learned stands some jitter")
    return picture


EXAMPLE = Example(
    name="teacher_spikes",
    trial=trial,
    draw=draw,
    figures={
        "agreement": Figure(digits=3, least=0.98, published="learned"),
        "all spikes right": Figure(unit="% of neurons", digits=1, least=95.0),
        "four patterns": Figure(unit="agreement", digits=3, least=0.95),
        "teacher alone": Figure(unit="agreement", digits=3),
        "untrained": Figure(unit="agreement", digits=3),
        "chance": Figure(unit="agreement", digits=3),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
