"""Networks that use every kind of state, and what is done with them before and after a snapshot."""

from typing import Any

import numpy as np

from synloom import (
    LIF,
    STDP,
    AllToAll,
    ArrayParams,
    Device,
    FixedProbability,
    Image,
    InputPopulation,
    Network,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    TraceTarget,
    Uniform,
    compile,
)
from synloom.contract.registers import COUNTERS

ARRAY = ArrayParams(
    inputs=32, neurons=32, axons=64, lanes=4, neuron_lanes=1, dendritic_delays=True, segments=128
)
"""One array for all, so that the simulated board is built once."""


def everything(dt: float) -> Network:
    """Inputs of every kind, learning with stochastic rounding and reward, delays, adaptation."""
    network = Network(dt=dt, seed=11)
    cue = network.add(InputPopulation(4, spike_times=[[30 * dt * k for k in range(9)]] * 4, label="cue"))
    noise = network.add(PoissonInput(8, rate=40.0 / dt, label="noise"))
    clock = network.add(RegularInput(4, rate=23.0 / dt, label="clock"))
    slow = {"tau_m": 20.0, "tau_syn_E": 3.0, "tau_syn_I": 5.0, "tau_refrac": 2.0, "tau_theta": 90.0}
    cell = LIF(cm=dt, theta_plus=0.3, **{name: dt * steps for name, steps in slow.items()})
    cells = network.add(Population(12, cell, label="cells"))
    others = network.add(Population(6, LIF(tau_syn_E=0.0, reset_mode="subtract"), label="others"))
    stdp = STDP(A_plus=0.05, A_minus=0.04, w_max=8.0, rounding="stochastic", reward=True)
    delays = np.arange(96).reshape(8, 12) % 7 * dt
    network.add(
        Projection(
            noise, cells, AllToAll(), weight=Uniform(0.5, 4.0), delay=delays, plasticity=stdp, label="in"
        )
    )
    network.add(Projection(clock, others, AllToAll(), weight=7.0, label="ticks"))
    network.add(Projection(cue, others, AllToAll(), weight=3.0, delay=20 * dt, label="cues"))
    network.add(
        Projection(
            cells,
            others,
            AllToAll(),
            weight=1.5,
            delay=6 * dt,
            dendritic=1.0,
            plasticity=TraceTarget(A=0.1, tau=10.0 * dt, target=0.2, w_max=4.0),
            label="out",
        )
    )
    network.add(Projection(others, cells, FixedProbability(0.5), weight=-0.6, delay=25 * dt, label="back"))
    return network


def image_of(dt: float) -> Image:
    """Compile it for ARRAY."""
    return compile(everything(dt), ARRAY)


def first_part(device: Device) -> None:
    """Bring all state out of rest, and leave spikes and settings that are not yet due."""
    dt = device.image.dt
    device.record("cells", "v", [0, 3], every=5 * dt)
    device.record("cells", "theta", [1], every=5 * dt)
    device.set_reward(0.75)
    device.inject("cue", [(k * 7.0 * dt, k % 4) for k in range(60)])
    device.inject("cells", [(k * 11.0 * dt, k % 12) for k in range(40)])
    device.schedule(170.0 * dt, learning=False)
    device.schedule(230.0 * dt, learning=True, reward=-0.5)
    device.run(90.0 * dt)
    device.set_rates("noise", 70.0 / dt)
    device.set_offset("others", 0.1)
    device.set_neurons("cells", v_thresh=-52.0, tau_refrac=3.0 * dt, theta_plus=0.5)
    device.set_rule("out", A=-0.05, target=0.4)
    device.run(33.0 * dt)
    device.step({"cue": [1]})


def second_part(device: Device) -> dict[str, Any]:
    """Go on; return everything that can be seen."""
    dt = device.image.dt
    before = device.spike_counts("others", clear=False).tolist()
    recording = device.run(140.0 * dt)
    fired = [device.step()["cells"].tolist() for _ in range(5)]
    counts = device.present({"noise": 90.0 / dt}, 20 * dt, rest=5 * dt)
    last = device.run(60.0 * dt)
    seen: dict[str, Any] = {"time": device.time, "fired": fired, "first": recording.first, "before": before}
    for label in ("cells", "others"):
        for k, part in enumerate((recording, last)):
            seen[f"spikes {label} {k}"] = np.stack(part.spikes(label), axis=1).tolist()
        seen[f"state {label}"] = {n: v.tolist() for n, v in device.read_state(label).items()}
        seen[f"counts {label}"] = counts[label].tolist()
    for variable in ("v", "theta"):
        seen[variable] = last.values("cells", variable).tolist()
        seen[f"{variable} times"] = last.times("cells", variable).tolist()
    for label in ("in", "out"):
        seen[label] = device.read_weights(label, raw=True).tolist()
    counters = device.counters()
    seen["counters"] = {n: c for n, c in counters.items() if n not in COUNTERS or not COUNTERS[n].timed}
    return {**seen, "digest": device.snapshot().digest()}
