"""STDP explained: each rule, pairing, bound and delay as a curve that is measured on the array.

Single synapses, few spikes, and what becomes of the weights. See README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.example import ARRAY, Example, Figure, Trial, lost_events
from synloom.demo.pictures import BLUE, GREY, ORANGE, SKY, VERMILION, new_picture

PAIRS = 126
AT_MS = 50.0
STDP = sl.STDP(A_plus=0.10, A_minus=0.08, tau_plus=10.0, tau_minus=20.0, w_max=1.0)
TARGET = sl.TraceTarget(A=0.20, tau=10.0, target=0.4, w_max=1.0)
HEBB = sl.PairRule(A_post=0.15, A_pre=0.15, x0=0.3, y0=0.3, tau_pre=10.0, tau_post=10.0, w_max=1.0)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A curve: at each place some synapses with the same spikes, and what the textbook says."""

    name: str
    x: np.ndarray
    rule: sl.STDP | sl.TraceTarget | sl.PairRule
    source: Callable[[float], Sequence[float]]
    target: Callable[[float], Sequence[float]]
    formula: Callable[[float], float]
    start: Callable[[float], float] = lambda x: 0.5
    synapse: dict[str, float] = field(default_factory=dict)
    reward: float = 1.0

    def measure(self, trial: Trial, device: sl.Device) -> np.ndarray:
        """Return the mean change of the weight at each x: load, let both sides fire, read the weights."""
        copies = PAIRS // len(self.x)
        places = np.repeat(self.x, copies)
        net = sl.Network(dt=1.0, seed=trial.seed)
        sources = net.add(sl.InputPopulation(PAIRS, label="sources"))
        # The synapses are far too weak to fire these neurons; a teacher does.
        lif = sl.LIF(v_rest=0.0, v_reset=0.0, v_thresh=100.0, tau_syn_E=0.0, tau_syn_I=0.0)
        targets = net.add(sl.Population(PAIRS, lif, label="targets"))
        weights = np.full((PAIRS, PAIRS), np.nan)
        np.fill_diagonal(weights, [self.start(x) for x in places] + [0.5] * (PAIRS - len(places)))
        chosen = sl.FromMatrix(weights)
        net.add(sl.Projection(sources, targets, chosen, plasticity=self.rule, label="w", **self.synapse))
        device.load(sl.compile(net, ARRAY))
        device.set_reward(self.reward)
        before = np.diag(device.read_weights("w"))
        for side, times in ((sources, self.source), (targets, self.target)):
            device.inject(side, [(AT_MS + t, k) for k, x in enumerate(places) for t in times(x)])
        device.run(100.0)
        change = np.diag(device.read_weights("w")) - before
        return np.asarray(change[: len(places)].reshape(len(self.x), copies).mean(axis=1))


def window(distance: float, rule: sl.STDP = STDP) -> float:
    """Return the textbook's change for the distance target minus source."""
    if distance >= 0:
        return rule.A_plus * float(np.exp(-distance / rule.tau_plus))
    return -rule.A_minus * float(np.exp(distance / rule.tau_minus))


def at(distance: float) -> tuple[float]:
    """Return one spike at a distance."""
    return (distance,)


def here(_: float) -> tuple[float]:
    """Return one spike, at the moment from which distances count."""
    return (0.0,)


def target_formula(distance: float) -> float:
    """Return the change by the trace-target rule: only the target's spikes change anything."""
    trace = np.exp(-distance / TARGET.tau) if distance >= 0 else 0.0
    return TARGET.A * float(trace - TARGET.target)


def hebb_formula(distance: float) -> float:
    """Return the change by a rule that is the same on both sides; alone, either spike lowers the weight."""
    near = float(np.exp(-abs(distance) / HEBB.tau_pre))
    return HEBB.A_post * (near - HEBB.x0) - HEBB.A_pre * HEBB.y0


def burst(spikes: float) -> list[float]:
    """Return so many spikes, 5 ms apart, the last one now."""
    return [-5.0 * k for k in range(int(spikes))]


def bounded(rule: sl.STDP, distance: float) -> Callable[[float], float]:
    """Return the change by a pair as a function of the weight: it ends at a bound, or slows down before."""

    def change(weight: float) -> float:
        room = 1.0 if rule.bounds == "additive" else 1.0 - weight if distance >= 0 else weight
        return float(np.clip(weight + window(distance) * room, 0.0, 1.0)) - weight

    return change


