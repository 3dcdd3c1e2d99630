"""Two neurons learn to balance a pole: one pushes the cart, the other predicts the fall.

These are the adaptive elements of Barto, Sutton and Anderson 1983, by reward-modulated STDP. See README.md
beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.cart_pole import BOXES, CartPole, adaptive_elements, box_of
from synloom.demo.example import Example, Figure, Trial, lost_events
from synloom.demo.pictures import (
    BLUE,
    DIVERGING,
    GREY,
    INK,
    ORANGE,
    SKY,
    VERMILION,
    new_picture,
    plot_reference,
)

SEARCH, CRITIC = 0, 1
COINS = 5
"""Noise channels, which spike in half of the steps. Their number is odd, so that there is no tie."""
APART_MS = 6.0
"""Before each lesson, so that the trace of the last box is gone."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """How often and how long, and the settings, which were chosen on other seeds in a float loop."""

    trials: int = 100
    longest: int = 500
    asked: int = 10
    boxes: int = BOXES
    noise: float = 0.01
    search_rate: float = 0.07
    critic_rate: float = 0.1
    search_fades: float = 0.9
    critic_fades: float = 0.8
    remembered: int = 10
    discount: float = 0.95


SHORT = Task(trials=2, longest=40, asked=1, boxes=18, remembered=4)
"""Only the angle and its speed: 18 boxes, as the small array has no more inputs."""


def network(task: Task, seed: int) -> sl.Network:
    """Return the network: a channel for each box, noise, and two neurons without memory."""
    net = sl.Network(dt=1.0, seed=seed)
    boxes = net.add(sl.InputPopulation(task.boxes, label="boxes"))
    hush = net.add(sl.InputPopulation(1, label="hush"))
    coins = net.add(sl.PoissonInput(COINS, rate=500.0, label="coins"))
    # With 3 channels up and 2 down, the search neuron fires at weight 0 with probability 1/2.
    cell = sl.LIF(
        tau_m=0.05,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=[0.5 * task.noise, 20.0],
        tau_syn_E=0.0,
        tau_syn_I=0.0,
    )
    cells = net.add(sl.Population(2, cell, label="cells", v_range=32.0))
    rule = sl.PairRule(A_post=0.25, tau_pre=1.0, w_min=-1.0, w_max=1.0, pairing="nearest", reward=True)
    net.add(sl.Projection(boxes, cells, sl.AllToAll(), weight=0.0, plasticity=rule, label="learned"))
    net.add(sl.Projection(hush, cells, sl.AllToAll(), weight=-10.0))
    signs = np.where(np.arange(COINS) <= COINS // 2, task.noise, -task.noise)
    net.add(sl.Projection(coins, cells, sl.FromList([(k, SEARCH, float(w)) for k, w in enumerate(signs)])))
    return net


class Pupil:
    """The two neurons on a device."""

    def __init__(self, device: sl.Device, task: Task):
        self.device, self.task = device, task
        self.known: dict[int, float] = {}
        device.set_learning(True)
        device.set_reward(0.0)

    def look(self, state: np.ndarray) -> tuple[int, bool, float]:
        """Show the box of a state; return it, whether to push to the right, and the critic's prediction."""
        box = box_of(state) % self.task.boxes
        right = SEARCH in self.device.step({"boxes": [box]})["cells"]
        if box not in self.known:  # nothing was learned since it was read
            self.known[box] = float(self.device.read_state("cells")["v"][CRITIC])
        return box, right, self.known[box]

    def learn(self, past: list[tuple[int, bool]], surprise: float) -> bool:
        """Play the last boxes and pushes again, the latest first, with less reward the older they are.

        Return whether the surprise was large enough to change anything.
        A box spikes, one of the neurons is forced to fire, and the reward times the box's trace changes the
        synapse between them. The search neuron's reward has the sign of the push.
        """
        task, lessons = self.task, []
        for k, (box, right) in enumerate(past):
            push = 1.0 if right else -1.0
            for cell, change in (
                (SEARCH, push * task.search_rate * surprise * task.search_fades**k),
                (CRITIC, task.critic_rate * surprise * task.critic_fades**k),
            ):
                units = round(2.0 * change * 256.0)  # a reward of 1 changes a weight by 0.5 mV
                lessons += [(units / 256.0, box, cell)] if units else []
        if not lessons:
            return False
        times = [APART_MS * (k + 1) for k in range(len(lessons))]
        for time, (reward, _, _) in zip(times, lessons, strict=True):
            self.device.schedule(time, reward=reward)
        self.device.inject("hush", np.ones((int(times[-1] + APART_MS), 1), dtype=bool))
        self.device.inject("boxes", [(time, box) for time, (_, box, _) in zip(times, lessons, strict=True)])
        self.device.inject("cells", [(time, cell) for time, (_, _, cell) in zip(times, lessons, strict=True)])
        self.device.schedule(times[-1] + 1.0, reward=0.0)
        self.device.run(times[-1] + APART_MS)
        self.known.clear()
        return True


