"""One neuron finds a pattern of 50 ms that is hidden in the spikes of 2,000 afferents, by STDP alone.

After Masquelier, Guyonneau and Thorpe 2008, in steps of 1 ms. See README.md beside this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import synloom as sl
from synloom.demo.example import Example, Figure, Trial, lost_events
from synloom.demo.hidden_patterns import HiddenPattern
from synloom.demo.pictures import BLUE, GREY, ORANGE, SKY, new_picture, plot_reference

TAU_M, TAU_SYN = 10.0, 2.5
PEAK_MS = np.log(TAU_M / TAU_SYN) * TAU_M * TAU_SYN / (TAU_M - TAU_SYN)
EPSP_OF_1_NA = TAU_M * TAU_SYN / (TAU_M - TAU_SYN) * (np.exp(-PEAK_MS / TAU_M) - np.exp(-PEAK_MS / TAU_SYN))
"""Peak of the potential, mV, after one spike over a synapse of 1 nA."""


def network(afferents: int, seed: int) -> sl.Network:
    """Return the network: one neuron, whose threshold is that of 430 EPSPs of 1 mV."""
    net = sl.Network(dt=1.0, seed=seed)
    fibres = net.add(sl.InputPopulation(afferents, label="afferents"))
    threshold = 0.215 * afferents
    # A spike is followed by a dip, so that the neuron settles on one spike for each pattern, not on several.
    lif = sl.LIF(
        tau_m=TAU_M,
        cm=1.0,
        v_rest=0.0,
        v_reset=-threshold,
        v_thresh=threshold,
        tau_syn_E=TAU_SYN,
        tau_syn_I=TAU_SYN,
    )
    cell = net.add(sl.Population(1, lif, label="cell", v_range=4.0 * threshold))
    # When the neuron fires, synapses whose afferent has spiked within about 10 ms grow, all others shrink.
    largest = 1.0 / EPSP_OF_1_NA
    rule = sl.TraceTarget(A=0.03, tau=16.8, target=0.58, w_min=0.0, w_max=largest, pairing="nearest")
    net.add(sl.Projection(fibres, cell, sl.AllToAll(), weight=0.475 * largest, plasticity=rule, label="w"))
    return net


def trial(trial: Trial) -> dict[str, Any]:
    """Show the stream once, learning all the time, and judge the last third."""
    task = HiddenPattern(afferents=128, seconds=2) if trial.short else HiddenPattern()
    starts, pattern, raster = task.draw(trial.rng)
    net = network(task.afferents, trial.seed)
    image = trial.image(net)
    seconds = ({"afferents": raster[1000 * k : 1000 * (k + 1)]} for k in range(task.seconds))
    with trial.connect(image) as device:
        spikes = device.run(1000.0 * task.seconds, stimulus=seconds).spikes("cell")[0].astype(np.int64)
        weights = device.read_weights("w")[:, 0] * EPSP_OF_1_NA
        lost = lost_events(device)
    since = task.inside(starts)
    judged = len(raster) - len(raster) // 3
    shown = starts[(starts >= judged) & (starts + task.pattern_ms <= len(raster))]
    first = [s[:1] - start for start in shown for s in [spikes[(spikes >= start) & (spikes < start + 50)]]]
    hits = 100.0 * np.mean([len(latency) for latency in first])
    latency = float(np.mean(np.concatenate(first))) if hits else float("nan")
    alarms = int(np.isnan(since[spikes[spikes >= judged]]).sum())
    return {
        "success": 100.0 * (hits > 98.0 and alarms == 0 and latency < 10.0),
        "hits": hits,
        "false alarms": alarms,
        "latency": latency,
        "lost": lost,
        "spikes": spikes,
        "since": since[spikes],
        "weights": weights,
        "pattern": pattern,
        "starts": starts,
        "raster": (raster[-1200:-700] if trial.seed == 1 else raster[:0]),
        "steps": len(raster),
    }


def draw(found: list[dict[str, Any]]) -> Picture:
    """Draw what the neuron sees, when it fires within the pattern as it learns, and what it has chosen."""
    one = found[0]
    picture = new_picture(11.0, 6.8)
    top, bottom = picture.subfigures(2, 1, height_ratios=(1.0, 1.0))
    see(top.subplots(), one)
    learning, chosen = bottom.subplots(1, 2, width_ratios=(1.5, 1.0))
    seconds, inside = one["spikes"] / 1000.0, ~np.isnan(one["since"])
    learning.scatter(
        seconds[inside], one["since"][inside], s=7, color=BLUE, linewidths=0, label="within the pattern"
    )
    learning.scatter(
        seconds[~inside],
        np.full((~inside).sum(), 53.0),
        s=16,
        marker="x",
        color=ORANGE,
        linewidths=0.8,
        label="false alarms",
    )
    learning.set(xlabel="time (s)", ylabel="ms since the pattern began", ylim=(-1, 56), xscale="symlog")
    learning.set_xlim(0, one["steps"] / 1000.0)
    learning.set_xticks([0, 1, 2, 5, 10, 20, 50], ["0", "1", "2", "5", "10", "20", "50"])
    learning.legend(loc="upper right", fontsize=8, bbox_to_anchor=(1.0, 0.9))
    learning.set_title("the neuron's spikes: first anywhere, then in the pattern, then ever earlier")
    times, who = one["pattern"]
    strength = one["weights"][who]
    chosen.scatter(times + 0.5, strength, s=9, color=SKY, alpha=0.6, linewidths=0)
    plot_reference(chosen, 0.475)
    chosen.text(49.5, 0.49, "at the start", ha="right", fontsize=8)
    chosen.set(
        xlabel="the afferent's spike in the pattern (ms)", ylabel="EPSP in the end (mV)", ylim=(-0.03, 1.03)
    )
    chosen.set_title("it chose those that spike first")
    return picture


def see(axes: Any, one: dict[str, Any]) -> None:
    """Draw half a second of some afferents, the pattern's spikes in colour, and the neuron's spikes below."""
    begin = one["steps"] - 1200
    raster = one["raster"]
    rows = np.r_[0:60, raster.shape[1] // 2 : raster.shape[1] // 2 + 60]
    steps, cells = np.nonzero(raster[:, rows])
    inside = np.zeros(len(raster), dtype=bool)
    for start in one["starts"] - begin:
        if -50 < start < len(raster):
            inside[max(start, 0) : start + 50] = True
    marked = inside[steps] & (cells < 60)
    axes.scatter(steps[~marked], cells[~marked], s=3.2, color="#9aa5b1", linewidths=0)
    axes.scatter(steps[marked], cells[marked], s=3.8, color=ORANGE, linewidths=0)
    fired = one["spikes"] - begin
    for time in fired[(fired >= 0) & (fired < len(raster))]:
        axes.plot([time, time], [-13, -4], color=BLUE, linewidth=2.0)
    axes.axhline(59.5, color=GREY, linewidth=0.8)
    axes.set(xlim=(0, len(raster)), ylim=(-15, 121), xlabel="time (ms)", yticks=[-8, 30, 90])
    axes.set_yticklabels(["the neuron", "60 that repeat", "60 that do not"])
    axes.tick_params(axis="y", length=0)
    axes.set_title("what it sees after learning: nothing but this picture marks the pattern's spikes")


EXAMPLE = Example(
    name="pattern_in_noise",
    trial=trial,
    draw=draw,
    seeds=100,
    figures={
        "success": Figure(unit="% of runs", digits=0, least=96.0, published="80"),
        "hits": Figure(unit="%", digits=1, published="above 98 in the successful runs"),
        "false alarms": Figure(unit="in the last third", digits=2),
        "latency": Figure(unit="ms", digits=1, published="below 10 in the successful runs"),
    },
)

if __name__ == "__main__":
    EXAMPLE.main()
