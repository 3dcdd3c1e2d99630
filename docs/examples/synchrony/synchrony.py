"""Cells of one letter inhibit each other after a delay of their own, and its rhythm binds them.

After the delayed pulses of Ernst, Pawelzik and Geisel 1995. See README.md beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.pictures import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, new_picture
from synloom.demo.rhythms import locking, phases, same_parts, volley_period

WORD = {
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "Y": "10001 10001 01010 00100 00100 00100 00100",
    "N": "10001 11001 11001 10101 10011 10011 10001",
    "C": "01110 10001 10000 10000 10000 10001 01110",
}
COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
ROWS, COLUMNS = 9, 28
TAU, THRESHOLD, DRIVE = 20.0, 15.0, 20.0
"""Time constant in ms; threshold, and the potential that the cells of a letter tend to, in mV."""
BOUND = 0.9
"""Two cells are bound if their phase locking is above this."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """How the letters inhibit themselves, and for how long one looks."""

    delays: tuple[float, ...] = (12.0, 15.0, 18.0, 21.0)
    kick: float = 9.0
    spread: float = 0.01
    dt: float = 0.5
    ms: float = 7000.0
    settle_ms: float = 2800.0


def labels() -> np.ndarray:
    """Return the letter of each cell, (252,), 0 to 3; -1 for the ground."""
    grid = np.full((ROWS, COLUMNS), -1)
    for k, rows in enumerate(WORD.values()):
        ink = np.array([[bit == "1" for bit in row] for row in rows.split()])
        grid[1:8, 7 * k + 1 : 7 * k + 6][ink] = k
    return grid.ravel()


def cells(task: Task, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return what each cell tends to, and where it begins, in mV.

    The ground, which nothing inhibits, is driven less, so that it fires as often as the letters do.
    """
    letter = labels()
    alike = np.mean([volley_period(d, DRIVE, task.kick, THRESHOLD, TAU) for d in task.delays])
    ground = THRESHOLD / (1.0 - np.exp(-alike / TAU))
    drive = np.where(letter < 0, ground, DRIVE) * (1.0 + task.spread * rng.standard_normal(len(letter)))
    drive = np.maximum(drive, 1.02 * THRESHOLD)
    age = rng.random(len(letter)) * TAU * np.log(drive / (drive - THRESHOLD))
    return drive, drive * (1.0 - np.exp(-age / TAU))


def couplings(task: Task) -> list[tuple[float, np.ndarray]]:
    """Return for each letter its delay, and its weights, (252, 252), NaN where there is no synapse."""
    letter, found = labels(), []
    for k, delay in enumerate(task.delays):
        mine = letter == k
        pairs = mine[:, None] & mine[None, :] & ~np.eye(len(letter), dtype=bool)
        found.append((delay, np.where(pairs, -task.kick / (mine.sum() - 1), np.nan)))
    return found


def network(task: Task, seed: int) -> sl.Network:
    """Return the network: a cell for each pixel; the cells of a letter inhibit each other after its delay.

    Noise moves the ground, so that none of its cells keeps a rhythm.
    """
    net = sl.Network(dt=task.dt, seed=seed)
    drive, start = cells(task, np.random.default_rng(seed))
    lif = sl.LIF(
        tau_m=TAU,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=THRESHOLD,
        i_offset=drive / TAU,
        tau_refrac=0.0,
        tau_syn_E=0.0,
        tau_syn_I=0.0,
    )
    pixels = net.add(sl.Population(len(drive), lif, v_init=start, label="pixels", v_range=40.0))
    restless = net.add(sl.PoissonInput(32, rate=50.0, label="restless"))
    rng, size = np.random.default_rng([seed, 1]), (32, len(drive))
    kicks = np.where((rng.random(size) < 0.2) & (labels() < 0), rng.choice([-0.5, 0.5], size), np.nan)
    net.add(sl.Projection(restless, pixels, sl.FromMatrix(kicks)))
    for letter, (delay, weights) in zip(WORD, couplings(task), strict=True):
        net.add(sl.Projection(pixels, pixels, sl.FromMatrix(weights), delay=delay, label=letter))
    return net