def balance(pupil: Pupil, world: CartPole, task: Task, start: np.ndarray, learns: bool = True) -> np.ndarray:
    """Do one trial; return the states that it went through, (steps + 1, 4)."""
    states, past = [start], []
    box, right, predicted = pupil.look(start)
    while len(states) <= task.longest:
        past = [(box, right), *past][: task.remembered]
        states.append(world.step(states[-1], right))
        fallen, before = world.fallen(states[-1]), predicted
        if not fallen:
            box, right, predicted = pupil.look(states[-1])
        learned = learns and pupil.learn(past, (-1.0 if fallen else task.discount * predicted) - before)
        if fallen:
            break
        if learned:
            box, right, predicted = pupil.look(states[-1])
    return np.array(states)


def trial(trial: Trial) -> dict[str, Any]:
    """Learn until five trials in a row are balanced, or for a hundred; then balance from other starts."""
    task, world, rng = SHORT if trial.short else Task(), CartPole(), trial.rng
    net = network(task, trial.seed)
    starts = rng.uniform(-0.05, 0.05, (task.asked, 4))
    rides: list[np.ndarray] = []
    with trial.connect(trial.image(net)) as device:
        pupil = Pupil(device, task)
        while len(rides) < task.trials and not done(rides, task):
            rides.append(balance(pupil, world, task, np.zeros(4)))
        device.set_learning(False)
        asked = [len(balance(pupil, world, task, start, learns=False)) - 1 for start in starts]
        weights, lost = device.read_weights("learned"), lost_events(device)
    source = adaptive_elements(rng, task.trials, task.longest, world)
    random = [guessed(rng, world, task, start) for start in starts for _ in range(10)]
    return {
        "learned": 100.0 * done(rides, task),
        "trials": float(len(rides)),
        "balanced": 100.0 * float(np.mean(np.array(asked) == task.longest)),
        "steps": float(np.mean(asked)),
        "source's elements, last ten trials": float(np.mean(source[-10:])),
        "random pushes": float(np.mean(random)),
        "lost": lost,
        "course": np.array([len(ride) - 1 for ride in rides]),
        "source": np.array(source),
        "weights": weights,
        "rides": [rides[0], rides[-1]],
        "task": task,
    }


def done(rides: list[np.ndarray], task: Task) -> bool:
    """Return whether the last five trials were balanced to the end."""
    return len(rides) >= 5 and all(len(ride) > task.longest for ride in rides[-5:])


