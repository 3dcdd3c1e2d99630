"""Nine rival neurons share out three patterns that are hidden in the spikes of 2,000 afferents.

After Masquelier, Guyonneau and Thorpe 2009, in steps of 1 ms. See README.md beside this file.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.example import Example, Figure, Trial, lost_events
from synloom.demo.hidden_patterns import HiddenPatterns, latencies
from synloom.demo.pictures import BLUE, GREEN, GREY, INK, ORANGE, new_picture

NEURONS = 9
SHOWN_MS = 600
RIVALRY = 0.25
TAU_M, TAU_SYN = 10.0, 2.5
PEAK_MS = np.log(TAU_M / TAU_SYN) * TAU_M * TAU_SYN / (TAU_M - TAU_SYN)
EPSP_OF_1_NA = TAU_M * TAU_SYN / (TAU_M - TAU_SYN) * (np.exp(-PEAK_MS / TAU_M) - np.exp(-PEAK_MS / TAU_SYN))
"""Peak of the potential, mV, after one spike over a synapse of 1 nA."""


def network(afferents: int, seed: int, rivalry: float = RIVALRY) -> sl.Network:
    """Return the network: whoever fires lowers the potential of the others by a quarter of the threshold."""
    net = sl.Network(dt=1.0, seed=seed)
    fibres = net.add(sl.InputPopulation(afferents, label="afferents"))
    threshold = 0.235 * afferents
    lif = sl.LIF(
        tau_m=TAU_M,
        cm=1.0,
        v_rest=0.0,
        v_reset=-threshold,
        v_thresh=threshold,
        tau_syn_E=TAU_SYN,
        tau_syn_I=TAU_SYN,
    )
    cells = net.add(sl.Population(NEURONS, lif, label="cells", v_range=4.0 * threshold))
    largest = 1.0 / EPSP_OF_1_NA
    rule = sl.TraceTarget(A=0.03, tau=16.8, target=0.58, w_min=0.0, w_max=largest, pairing="nearest")
    # Neurons that begin alike would fire in the same step, before any inhibition, and learn the same.
    start = sl.Uniform(0.3 * largest, 0.65 * largest)
    net.add(sl.Projection(fibres, cells, sl.AllToAll(), weight=start, plasticity=rule, label="w"))
    others, inhibition = sl.AllToAll(allow_self_connections=False), rivalry * threshold / EPSP_OF_1_NA
    net.add(sl.Projection(cells, cells, others, weight=-inhibition, label="rivalry"))
    return net


def listen(device: sl.Device, raster: np.ndarray) -> list[np.ndarray]:
    """Show the stream, learning all the time; return the spikes of each neuron, in ms."""
    seconds = ({"afferents": raster[k : k + 1000]} for k in range(0, len(raster), 1000))
    times, who = device.run(float(len(raster)), stimulus=seconds).spikes("cells")
    return [times[who == neuron].astype(np.int64) for neuron in range(NEURONS)]


def judge(task: HiddenPatterns, spikes: list[np.ndarray], starts: np.ndarray, which: np.ndarray) -> Any:
    """Say of the last third which neurons chose one pattern, how late they are, and their false alarms.

    A neuron has chosen a pattern if it fires in more than 90 % of its presentations, in less than 10 % of
    those of each other one, and less than once a second outside all of them.
    """
    begin = 1000 * task.seconds - 1000 * task.seconds // 3
    late = (starts >= begin) & (starts + task.pattern_ms <= 1000 * task.seconds)
    noise = np.isnan(task.inside(starts))
    noise[:begin] = False
    hits, mean = np.zeros((NEURONS, task.patterns)), np.full((NEURONS, task.patterns), np.nan)
    for neuron, times in enumerate(spikes):
        for k in range(task.patterns):
            found = latencies(times, starts[late & (which == k)], task.pattern_ms)
            hits[neuron, k] = np.mean(~np.isnan(found)) if len(found) else 0.0
            mean[neuron, k] = np.nanmean(found) if hits[neuron, k] else np.nan
    alarms = np.array([noise[times].sum() for times in spikes]) / max(noise.sum() / 1000.0, 1e-9)
    second = np.sort(hits, axis=1)[:, -2]
    own = (hits > 0.9) & (second < 0.1)[:, None] & (alarms < 1.0)[:, None]
    return {"own": own, "hits": hits, "latency": np.where(own, mean, np.nan), "alarms": alarms}


def figures(judged: dict[str, Any]) -> dict[str, float]:
    """Return the figures of one run."""
    own, late = judged["own"], judged["latency"]
    chosen = own.any(axis=0)
    first = [np.nanmin(column) for column in late.T[chosen]]
    apart = [b - a for column in late.T for a, b in pairwise(np.sort(column[~np.isnan(column)]))]
    busy = own.any(axis=1)
    return {
        "success": 100.0 * chosen.all(),
        "patterns found": float(chosen.sum()),
        "neurons with a pattern": float(own.sum()),
        "hits": 100.0 * float(judged["hits"][own].mean()) if chosen.any() else np.nan,
        "false alarms": float(judged["alarms"][busy].mean()) if chosen.any() else np.nan,
        "first": float(np.mean(first)) if chosen.any() else np.nan,
        "apart": float(np.mean(apart)) if apart else 0.0,
    }


def trial(trial: Trial) -> dict[str, Any]:
    """Let nine rivals listen to the stream once; then nine others that do not hear each other."""
    task = HiddenPatterns(afferents=128, seconds=2) if trial.short else HiddenPatterns(seconds=75)
    starts, which, patterns, raster = task.draw(trial.rng)
    image = trial.image(network(task.afferents, trial.seed))
    with trial.connect(image) as device:
        spikes = listen(device, raster)
        lost = lost_events(device)
        device.load(sl.compile(network(task.afferents, trial.seed, rivalry=0.0), image.params))
        alone = listen(device, raster)
        lost += lost_events(device)
    judged, plain = judge(task, spikes, starts, which), judge(task, alone, starts, which)
    without = figures(plain)
    found: dict[str, Any] = figures(judged) | {"lost": lost, "task": task, "patterns": patterns}
    found["without rivalry, patterns found"] = without["patterns found"]
    found["without rivalry, success"] = without["success"]
    found["without rivalry, apart"] = without["apart"]
    found |= {"spikes": spikes, "alone": alone, "starts": starts, "which": which, "judged": judged}
    begin = window(starts, which, len(raster))
    return found | {"from": begin, "raster": raster[begin : begin + SHOWN_MS]}


def window(starts: np.ndarray, which: np.ndarray, steps: int) -> int:
    """Return when the last so many ms begin in which all patterns come, or the last ones of all."""
    for begin in range(steps - SHOWN_MS, 0, -SHOWN_MS // 12):
        inside = (starts > begin) & (starts + 50 < begin + SHOWN_MS)
        if len(set(which[inside].tolist())) == 3:
            return begin
    return steps - SHOWN_MS


COLOURS, MARKS = (ORANGE, BLUE, GREEN), ("o", "s", "^", "D", "v", "P", "X", "*", "<")


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw what the neurons hear and answer, and when in each pattern they fire as they learn."""
    one = found[0]
    picture = new_picture(11.0, 7.6)
    top, bottom = picture.subfigures(2, 1, height_ratios=(1.35, 1.0))
    hear(top.subplots(2, 1, sharex=True, height_ratios=(2.4, 1.0)), one)
    panels = bottom.subplots(1, 4, sharey=True)
    for k, axes in enumerate(panels[:3]):
        course(axes, one, one["spikes"], k, order(one["judged"]["latency"][:, k]))
        axes.set_title(f"pattern {'ABC'[k]}: who fires when")
    same = judge(one["task"], one["alone"], one["starts"], one["which"])["latency"]
    crowd = int((~np.isnan(same)).sum(axis=0).argmax())
    course(panels[3], one, one["alone"], crowd, order(same[:, crowd]))
    panels[3].set_title(f"without rivalry: pattern {'ABC'[crowd]}")
    panels[0].set(ylabel="ms since the pattern began", ylim=(-1, 50))
    return picture