def float_loop(task: Task, seed: int) -> np.ndarray:
    """Return the raster of the same cells in floating point, (steps, 252) bool, without noise."""
    drive, v = cells(task, np.random.default_rng(seed))
    keep, steps = np.exp(-task.dt / TAU), int(task.ms / task.dt)
    ways = [(round(delay / task.dt), np.nan_to_num(weights)) for delay, weights in couplings(task)]
    raster = np.zeros((steps, len(v)), dtype=bool)
    for step in range(steps):
        v = drive + (v - drive) * keep
        for late, weights in ways:
            if step >= late and raster[step - late].any():
                v += raster[step - late] @ weights
        raster[step] = v >= THRESHOLD
        v[raster[step]] = 0.0
    return raster


def judged(task: Task, raster: np.ndarray) -> dict[str, Any]:
    """Return how well phases are locked within and between letters, and the period of each letter in ms."""
    letter = labels()
    first, last = int(task.settle_ms / task.dt), int((task.ms - 100.0) / task.dt)
    phase = phases(raster, first, last)
    inked, same = letter >= 0, letter[:, None] == letter[None, :]
    lock, apart = locking(phase), ~np.eye(len(letter), dtype=bool)
    ink = np.ix_(inked, inked)
    turns = (phase[-1] - phase[0]) / ((last - 1 - first) * task.dt)
    return {
        "within": float(lock[ink][(same & apart)[ink]].mean()),
        "between": float(lock[ink][~same[ink]].mean()),
        "pairs": 100.0 * same_parts(lock[ink] > BOUND, letter[inked]),
        "periods": np.array([1.0 / turns[letter == k].mean() for k in range(len(WORD))]),
        "rates": 1000.0 * turns,
        "lock": lock,
    }


