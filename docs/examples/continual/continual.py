"""Digits are learned, then digits with permuted pixels; lateral cells keep the second from erasing the first.

The readout learns only from what lateral cells leave of the activity: the orthogonal projection of Xiao,
Zhang, He and Lin 2024. See README.md beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.data import CLASSES, PIXELS, SIDE, Digits, load_digits
from synloom.demo.example import Example, Figure, Trial, lost_events
from synloom.demo.pictures import BLUE, DIVERGING, ORANGE, new_picture, plot_range, plot_reference
from synloom.demo.subspace import change_of_earlier, principal_subspace, share_outside

GREYS = 12
"""Spikes of a white pixel, one a step."""
MOST = 0.6
"""The largest lateral weight."""
GATES = {"quiet": 0, "hold": 1, "release": 2, "keep": 3, "ask": 4, "lead": 5}
"""Inputs that silence lateral cells, hold and release relays, and keep, ask and favour the readout."""
TIMES = 8
"""Spikes of a gate, one a step."""
SEEN, ANSWERED = 18, 240
"""Steps at which an image has been seen and answered, while no relay is held."""
SETTLED, RELAYED = 80, 110
"""Steps at which lateral cells have settled, and the relays that they held have fired."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """How much is learned, and the settings, which were chosen on parts of the images to learn from."""

    images: int = 800
    asked: int = 594
    passes: int = 2
    lateral: int = 20
    A: float = 0.004
    lead: float = 10.0


SHORT = Task(images=3, asked=1, passes=1, lateral=8)


@dataclass(frozen=True, eq=False)
class Lesson:
    """A task: what is shown to learn, (n, 64) spikes a pixel, and to test, with labels."""

    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


def lessons(digits: Digits, rng: np.random.Generator) -> list[Lesson]:
    """Return two tasks: the digits, and the digits with their pixels permuted."""
    train, test = (np.rint(GREYS * part).astype(np.int64) for part in (digits.train, digits.test))
    orders = (np.arange(PIXELS), rng.permutation(PIXELS))
    return [
        Lesson(train[:, order], digits.train_labels, test[:, order], digits.test_labels) for order in orders
    ]


def network(task: Task, seed: int) -> sl.Network:
    """Return the network: pixels, lateral cells of two signs, relays, and a readout of ten neurons."""
    net = sl.Network(dt=1.0, seed=seed)
    pixels = net.add(sl.InputPopulation(2 * PIXELS, label="pixels"))
    gates = net.add(sl.InputPopulation(len(GATES), label="gates"))
    # Nothing leaks, and a spike takes 1 mV: a cell fires as often as it has mV, rounded.
    lif = sl.LIF(
        tau_m=float("inf"),
        tau_syn_E=0.0,
        tau_syn_I=0.0,
        v_rest=0.0,
        v_thresh=0.55,
        v_reset=-0.45,
        reset_mode="subtract",
    )
    lateral, relays, readout = (
        net.add(sl.Population(n, lif, label=label, v_range=1000.0))
        for n, label in ((2 * task.lateral, "lateral"), (PIXELS, "relays"), (CLASSES, "readout"))
    )
    # The second half of the pixels shows the negative of an image.
    sign = np.eye(PIXELS)
    shown = sl.FromMatrix(np.where(np.vstack([sign, sign]) > 0, np.vstack([sign, -sign]), np.nan))
    net.add(sl.Projection(pixels, relays, shown, label="shown"))
    drawn = sl.Uniform(-MOST, MOST)
    net.add(sl.Projection(pixels, lateral, sl.AllToAll(), weight=drawn, label="explain"))
    net.add(sl.Projection(lateral, relays, sl.AllToAll(), weight=drawn, label="subtract"))
    # What one sign of a lateral cell has said is taken back from the other, so that they stay opposite.
    other = np.where(np.roll(np.eye(2 * task.lateral), task.lateral, axis=1) > 0, 1.0, np.nan)
    net.add(sl.Projection(lateral, lateral, sl.FromMatrix(other), label="signs"))
    # A spike that the teacher forces changes each synapse by its relay's spikes; the reward is the sign.
    rule = sl.PairRule(A_post=task.A, tau_pre=1000.0, tau_post=1.0, w_min=-1.0, w_max=1.0, reward=True)
    net.add(sl.Projection(relays, readout, sl.AllToAll(), weight=0.0, plasticity=rule, label="w"))
    for cells, opened in (
        (lateral, {"quiet": -20.0}),
        (relays, {"hold": -20.0, "release": 20.0}),
        (readout, {"keep": -50.0, "ask": 50.0, "lead": task.lead}),
    ):
        matrix = np.full((len(GATES), cells.n), np.nan)
        for name, charge in opened.items():
            matrix[GATES[name]] = charge
        net.add(sl.Projection(gates, cells, sl.FromMatrix(matrix), label=f"gates of {cells.label}"))
    return net


def shown(image: np.ndarray, negative: bool = False) -> np.ndarray:
    """Return the spikes that show an image or its negative, (12, 128) bool; brighter pixels spike more."""
    raster = np.zeros((GREYS, 2 * PIXELS), dtype=bool)
    side = slice(PIXELS, 2 * PIXELS) if negative else slice(0, PIXELS)
    raster[:, side] = np.arange(GREYS)[:, None] < image
    return raster


def gated(**opened: int) -> list[tuple[float, int]]:
    """Return the spikes of gates that open at given steps."""
    return [(float(start + k), GATES[name]) for name, start in opened.items() for k in range(TIMES)]


def answer(device: sl.Device, image: np.ndarray) -> tuple[int, np.ndarray]:
    """Show an image while the lateral cells are silent; return the answer and the spikes of the relays."""
    device.reset("dynamics")
    device.inject("pixels", shown(image))
    device.inject("gates", [*gated(quiet=0, keep=0, ask=SEEN), (float(SEEN), GATES["lead"])])
    recording = device.run(float(ANSWERED))
    return int(recording.counts("readout").argmax()), recording.counts("relays")


def teach(device: sl.Device, image: np.ndarray, wanted: int, wrong: int, *, projected: bool) -> None:
    """Let the right neuron learn an image, and the wrong one unlearn it, as far as lateral cells leave it.

    What they leave has both signs: the image shows the positive part, its negative the other.
    """
    for negative in (False, True) if projected else (False,):
        device.reset("dynamics")
        device.inject("pixels", shown(image, negative))
        device.inject("gates", gated(hold=0, keep=0, release=SETTLED, **({} if projected else {"quiet": 0})))
        device.inject("readout", [(float(RELAYED), wanted), (RELAYED + 1.0, wrong)])
        device.schedule(float(RELAYED), learning=True, reward=-1.0 if negative else 1.0)
        device.schedule(RELAYED + 1.0, reward=1.0 if negative else -1.0)
        device.schedule(RELAYED + 2.0, learning=False)
        device.run(RELAYED + 3.0)


def learn(
    device: sl.Device, shows: np.ndarray, labels: np.ndarray, order: np.ndarray, *, projected: bool
) -> np.ndarray:
    """Ask for each image in turn, and teach it where the answer is wrong; return the relays' spikes."""
    seen = []
    for index in order:
        said, spikes = answer(device, shows[index])
        seen.append(spikes)
        if said != labels[index]:
            teach(device, shows[index], int(labels[index]), said, projected=projected)
    return np.array(seen, dtype=np.float64)


