"""Checks of cells, synapses, currents and recordables for the support table: a verdict and a note."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

import synloom.pynn as sim
from synloom.base.checks import FloatArray

__all__ = [
    "APPROXIMATE",
    "CELL_CHECKS",
    "CURRENT_CHECKS",
    "DT",
    "FAITHFUL",
    "RECORDABLE_CHECKS",
    "RULE_CHECKS",
    "SYNAPSE_CHECKS",
    "Check",
]

Check = Callable[[], tuple[str, str]]
FAITHFUL: Final = "faithful"
APPROXIMATE: Final = "approximate"
DT: Final = 0.1
_NEAR: Final = 0.01
"""Error of a potential, in mV, up to which it is faithful."""
_TRAIN: Final = [1.0, 1.5, 4.0]


# ---- cells -------------------------------------------------------------------------------------------


def _population(**parameters: Any) -> Any:
    return sim.Population(1, sim.IF_curr_exp(tau_m=10.0, cm=0.5, tau_syn_E=4.0, v_thresh=-30.0, **parameters))


def _exact(arrivals: list[float], weight: float, current: FloatArray, jump: bool = False) -> FloatArray:
    """Return V - v_rest at the end of each step, for spikes that arrive at the ends of steps."""
    leak, decay = np.exp(-DT / 10.0), np.exp(-DT / 4.0)
    gain = 4.0 * 10.0 / (0.5 * 6.0) * (leak - decay)
    due = np.zeros(len(current) + 1)
    np.add.at(due, np.rint(np.array(arrivals) / DT).astype(int), weight)
    v, synaptic, found = 0.0, 0.0, [0.0]
    for k, offset in enumerate(current):
        v = v * leak + gain * synaptic + offset * 20.0 * (1.0 - leak) + (due[k + 1] if jump else 0.0)
        synaptic = synaptic * decay + (0.0 if jump else due[k + 1])
        found.append(v)
    return np.array(found)


def _potential(cells: Any) -> FloatArray:
    signal = cells.get_data().segments[0].filter(name="v")[0]
    return np.asarray(signal.magnitude[:, 0], dtype=np.float64) + 65.0


def _neuron(jump: bool) -> tuple[str, str]:
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=_TRAIN))
    if jump:
        target = sim.Population(1, sim.IF_curr_delta(tau_m=10.0, cm=0.5, v_thresh=-30.0))
    else:
        target = _population()
    sim.Projection(source, target, sim.OneToOneConnector(), sim.StaticSynapse(weight=2.0, delay=1.0))
    target.record("v")
    sim.run(20.0)
    wanted = _exact([t + 1.0 for t in _TRAIN], 2.0, np.zeros(200), jump)
    assert np.abs(_potential(target) - wanted).max() < _NEAR
    if jump:
        return FAITHFUL, "weights in mV; the initial v counts (pyNN.nest 0.13.0 ignores it)"
    return FAITHFUL, "potentials in 24 bits; refractory times up to 255 steps"


def _times(sources: Any, k: int = 0) -> FloatArray:
    return np.asarray(sources.get_data().segments[0].spiketrains[k].magnitude, dtype=np.float64)


def _listed() -> tuple[str, str]:
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=_TRAIN))
    source.record("spikes")
    sim.run(5.0)
    np.testing.assert_allclose(_times(source), _TRAIN)
    return FAITHFUL, "times are rounded to steps, with a warning; at most one spike of a source in a step"


def _random(cell: Any, mean: float, spread: float, note: str) -> tuple[str, str]:
    """Check the mean interval in ms within five standard errors; `spread` is that of intervals."""
    sources = sim.Population(20, cell)
    sources.record("spikes")
    sim.run(20000.0)
    intervals = np.concatenate([np.diff(_times(sources, k)) for k in range(20)])
    assert abs(intervals.mean() - mean) < 5.0 * spread / np.sqrt(len(intervals)) + 0.01 * mean
    return APPROXIMATE, note


def _on_chip() -> tuple[str, str]:
    """Check that the array makes the spikes, and makes as many as it should, within five standard errors."""
    sources = sim.Population(20, sim.SpikeSourcePoisson(rate=50.0), label="noise")
    cells = sim.Population(1, sim.IF_curr_exp())
    sim.Projection(sources, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    sources.record("spikes")
    sim.run(2000.0)
    assert sim.state.engine is not None
    assert sim.state.engine.image is not None
    assert sim.state.engine.image.inputs["noise"].generator == "poisson"
    assert abs(20 * sources.mean_spike_count() - 2000.0) < 5.0 * np.sqrt(2000.0)
    return (
        APPROXIMATE,
        "made by the array's generators, if it has them, else by the host; at most one in a step",
    )


_ONE: Final = "made by the host, at the ends of steps; at most one in a step"
CELL_CHECKS: Final[dict[str, Check]] = {
    "IF_curr_exp": lambda: _neuron(False),
    "IF_curr_delta": lambda: _neuron(True),
    "SpikeSourceArray": _listed,
    "SpikeSourcePoisson": _on_chip,
    "SpikeSourcePoissonRefractory": lambda: _random(
        sim.SpikeSourcePoissonRefractory(rate=50.0, tau_refrac=5.0), 20.0, 15.0, _ONE
    ),
    "SpikeSourceGamma": lambda: _random(sim.SpikeSourceGamma(alpha=4, beta=200.0), 20.0, 10.0, _ONE),
}


# ---- synapses ----------------------------------------------------------------------------------------


def _static() -> tuple[str, str]:
    cells = sim.Population(20, sim.IF_curr_exp())
    weights = sim.RandomDistribution("uniform", low=0.1, high=1.0, rng=sim.NumpyRNG(seed=1))
    links = sim.Projection(
        cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=weights, delay=2.0)
    )
    wanted = links.get("weight", "array")
    sim.run(DT)
    held = links.get("weight", "array")
    assert 0.0 < np.abs(held - wanted).max() <= wanted.max() / 127
    return APPROXIMATE, "weights in 8 bits: 127 levels up to the largest of a projection; any delays"


def _plastic(bounds: str = "Additive") -> tuple[str, str]:
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[20.0]))
    cells = sim.Population(200, sim.IF_curr_exp(i_offset=100.0, tau_refrac=20.0))
    rule = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.1, A_minus=0.1),
        getattr(sim, f"{bounds}WeightDependence")(w_max=1.0),
        weight=64 / 127,
        delay=1.0,
    )
    learning = sim.Projection(source, cells, sim.AllToAllConnector(), rule)
    cells.record("spikes")
    sim.run(24.0)
    # The target fires with the labels 2.1 and so on; its spikes come to the synapse 1 ms later.
    fired = _times(cells)
    before, after = fired[fired < 19.0], fired[fired > 19.0]
    room = 1.0 if bounds == "Additive" else 64 / 127
    depressed = 0.1 * room * np.exp(-(20.0 - before - 1.0) / 20.0).sum()
    room = 1.0 if bounds == "Additive" else 63 / 127 + depressed
    potentiated = 0.1 * room * np.exp(-(after + 1.0 - 20.0) / 20.0).sum()
    change = learning.get("weight", "array").mean() - 64 / 127
    assert abs(change - (potentiated - depressed)) < 0.2 / 127
    return APPROXIMATE, "weights in 8 bits, rounded at random: right on average"


def _noted(check: Check, note: str) -> Check:
    def noted() -> tuple[str, str]:
        return check()[0], note

    return noted


SYNAPSE_CHECKS: Final = {
    "StaticSynapse": _static,
    "STDPMechanism": _noted(
        _plastic,
        "any `dendritic_delay_fraction`; all plastic synapses of a target need one delay on the dendrite, of "
        "at most 127 steps",
    ),
}
RULE_CHECKS: Final = {
    "AdditiveWeightDependence": _plastic,
    "MultiplicativeWeightDependence": lambda: _plastic("Multiplicative"),
    "SpikePairRule": _noted(
        _plastic, "spikes of both sides that meet in one step count as source before target"
    ),
}


# ---- currents ----------------------------------------------------------------------------------------


def _current(source: Any, wanted: Callable[[FloatArray], FloatArray], note: str) -> tuple[str, str]:
    cell = _population()
    cell.inject(source)
    cell.record("v")
    sim.run(20.0)
    current = wanted(np.arange(200.0) * DT)
    assert np.abs(_potential(cell) - _exact([], 0.0, current)).max() < _NEAR
    return FAITHFUL, note


def _noise() -> tuple[str, str]:
    source = sim.NoisyCurrentSource(mean=0.5, stdev=0.2, start=5.0, stop=20.0, dt=0.5)
    source.record()

    def drawn(ms: FloatArray) -> FloatArray:
        return np.asarray(source.get_data().magnitude[:-1, 0], dtype=np.float64)

    return _current(source, drawn, _EACH)


def _on(ms: FloatArray) -> FloatArray:
    return ((ms >= 5.0 - 1e-9) & (ms < 15.0 - 1e-9)).astype(np.float64)


_EACH: Final = (
    "the host changes offsets between steps: each change costs one command, each step of a sine one"
)
CURRENT_CHECKS: Final[dict[str, Check]] = {
    "DCSource": lambda: _current(
        sim.DCSource(amplitude=0.7, start=5.0, stop=15.0), lambda ms: 0.7 * _on(ms), _EACH
    ),
    "StepCurrentSource": lambda: _current(
        sim.StepCurrentSource(times=[5.0, 15.0], amplitudes=[0.7, -0.2]),
        lambda ms: 0.7 * _on(ms) - 0.2 * (ms >= 15.0 - 1e-9),
        _EACH,
    ),
    "ACSource": lambda: _current(
        sim.ACSource(amplitude=0.7, frequency=200.0, start=5.0, stop=15.0),
        lambda ms: 0.7 * np.sin(0.4 * np.pi * (ms - 5.0)) * _on(ms),
        _EACH,
    ),
    "NoisyCurrentSource": _noise,
}


# ---- recordables -------------------------------------------------------------------------------------


def _synaptic(variable: str) -> tuple[str, str]:
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[2.0]))
    cell = sim.Population(1, sim.IF_curr_exp(tau_syn_E=4.0, tau_syn_I=4.0))
    receptor, sign = ("excitatory", 1.0) if variable == "isyn_exc" else ("inhibitory", -1.0)
    synapse = sim.StaticSynapse(weight=sign, delay=1.0)
    sim.Projection(source, cell, sim.OneToOneConnector(), synapse, receptor_type=receptor)
    cell.record(variable)
    sim.run(10.0)
    found = cell.get_data().segments[0].filter(name=variable)[0].magnitude[:, 0]
    wanted = sign * np.exp(-np.maximum(np.arange(101) * DT - 3.0, 0.0) / 4.0)
    wanted[: round(3.0 / DT) + 1] = 0.0
    assert np.abs(found - wanted).max() < 0.001
    return APPROXIMATE, "the sample at the arrival itself is still without the spike; inhibition is negative"


RECORDABLE_CHECKS: Final[dict[str, Check]] = {
    "spikes": _noted(_listed, "of cells and of all sources"),
    "v": _noted(
        lambda: _neuron(False),
        "of all cells on engines in this process; on boards, of as many as the array has probes",
    ),
    "isyn_exc": lambda: _synaptic("isyn_exc"),
    "isyn_inh": lambda: _synaptic("isyn_inh"),
}