def guessed(rng: np.random.Generator, world: CartPole, task: Task, start: np.ndarray) -> int:
    """Return for how many steps random pushes keep the pole up."""
    state, steps = start, 0
    while steps < task.longest and not world.fallen(state):
        state, steps = world.step(state, bool(rng.random() < 0.5)), steps + 1
    return steps


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw the first and the last trial, what both neurons have learned, and the course of all seeds."""
    one = found[0]
    picture = new_picture(11.0, 7.6)
    rows = picture.subfigures(3, 1, height_ratios=(0.85, 0.95, 1.05))
    first, last = rows[0].subplots(1, 2, width_ratios=(1.0, 3.2))
    film(first, one["rides"][0], every=4, room=12)
    film(last, one["rides"][1][:500], every=12, room=42)
    first.set_title("the first trial")
    last.set_title(
        f"trial {len(one['course'])}: ten seconds, a pole each 0.24 s, angles drawn four times as large"
    )
    maps(rows[1], one)
    course, table = rows[2].subplots(1, 2, width_ratios=(2.0, 1.0))
    longest = one["task"].longest
    for each in found:
        course.plot(np.arange(1, len(each["course"]) + 1), each["course"], color=SKY, linewidth=0.8)
        course.plot(len(each["course"]), each["course"][-1], color=BLUE, marker="o", markersize=4)
    source = np.mean([each["source"] for each in found], axis=0)
    course.plot(np.arange(1, len(source) + 1), source, color=ORANGE, label="source's elements, mean")
    course.plot([], [], color=SKY, label="our seeds, until five in a row")
    chance = float(np.mean([each["random pushes"] for each in found]))
    plot_reference(course, chance, label="random pushes")
    course.set(xlabel="trial", ylabel="steps balanced (of 20 ms)", ylim=(0, 1.25 * longest), xlim=(0, None))
    course.legend(fontsize=8, loc="upper left", ncols=3)
    ride = one["rides"][1]
    time = 0.02 * np.arange(len(ride))
    table.plot(time, np.rad2deg(ride[:, 2]), color=VERMILION, linewidth=0.9, label="angle (degrees)")
    table.plot(time, 10.0 * ride[:, 0], color=BLUE, label="place (dm)")
    table.set(xlabel="time (s)", title="the last trial", ylim=(-26, 26))
    table.legend(fontsize=8, ncols=2, loc="upper center")
    return picture


def film(axes: Any, ride: np.ndarray, every: int, room: int) -> None:
    """Draw a cart and its pole at every so many steps, from left to right, in a row of so much room."""
    shown = ride[::every][:room]
    for k, (place, _, angle, _) in enumerate(shown):
        shade = BLUE if abs(angle) < np.deg2rad(12.0) else VERMILION
        foot = 0.62 * k + 0.1 * place
        axes.plot([foot - 0.16, foot + 0.16], [0, 0], color=INK, linewidth=4, solid_capstyle="butt")
        # The angle is drawn four times as large, so that it can be seen.
        tip = foot + np.sin(4.0 * angle), np.cos(4.0 * angle)
        axes.plot([foot, tip[0]], [0.06, tip[1]], color=shade, linewidth=1.8, solid_capstyle="round")
    axes.set(xticks=[], yticks=[], xlim=(-0.9, 0.62 * room + 0.5), ylim=(-0.15, 1.15))
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def maps(part: Any, one: dict[str, Any]) -> None:
    """Draw both neurons' weights of all boxes: a panel for each x, angles along, speeds of both upwards."""
    boxes = one["task"].boxes
    panels = part.subplots(1, 6 if boxes == BOXES else 2, squeeze=False)[0]
    for cell, name in ((SEARCH, "push"), (CRITIC, "fall")):
        grid = one["weights"][:, cell].reshape(-1, 1 if boxes < BOXES else 3, 6, 3)
        for k, table in enumerate(grid):
            axes = panels[cell * len(grid) + k]
            picture = table.transpose(0, 2, 1).reshape(-1, 6)
            shown = axes.imshow(picture, cmap=DIVERGING, vmin=-1.0, vmax=1.0, origin="lower", aspect="auto")
            for line in range(1, len(table)):
                axes.axhline(3 * line - 0.5, color=GREY, linewidth=1.0)
            where = (
                ("cart on the left", "in the middle", "on the right")[k] if len(grid) == 3 else "all carts"
            )
            axes.set(xticks=[], yticks=[], title=f"{name}, {where}", xlabel="angle")
        panels[cell * len(grid)].set_ylabel("speeds of cart and angle")
    part.colorbar(shown, ax=list(panels), label="weight (mV)", shrink=0.9, pad=0.01)


EXAMPLE = Example(
    name="cart_pole",
    trial=trial,
    draw=draw,
    figures={
        "learned": Figure(unit="% of seeds", digits=0, least=80.0),
        "trials": Figure(digits=1),
        "balanced": Figure(unit="% of other starts", digits=0, least=60.0),
        "steps": Figure(unit="of 500, other starts", digits=0, least=350.0),
        "source's elements, last ten trials": Figure(unit="steps", digits=0),
        "random pushes": Figure(unit="steps", digits=1),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