def write_lateral(device: sl.Device, H: np.ndarray) -> None:
    """Write lateral weights, (cells, 64): cells of both signs are driven by H x, and take H' H x away."""
    signed = np.vstack([H, -H])
    device.write_weights("explain", np.hstack([signed, -signed]).T)
    device.write_weights("subtract", -signed)


def asked(device: sl.Device, task: Task, tasks: list[Lesson]) -> list[float]:
    """Return the share of right answers to the test images of each task, in percent."""
    right = []
    for each in tasks:
        said = [answer(device, image)[0] for image in each.test[: task.asked]]
        right.append(100.0 * float(np.mean(said == each.test_labels[: task.asked])))
    return right


def order_of(task: Task, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return the order of `count` images in all passes, (passes * count,)."""
    return np.concatenate([rng.permutation(count) for _ in range(task.passes)])


def reckoned(weights: np.ndarray, tasks: list[Lesson]) -> list[float]:
    """Return the share of right answers that weights would give without rounding, by task, in percent."""
    return [100.0 * float(np.mean((t.test @ weights).argmax(axis=1) == t.test_labels)) for t in tasks]


def in_floating_point(
    tasks: list[Lesson], order: np.ndarray, H: np.ndarray, A: float, *, projected: bool
) -> np.ndarray:
    """Return accuracies (after, on) of the same algorithm without spikes, rounding and bounds."""
    weights, right = np.zeros((PIXELS, CLASSES)), []
    for k, each in enumerate(tasks):
        left = np.eye(PIXELS) - H.T @ H if projected and k else np.eye(PIXELS)
        for index in order[k]:
            x, wanted = each.train[index], each.train_labels[index]
            said = int((x @ weights).argmax())
            if said != wanted:
                change = 2.0 * A * (left @ x)
                weights[:, wanted] += change
                weights[:, said] -= change
        right.append(reckoned(weights, tasks))
    return np.array(right)


def figures_of(name: str, right: np.ndarray) -> dict[str, Any]:
    """Return the figures of a learner: accuracy on both tasks at the end, and what changed of the first."""
    return {
        f"right, {name}": right,
        f"{name}, both tasks": float(right[-1].mean()),
        f"{name}, second task": float(right[-1, 1]),
        f"{name}, change of the first task": change_of_earlier(right),
    }


def in_turn(device: sl.Device, task: Task, tasks: list[Lesson], rng: np.random.Generator) -> dict[str, Any]:
    """Learn the first task, then the second one twice, plain and projected; and both tasks together."""
    first, second = tasks
    count = min(task.images, len(first.train))
    order = np.array([order_of(task, count, rng) for _ in tasks])
    spikes = learn(device, first.train, first.train_labels, order[0], projected=False)
    start, after_first = device.read_weights("w"), asked(device, task, tasks)
    H = principal_subspace(spikes[:count], task.lateral, rng)
    write_lateral(device, H)
    found: dict[str, Any] = {"left of the second": 100.0 * share_outside(second.train.astype(float), H)}
    found |= {"H": H, "tasks": tasks, "start": start}
    for name, projected in (("plain", False), ("projected", True)):
        device.write_weights("w", start)
        course = [reckoned(start, tasks)]
        for part in np.array_split(order[1], 12):
            learn(device, second.train, second.train_labels, part, projected=projected)
            course.append(reckoned(device.read_weights("w"), tasks))
        found |= {f"course, {name}": np.array(course), f"weights, {name}": device.read_weights("w")}
        found |= figures_of(name, np.array([after_first, asked(device, task, tasks)]))
        right = in_floating_point(tasks, order, H, task.A, projected=projected)
        found |= figures_of(f"float, {name}", right)
    device.write_weights("w", np.zeros((PIXELS, CLASSES)))
    mixed = rng.permutation(np.concatenate([order[0], order[1] + len(first.train)]))
    both = np.vstack([first.train, second.train])
    learn(device, both, np.concatenate([first.train_labels, second.train_labels]), mixed, projected=False)
    return found | {"together, both tasks": float(np.mean(asked(device, task, tasks)))}


def trial(trial: Trial, digits: Digits | None = None, task: Task | None = None) -> dict[str, Any]:
    """Learn both tasks one after the other; images are those of the demo unless others are given."""
    task, rng = task or (SHORT if trial.short else Task()), trial.rng
    tasks = lessons(digits or load_digits(), rng)
    with trial.connect(trial.image(network(task, trial.seed))) as device:
        device.set_learning(False)
        found = in_turn(device, task, tasks, rng)
        return found | {"lost": lost_events(device)}


def draw_rows(part: Any, titles: tuple[str, ...], rows: list[np.ndarray], most: float = 0.0) -> None:
    """Draw rows of four images, each with its title; colours reach to `most`, or to each image's largest."""
    for axes, title, row in zip(part.subplots(3, 4), titles, rows, strict=True):
        axes[0].set_title(title)
        for place, image in zip(axes, row, strict=True):
            limit = most or np.abs(image).max()
            place.imshow(np.reshape(image, (SIDE, SIDE)), cmap=DIVERGING, vmin=-limit, vmax=limit)
            place.set_axis_off()


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw both tasks, lateral and other weights, and accuracy while the second task is learned."""
    one = found[0]
    picture = new_picture(11.0, 4.2)
    left, middle, right = picture.subfigures(1, 3, width_ratios=(1.0, 1.0, 1.6))
    shown_tests = [each.test[:4] for each in one["tasks"]]
    readout = [one[name].T[:4] for name in ("start", "weights, plain", "weights, projected")]
    learned = ("readout, digits", "both, plain", "both, projected")
    draw_rows(left, ("digits", "digits, permuted", "lateral cells"), [*shown_tests, one["H"][:4]])
    draw_rows(middle, learned, readout, most=1.0)
    axes = right.subplots()
    span = np.linspace(0.0, 100.0, len(one["course, plain"]))
    for name, colour in (("plain", ORANGE), ("projected", BLUE)):
        lines = np.array([each[f"course, {name}"] for each in found])
        plot_range(axes, span, lines[..., 0], colour=colour, label=f"digits, {name}")
        plot_range(axes, span, lines[..., 1], colour=colour, label=f"permuted, {name}", linestyle=":")
    plot_reference(axes, 100.0 / CLASSES)
    axes.set(xlabel="permuted digits learned (% of all)", ylabel="right answers (%)", ylim=(0, 100))
    axes.set_title("what is known of each task while the second is learned")
    axes.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1.0, 0.1))
    return picture


def figure(**more: Any) -> Figure:
    """Return a figure in percent."""
    return Figure(unit="%", digits=1, **more)


EXAMPLE = Example(
    name="continual",
    trial=trial,
    draw=draw,
    figures={
        "projected, both tasks": figure(least=80.0),
        "projected, second task": figure(),
        "projected, change of the first task": figure(least=-8.0, published="nearly zero, deeper networks"),
        "plain, both tasks": figure(),
        "plain, second task": figure(),
        "plain, change of the first task": figure(),
        "together, both tasks": figure(),
        "float, projected, both tasks": figure(),
        "float, projected, change of the first task": figure(),
        "float, plain, both tasks": figure(),
        "float, plain, change of the first task": figure(),
        "left of the second": figure(),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