def trial(trial: Trial) -> dict[str, Any]:
    """Let the word run on the array and in floating point; then uncoupled, and with one delay for all."""
    task = Task(ms=900.0, settle_ms=500.0) if trial.short else Task()
    one = float(np.mean(task.delays))
    others = {
        "uncoupled": Task(kick=1e-3, ms=task.ms, settle_ms=task.settle_ms),
        "one delay": Task(delays=(one,) * 4, ms=task.ms, settle_ms=task.settle_ms),
    }
    with trial.connect(sl.compile(network(task, trial.seed), ARRAY)) as device:
        raster = device.run(task.ms).raster("pixels").astype(bool)
        lost = lost_events(device)
        control = {}
        for name, other in () if trial.short else others.items():
            device.load(sl.compile(network(other, trial.seed), ARRAY))
            control[name] = judged(other, device.run(other.ms).raster("pixels").astype(bool))
    ours, loop = judged(task, raster), judged(task, float_loop(task, trial.seed))
    closed = np.array([volley_period(d, DRIVE, task.kick, THRESHOLD, TAU) for d in task.delays])
    return {
        "within": ours["within"],
        "between": ours["between"],
        "pairs": ours["pairs"],
        "period from the closed form": 100.0 * float(np.abs(ours["periods"] / closed - 1.0).max()),
        "period from the float loop": 100.0 * float(np.abs(ours["periods"] / loop["periods"] - 1.0).max()),
        "within, float loop": loop["within"],
        "between, float loop": loop["between"],
        "within, uncoupled": control["uncoupled"]["within"] if control else np.nan,
        "pairs, uncoupled": control["uncoupled"]["pairs"] if control else np.nan,
        "between, one delay": control["one delay"]["between"] if control else np.nan,
        "lost": lost,
        "task": task,
        "raster": raster[-int(700.0 / task.dt) :],
        "ours": ours,
        "loop periods": loop["periods"],
    }


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw the word as counts, moments and locking show it, its spikes, and the rhythm against the delay."""
    one, letter = found[0], labels()
    picture = new_picture(11.0, 6.6)
    top, bottom = picture.subfigures(2, 1, height_ratios=(0.72, 1.0))
    axes = top.subplots(2, 3)
    shape = ROWS, COLUMNS
    axes[0, 0].imshow(one["ours"]["rates"].reshape(shape), cmap="magma", vmin=0.0, vmax=30.0)
    axes[0, 0].set_title("how often each cell fires: nothing to read")
    axes[1, 0].imshow(bound_to(one["ours"]["lock"], letter).reshape(*shape, 3))
    axes[1, 0].set_title("what fires in one rhythm")
    places = axes[0, 1], axes[0, 2], axes[1, 1], axes[1, 2]
    for k, (panel, name) in enumerate(zip(places, WORD, strict=True)):
        panel.imshow(moment(one, letter, k).reshape(shape), cmap="magma", vmin=0.0, vmax=1.0)
        panel.set_title(f"a moment of {name}, every {one['ours']['periods'][k]:.1f} ms")
    for panel in axes.flat:
        panel.set(xticks=[], yticks=[])
    spikes, matrix, rhythm = bottom.subplots(1, 3, width_ratios=(1.7, 1.0, 1.0))
    order = np.argsort(np.where(letter < 0, 9, letter), kind="stable")
    window = int(300.0 / one["task"].dt)
    steps, who = np.nonzero(one["raster"][-window:, order])
    kinds = letter[order][who]
    for k, colour in (*enumerate(COLOURS), (-1, GREY)):
        mine = kinds == k
        spikes.scatter(one["task"].dt * steps[mine], who[mine], s=3, color=colour, linewidths=0)
    spikes.set(xlabel="time (ms)", ylabel="cells: S, Y, N, C, ground", ylim=(100, -1), xlim=(0, 300))
    spikes.set_title("each letter has a rhythm, the ground has none")
    ink = order[: int((letter >= 0).sum())]
    shown = matrix.imshow(one["ours"]["lock"][np.ix_(ink, ink)], cmap="cividis", vmin=0.0, vmax=1.0)
    matrix.set(xticks=[], yticks=[], title="phase locking of the letters' cells")
    bottom.colorbar(shown, ax=matrix, shrink=0.7)
    delays = np.linspace(5.0, 25.0, 50)
    line = [volley_period(d, DRIVE, one["task"].kick, THRESHOLD, TAU) for d in delays]
    rhythm.plot(delays, line, color=INK, linewidth=1.0, label="closed form")
    for k, each in enumerate(found):
        rhythm.scatter(
            each["task"].delays,
            each["ours"]["periods"],
            s=16,
            c=COLOURS,
            label="array, all seeds" if k == 0 else None,
        )
    rhythm.set(xlabel="delay (ms)", ylabel="period of the letter (ms)", title="the delay sets the rhythm")
    rhythm.legend(fontsize=8, loc="upper left")
    return picture


def bound_to(lock: np.ndarray, letter: np.ndarray) -> np.ndarray:
    """Return colours, (252, 3): of the letter with a cell of which each cell is bound, grey if with none."""
    colours = np.full((len(letter), 3), 0.9)
    for k, colour in enumerate(COLOURS):
        first = np.flatnonzero(letter == k)[0]
        colours[lock[first] > BOUND] = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    return colours


def moment(one: dict[str, Any], letter: np.ndarray, k: int) -> np.ndarray:
    """Return how near each cell is to a spike, 0 to 1, when a letter fires and the others are far from it."""
    raster, dt = one["raster"], one["task"].dt
    away = np.full(raster.shape, np.inf)
    for cell in range(raster.shape[1]):
        times = np.flatnonzero(raster[:, cell])
        if len(times):
            away[:, cell] = np.abs(np.arange(len(raster))[:, None] - times[None, :]).min(axis=1)
    others = away[:, (letter >= 0) & (letter != k)].min(axis=1) - 3.0 * away[:, letter == k].mean(axis=1)
    return np.exp(-((dt * away[int(others.argmax())] / 2.5) ** 2))


EXAMPLE = Example(
    name="synchrony",
    trial=trial,
    draw=draw,
    figures={
        "within": Figure(unit="phase locking in a letter", digits=3, least=0.95),
        "between": Figure(unit="phase locking of two letters", digits=3, most=0.2),
        "pairs": Figure(unit="% told right", digits=1, least=99.0),
        "period from the closed form": Figure(unit="% off at most", digits=2, most=2.0),
        "period from the float loop": Figure(unit="% off at most", digits=2, most=1.0),
        "within, float loop": Figure(unit="phase locking", digits=3),
        "between, float loop": Figure(unit="phase locking", digits=3),
        "within, uncoupled": Figure(unit="phase locking", digits=3),
        "pairs, uncoupled": Figure(unit="% told right", digits=1),
        "between, one delay": Figure(unit="phase locking", digits=3),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