def curves(short: bool) -> dict[str, list[Curve]]:
    """Return all curves, by panel."""
    far = np.arange(-40.0, 41.0, 20.0 if short else 4.0)
    close = np.arange(-6.0, 7.0, 3.0 if short else 1.0)
    share = np.linspace(0.0, 1.0, 3 if short else 9)
    small = replace(STDP, A_plus=3.0 / 127.0)
    pair = Curve(name="STDP", x=far, rule=STDP, source=here, target=at, formula=window)
    train = replace(
        pair, name="all to all", x=np.arange(1.0, 3.0 if short else 8.0), source=burst, target=here
    )
    fading = replace(pair, x=far[far >= 0], rule=small)
    panels = {
        "rules": [
            pair,
            replace(pair, name="TraceTarget", rule=TARGET, formula=target_formula),
            replace(pair, name="PairRule, both sides alike", rule=HEBB, formula=hebb_formula),
        ],
        "reward": [
            replace(
                pair,
                name=f"reward {r:g}",
                rule=replace(STDP, reward=True),
                reward=r,
                formula=partial(scaled, r),
            )
            for r in (1.0, 0.25, -1.0)
        ],
        "delays": [
            replace(pair, name=name, x=close, synapse=synapse, formula=partial(moved, ahead))
            for name, synapse, ahead in (
                ("none", {"delay": 0.0}, 0.0),
                ("3 ms, axonal", {"delay": 3.0}, -3.0),
                ("3 ms, dendritic", {"delay": 3.0, "dendritic": 1.0}, 3.0),
            )
        ],
        "pairing": [
            replace(train, formula=lambda n: sum(window(-t) for t in burst(n))),
            replace(
                train, name="nearest", rule=replace(STDP, pairing="nearest"), formula=lambda n: window(0.0)
            ),
        ],
        "bounds": [
            Curve(
                name=f"{rule.bounds}, {'up' if d > 0 else 'down'}",
                x=share,
                rule=rule,
                source=here,
                target=partial(always, d),
                formula=bounded(rule, d),
                start=float,
            )
            for rule in (STDP, replace(STDP, bounds="soft"))
            for d in (2.0, -2.0)
        ],
        "rounding": [
            replace(fading, name="stochastic", formula=partial(window, rule=small)),
            replace(
                fading,
                name="nearest",
                rule=replace(small, rounding="nearest"),
                formula=lambda d: np.floor(127.0 * window(d, small) + 0.5) / 127.0,
            ),
        ],
    }
    return {panel: members[: 1 if short else None] for panel, members in panels.items()}


def scaled(reward: float, distance: float) -> float:
    """Return the change with a reward."""
    return reward * window(distance)


def moved(ahead: float, distance: float) -> float:
    """Return the change if the synapse sees the source that much earlier against the target."""
    return window(distance + ahead)


def always(distance: float, _: float) -> tuple[float]:
    """Return one spike at the same distance for every weight."""
    return (distance,)


def trial(trial: Trial) -> dict[str, Any]:
    """Measure all curves once; the seed decides the stochastic rounding."""
    found: dict[str, Any] = {"curves": {}}
    lost = 0
    with trial.connect(ARRAY) as device:
        for panel, members in curves(trial.short).items():
            expected = [np.array([curve.formula(x) for x in curve.x]) for curve in members]
            errors = []
            for curve, formula in zip(members, expected, strict=True):
                measured = curve.measure(trial, device)
                found["curves"][panel, curve.name] = measured
                errors.append(float(np.sqrt(np.mean((measured - formula) ** 2))))
                lost += lost_events(device)
            found[panel] = 100.0 * max(errors) / np.abs(np.concatenate(expected)).max()
    return found | {"lost": lost, "short": trial.short}


TITLES = {
    "rules": ("three rules", "target after source (ms)"),
    "reward": ("a reward scales all changes", "target after source (ms)"),
    "delays": ("where the delay is", "target after source (ms)"),
    "pairing": ("a burst before the target's spike", "spikes of the source"),
    "bounds": ("bounds: at the same pace, or ever slower", "weight before (of its range)"),
    "rounding": ("changes of few units of 8 bits", "target after source (ms)"),
}


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw what was measured as marks and the textbook's formulas as lines."""
    picture = new_picture(11.0, 6.4)
    panels = picture.subplots(2, 3)
    for axes, (panel, members) in zip(panels.flat, curves(found[0]["short"]).items(), strict=True):
        axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=0)
        for curve, colour, mark in zip(members, (BLUE, ORANGE, VERMILION, SKY), "osD^", strict=False):
            measured = np.mean([each["curves"][panel, curve.name] for each in found], axis=0)
            fine = curve.x
            if panel != "pairing":
                fine = np.arange(curve.x.min(), curve.x.max() + 1e-9, 0.02 if panel == "bounds" else 0.25)
            line = np.array([curve.formula(float(x)) for x in fine])
            if panel in ("rules", "reward", "delays"):
                line[1:][np.abs(np.diff(line)) > 0.04] = np.nan
            axes.plot(fine, line, color=colour, linewidth=1.2)
            axes.plot(curve.x, measured, mark, color=colour, markersize=4.2, label=curve.name)
        axes.set(title=TITLES[panel][0], xlabel=TITLES[panel][1])
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.3 * (high - low))
        axes.legend(fontsize=7.5, loc="upper right", ncols=2 if panel == "bounds" else 1)
    for row in panels:
        row[0].set_ylabel("change of the weight (of its range)")
    return picture


EXAMPLE = Example(
    name="stdp",
    trial=trial,
    draw=draw,
    figures={
        **{panel: Figure(unit="error, % of the largest change", digits=1, most=4.0) for panel in TITLES},
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
