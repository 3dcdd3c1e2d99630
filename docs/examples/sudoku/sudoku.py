"""Neurons that exclude each other solve Sudoku: noise searches, and a solution is where it comes to rest.

After the constraint solver of Fonseca Guerra and Furber 2017 for SpiNNaker. See README.md beside this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture
from matplotlib.patches import Rectangle

import synloom as sl
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.pictures import BLUE, CLASS_COLOURS, GREEN, INK, ORANGE, SKY, new_picture
from synloom.demo.sudoku import Sudoku

LEVELS = (40, 34, 28, 24)
"""Clues of a 9 x 9 puzzle, from easy to hard."""

PUZZLES = 4
MOST_MS = 30_000.0
LOOK_MS = 10
DRIVE, CLUE, OFF = 1.5, 2.5, -5.0
"""Constant currents, nA: of a candidate, of a clue, of what a clue excludes in its cell."""


def network(sudoku: Sudoku, seed: int, noise_hz: float = 20.0) -> sl.Network:
    """Return the network: a neuron for each digit of each cell, which inhibits all that it excludes."""
    net = sl.Network(dt=1.0, seed=seed)
    noise = net.add(sl.PoissonInput(sudoku.side**3, rate=noise_hz, label="noise"))
    lif = sl.LIF(
        tau_m=10.0,
        cm=1.0,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=10.0,
        tau_refrac=5.0,
        tau_syn_E=0.0,
        tau_syn_I=5.0,
    )
    candidates = net.add(sl.Population(sudoku.side**3, lif, label="candidates", v_range=200.0))
    net.add(sl.Projection(noise, candidates, sl.OneToOne(), weight=2.0))
    excludes = sl.FromList([(one, other, -1.0) for one, other in sudoku.conflicts()])
    net.add(sl.Projection(candidates, candidates, excludes, delay=1.0))
    return net


def solve(device: sl.Device, sudoku: Sudoku, clues: np.ndarray, most_ms: float) -> dict[str, Any]:
    """Let the network search until no rule is broken; a cell has the digit that fired last."""
    currents = np.full((len(clues), sudoku.side), DRIVE)
    currents[clues >= 0] = OFF
    currents[clues >= 0, clues[clues >= 0]] = CLUE
    device.reset("dynamics")
    device.set_offset("candidates", currents.ravel())
    last = np.full(currents.shape, -1.0)
    run: dict[str, Any] = {"seconds": np.nan, "clues": clues, "broken": [], "grids": [], "spikes": []}
    while device.time < most_ms and not np.isfinite(run["seconds"]):
        begun = device.time
        times, neurons = device.run(500.0).spikes("candidates")
        run["spikes"].append(np.stack([times, neurons]))
        for look in np.arange(begun, device.time, LOOK_MS):
            now = (times >= look) & (times < look + LOOK_MS)
            np.maximum.at(last.reshape(-1), neurons[now], times[now])
            grid = np.where(last.max(axis=1) >= 0.0, last.argmax(axis=1), -1)
            run["grids"].append(grid)
            run["broken"].append(sudoku.broken(grid))
            if not run["broken"][-1] and keeps(grid, clues):
                run["seconds"] = (look + LOOK_MS) / 1000.0
                break
    run["spikes"] = np.concatenate(run["spikes"], axis=1)
    return run


def keeps(grid: np.ndarray, clues: np.ndarray) -> bool:
    """Return whether an answer has all clues."""
    return bool((grid == clues)[clues >= 0].all())


def filled(sudoku: Sudoku, clues: np.ndarray, rng: np.random.Generator) -> bool:
    """Return whether a puzzle is solved by digits at random, of those that no clue excludes."""
    grid = clues.copy()
    for cell in np.flatnonzero(clues < 0):
        grid[cell] = rng.choice(np.setdiff1d(np.arange(sudoku.side), clues[sudoku.peers[cell]]))
    return sudoku.broken(grid) == 0


def share(runs: list[dict[str, Any]]) -> float:
    """Return how many puzzles were solved, in %."""
    return 100.0 * float(np.mean([np.isfinite(run["seconds"]) for run in runs]))


def trial(trial: Trial) -> dict[str, Any]:
    """Solve new puzzles of each level on one device; the 4 x 4 ones come first."""
    rng, small, large = trial.rng, Sudoku(2), Sudoku(3)
    found: dict[str, Any] = {f"{k} clues": np.nan for k in LEVELS}
    found |= dict.fromkeys(("time", "without noise", "random digits", "guesses of a plain search"), np.nan)
    image = sl.compile(network(small, trial.seed), ARRAY)
    puzzles = [small.puzzle(rng, 4)[0] for _ in range(2 if trial.short else 8)]
    if not trial.short:
        with trial.connect(image) as device:
            found["4 x 4"] = share([solve(device, small, each, 4000.0) for each in puzzles])
            found["lost"] = lost_events(device)
        more = nine(trial, large, rng)
        return found | more | {"lost": found["lost"] + more["lost"]}
    with trial.connect(image) as device:
        runs = [solve(device, small, each, 1000.0) for each in puzzles]
        found["lost"] = lost_events(device)
    found |= {"4 x 4": share(runs), "runs": {4: runs}, "puzzle": puzzles[0], "sudoku": small}
    return found


def nine(trial: Trial, sudoku: Sudoku, rng: np.random.Generator) -> dict[str, Any]:
    """Return the figures of 9 x 9."""
    levels = {k: [sudoku.puzzle(rng, k)[0] for _ in range(PUZZLES)] for k in LEVELS}
    image = sl.compile(network(sudoku, trial.seed))
    found: dict[str, Any] = {"sudoku": sudoku, "puzzle": levels[28][0], "runs": {}}
    with sl.connect(trial.target, image) as device:
        for k, puzzles in levels.items():
            found["runs"][k] = [solve(device, sudoku, each, MOST_MS) for each in puzzles]
            found[f"{k} clues"] = share(found["runs"][k])
        found["lost"] = lost_events(device)
        device.load(sl.compile(network(sudoku, trial.seed, noise_hz=0.0), image.params))
        found["without noise"] = share([solve(device, sudoku, each, MOST_MS) for each in levels[24]])
    times = [run["seconds"] for run in found["runs"][34]]
    found["time"] = float(np.nanmedian(times)) if np.isfinite(times).any() else MOST_MS / 1000.0
    random = [filled(sudoku, each, rng) for each in levels[40] for _ in range(25)]
    found["random digits"] = 100.0 * float(np.mean(random))
    found["guesses of a plain search"] = float(
        np.mean([sudoku.search(each, most=1)[1] for each in levels[24]])
    )
    return found


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw a search in three grids and as a raster, and how many puzzles are solved by when."""
    one = found[0]
    runs = one["runs"].get(28) or next(iter(one["runs"].values()))
    run = next((each for each in runs if np.isfinite(each["seconds"])), runs[0])
    picture = new_picture(11.0, 7.2)
    top, bottom = picture.subfigures(2, 1, height_ratios=(1.1, 1.0))
    broken = np.array(run["broken"])
    middle = int(np.argmin(np.abs(broken - np.median(broken))))
    for axes, look in zip(top.subplots(1, 3), (2, middle, len(broken) - 1), strict=True):
        board(axes, one["sudoku"], run["grids"][look], np.array(run["clues"]))
        left = broken[look]
        said = "solved" if not left else f"{left} rules broken"
        axes.set_title(f"{LOOK_MS * (look + 1) / 1000.0:.2f} s: {said}")
    raster, solved = bottom.subplots(1, 2, width_ratios=(1.35, 1.0))
    search(raster, run, one["sudoku"])
    marks = zip(LEVELS, (SKY, GREEN, BLUE, INK), ("-", "--", "-.", ":"), strict=True)
    for level, colour, style in marks if 28 in one["runs"] else ():
        times = np.array([each["seconds"] for f in found for each in f["runs"][level]])
        done = np.sort(times[np.isfinite(times)])
        share_of = 100.0 * np.arange(len(done) + 1) / len(times)
        at = np.r_[0.01, done, MOST_MS / 1000.0]
        solved.step(
            at,
            np.r_[share_of, share_of[-1]],
            where="post",
            color=colour,
            linestyle=style,
            linewidth=1.8,
            label=f"{level} clues",
        )
    solved.set(xscale="log", xlim=(0.03, 30.0), ylim=(0, 103), xlabel="time of the network (s)")
    solved.set(ylabel="puzzles solved (%)")
    if 28 in one["runs"]:
        solved.legend(fontsize=8, loc="lower right")
    solved.set_title("how many are solved by when, all seeds")
    return picture