def order(latency: np.ndarray) -> list[int]:
    """Return the neurons that have a latency, the earliest first."""
    return [int(n) for n in np.argsort(latency) if not np.isnan(latency[n])]


def course(axes: Any, one: dict[str, Any], spikes: list[np.ndarray], k: int, own: list[int]) -> None:
    """Draw when in one pattern the neurons fire: its own in colour, a marker each, all others grey."""
    since, starts = np.full(1000 * one["task"].seconds, np.nan), one["starts"][one["which"] == k]
    for start in starts:
        since[start : start + one["task"].pattern_ms] = np.arange(one["task"].pattern_ms)
    for neuron, times in enumerate(spikes):
        inside = times[~np.isnan(since[times])]
        look = {"color": GREY, "s": 3, "zorder": 1}
        if neuron in own:
            look = {"color": COLOURS[k], "s": 8, "marker": MARKS[own.index(neuron)], "zorder": 2}
        axes.scatter(inside / 1000.0, since[inside], linewidths=0, alpha=0.8, **look)
    axes.set(xscale="symlog", xlabel="time (s)", xlim=(0, one["task"].seconds))
    axes.set_xticks([0, 1, 2, 5, 10, 20, 50], ["0", "1", "2", "5", "10", "20", "50"])


def hear(axes: Any, one: dict[str, Any]) -> None:
    """Draw afferents that take part in one pattern only, or in none, and below them the neurons' spikes."""
    above, below = axes
    raster, begin = one["raster"], one["from"]
    part = np.array([np.isin(np.arange(raster.shape[1]), who) for _, who in one["patterns"]])
    groups = [np.flatnonzero(part[k] & (part.sum(axis=0) == 1))[:40] for k in range(3)]
    groups.append(np.flatnonzero(part.sum(axis=0) == 0)[:40])
    now, inside = np.full(len(raster), -1), one["task"].pattern_ms
    for start, k in zip(one["starts"] - begin, one["which"], strict=True):
        now[max(start, 0) : max(start + inside, 0)] = k
    for k, group in enumerate(groups):
        steps, cells = np.nonzero(raster[:, group])
        mine = now[steps] == k
        above.scatter(steps[~mine], 44 * k + cells[~mine], s=3, color="#9aa5b1", linewidths=0)
        above.scatter(steps[mine], 44 * k + cells[mine], s=4, color=COLOURS[k % 3], linewidths=0)
    above.set(yticks=[20, 64, 108, 152], ylim=(176, -14), xlim=(0, len(raster)))
    above.set_yticklabels(["only of A", "only of B", "only of C", "of none"])
    above.tick_params(axis="y", length=0)
    above.set_title("what nine neurons hear after learning: only this picture colours the patterns' spikes")
    own = one["judged"]["latency"]
    rows = [(n, k) for k in range(3) for n in order(own[:, k])]
    rows += [(n, -1) for n in range(NEURONS) if n not in dict(rows)]
    for row, (neuron, k) in enumerate(rows):
        fired = one["spikes"][neuron] - begin
        fired = fired[(fired >= 0) & (fired < len(raster))]
        below.vlines(fired, row - 0.4, row + 0.4, color=COLOURS[k] if k >= 0 else INK, linewidth=2.2)
    for start, k in zip(one["starts"] - begin, one["which"], strict=True):
        if 0 <= start <= len(raster) - inside:
            above.text(start + inside / 2, -3, "ABC"[k], ha="center", color=COLOURS[k], weight="bold")
        for each in axes:
            each.axvspan(start, start + inside, color=COLOURS[k], alpha=0.1, linewidth=0)
    below.set(ylim=(NEURONS - 0.4, -0.6), yticks=[4], xlabel="time (ms)")
    below.set_yticklabels(["nine neurons"])
    below.tick_params(axis="y", length=0)


EXAMPLE = Example(
    name="three_patterns",
    trial=trial,
    draw=draw,
    seeds=30,
    figures={
        "success": Figure(unit="% of runs", digits=0, least=90.0),
        "patterns found": Figure(unit="of 3", digits=2),
        "neurons with a pattern": Figure(unit="of 9", digits=1),
        "hits": Figure(unit="%", digits=1),
        "false alarms": Figure(unit="Hz", digits=2),
        "first": Figure(unit="ms, earliest neuron of a pattern", digits=1),
        "apart": Figure(unit="ms between neurons of a pattern", digits=1, least=10.0),
        "without rivalry, success": Figure(unit="% of runs", digits=0),
        "without rivalry, patterns found": Figure(unit="of 3", digits=2),
        "without rivalry, apart": Figure(unit="ms", digits=1),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