def board(axes: Any, sudoku: Sudoku, grid: np.ndarray, clues: np.ndarray) -> None:
    """Draw a grid: clues bold, what breaks a rule on orange."""
    side = sudoku.side
    same = (grid[:, None] == grid[None, :]) & sudoku.peers
    for cell, digit in enumerate(grid.tolist()):
        row, column = divmod(cell, side)
        if digit >= 0 and same[cell].any():
            axes.add_patch(Rectangle((column, row), 1, 1, color=ORANGE, alpha=0.55, linewidth=0))
        weight, colour = ("bold", INK) if clues[cell] >= 0 else ("normal", BLUE)
        text = str(digit + 1) if digit >= 0 else ""
        axes.text(column + 0.5, row + 0.55, text, ha="center", va="center", weight=weight, color=colour)
    for k in range(side + 1):
        width = 1.6 if k % sudoku.box == 0 else 0.4
        axes.plot([0, side], [k, k], color=INK, linewidth=width)
        axes.plot([k, k], [0, side], color=INK, linewidth=width)
    axes.set(xlim=(-0.05, side + 0.05), ylim=(side + 0.05, -0.05), aspect="equal", xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def search(axes: Any, run: dict[str, Any], sudoku: Sudoku) -> None:
    """Draw the spikes of the cells that have no clue, a colour for each digit, and the broken rules."""
    times, neurons = run["spikes"]
    end = LOOK_MS * len(run["broken"])
    begin = max(0, end - 1500)
    free = np.flatnonzero(np.array(run["clues"]) < 0)[:16]
    cell, digit = np.divmod(neurons.astype(np.int64), sudoku.side)
    kept = np.isin(cell, free) & (times >= begin) & (times < end)
    row = np.searchsorted(free, cell[kept]) + 0.8 * digit[kept] / sudoku.side
    colours = [CLASS_COLOURS[d] for d in digit[kept]]
    axes.scatter(times[kept] / 1000.0, row, s=2.5, c=colours, linewidths=0)
    for k in range(len(free) + 1):
        axes.axhline(k - 0.1, color="#e5e9ed", linewidth=0.6, zorder=0)
    axes.set(xlabel="time of the network (s)", ylabel="cells, in each the nine digits", yticks=[])
    axes.set(xlim=(begin / 1000.0, end / 1000.0), ylim=(-0.2, len(free)))
    axes.set_title("the last 1.5 s of the search, 16 cells: height and colour are the digit")


EXAMPLE = Example(
    name="sudoku",
    trial=trial,
    draw=draw,
    figures={
        "4 x 4": Figure(unit="% solved", digits=0, least=99.0),
        "40 clues": Figure(unit="% solved", digits=0, least=95.0, published="solves easy and hard puzzles"),
        "34 clues": Figure(unit="% solved", digits=0, least=90.0),
        "28 clues": Figure(unit="% solved", digits=0, least=75.0),
        "24 clues": Figure(unit="% solved", digits=0),
        "time": Figure(unit="s of network time, median at 34 clues", digits=2),
        "without noise": Figure(unit="% solved at 24 clues", digits=0),
        "random digits": Figure(unit="% solved at 40 clues", digits=0),
        "guesses of a plain search": Figure(unit="at 24 clues", digits=0),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
