"""What of PyNN runs here, found by running it: ``python -m synloom.pynn.support`` prints the table.

Every class of PyNN's standard models and connectors is tried. Neurons and currents are compared with the
exact solution, connectors with PyNN's mock simulator, sources with what they promise.
"""

from __future__ import annotations

import inspect
import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyNN.connectors
import pyNN.mock
from pyNN import errors
from pyNN.standardmodels import base, cells, electrodes, receptors, synapses

import synloom.pynn as sim
from synloom.base.checks import FloatArray

__all__ = ["Row", "main", "rows", "table"]

FAITHFUL: Final = "faithful"
APPROXIMATE: Final = "approximate"
UNSUPPORTED: Final = "unsupported"
UNTESTED: Final = "untested"
_DT: Final = 0.1
_NEAR: Final = 0.01
"""Error of a potential, in mV, up to which it is faithful."""
_TRAIN: Final = [1.0, 1.5, 4.0]
_ABSTRACT: Final = ("Connector", "MapConnector", "FixedNumberConnector")


class Row(NamedTuple):
    """One row of the table: what it is, its name, the verdict, and what changes or what to use."""

    kind: str
    name: str
    verdict: str
    note: str


def rows() -> Iterator[Row]:
    """Try everything, and yield the rows of the table."""
    for kind, names, checks in (
        ("cell", _classes(cells, base.StandardCellType, base.StandardCellTypeComponent), _CELLS),
        ("receptor", _classes(receptors, base.StandardPostSynapticResponse), {}),
        ("synapse", _classes(synapses, base.StandardSynapseType), _SYNAPSES),
        ("weight dependence", _classes(synapses, base.STDPWeightDependence), _RULES),
        ("timing dependence", _classes(synapses, base.STDPTimingDependence), _RULES),
        ("current source", _classes(electrodes, base.StandardCurrentSource), _CURRENTS),
        ("connector", _classes(pyNN.connectors, pyNN.connectors.Connector), _CONNECTORS),
        ("recordable", _recordables(), _RECORDABLES),
    ):
        for name in names:
            yield Row(kind, name, *_tried(kind, name, checks.get(name)))


def table() -> str:
    """Return the table in Markdown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(rows())
    # Neighbours that differ only in their names share a line.
    groups = [list(group) for _, group in groupby(found, key=lambda row: (row.kind, row.verdict, row.note))]
    lines = ["| what | name | here | what changes, or what to use |", "|---|---|---|---|"]
    for group in groups:
        names = ", ".join(row.name for row in group)
        lines.append(f"| {group[0].kind} | {names} | {group[0].verdict} | {group[0].note} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table."""
    print(table(), end="")


def _classes(module: Any, *bases: type) -> list[str]:
    return [
        name
        for name, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, bases) and found.__module__ == module.__name__ and name not in _ABSTRACT
    ]


def _recordables() -> list[str]:
    found = {"spikes": 0, "v": 0, "isyn_exc": 0, "isyn_inh": 0}
    for name in _classes(cells, base.StandardCellType):
        recordable = getattr(cells, name).recordable
        if isinstance(recordable, list):
            found |= dict.fromkeys(recordable, 0)
    return list(found)


def _tried(kind: str, name: str, check: Callable[[], tuple[str, str]] | None) -> tuple[str, str]:
    """Return the verdict and the note of one thing."""
    if kind == "recordable" and check is None:
        assert "Cannot record" in _refusal(lambda: _population().record(name))
        return UNSUPPORTED, "a variable of cells that do not run here; record v, isyn_exc, isyn_inh or spikes"
    if check is None:
        return UNSUPPORTED, _refusal(getattr(sim, name)).split("; ", 1)[-1]
    sim.setup(timestep=_DT, target="model")
    try:
        return check()
    finally:
        sim.end()


def _refusal(make: Callable[[], Any]) -> str:
    """Return what the error says; what is not refused needs a check of its own."""
    sim.setup(timestep=_DT, target="model")
    try:
        made = make()
    except (errors.NoModelAvailableError, errors.RecordingError, RuntimeError) as error:
        return str(error)
    raise AssertionError(f"{made!r} is not refused")


# ---- cells -------------------------------------------------------------------------------------------


def _population(**parameters: Any) -> Any:
    return sim.Population(1, sim.IF_curr_exp(tau_m=10.0, cm=0.5, tau_syn_E=4.0, v_thresh=-30.0, **parameters))


def _exact(arrivals: list[float], weight: float, current: FloatArray, jump: bool = False) -> FloatArray:
    """Return V - v_rest at the end of each step, for spikes that arrive at the ends of steps."""
    leak, decay = np.exp(-_DT / 10.0), np.exp(-_DT / 4.0)
    gain = 4.0 * 10.0 / (0.5 * 6.0) * (leak - decay)
    due = np.zeros(len(current) + 1)
    np.add.at(due, np.rint(np.array(arrivals) / _DT).astype(int), weight)
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


_ONE: Final = "spikes are at the ends of steps, and a source spikes at most once in a step"
_CELLS: Final[dict[str, Callable[[], tuple[str, str]]]] = {
    "IF_curr_exp": lambda: _neuron(False),
    "IF_curr_delta": lambda: _neuron(True),
    "SpikeSourceArray": _listed,
    "SpikeSourcePoisson": lambda: _random(sim.SpikeSourcePoisson(rate=50.0), 20.0, 20.0, _ONE),
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
    sim.run(_DT)
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


def _noted(check: Callable[[], tuple[str, str]], note: str) -> Callable[[], tuple[str, str]]:
    def noted() -> tuple[str, str]:
        return check()[0], note

    return noted


_SYNAPSES: Final = {
    "StaticSynapse": _static,
    "STDPMechanism": _noted(
        _plastic,
        "any `dendritic_delay_fraction`; all plastic synapses of a target need one delay on the dendrite, of "
        "at most 127 steps",
    ),
}
_RULES: Final = {
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
    current = wanted(np.arange(200.0) * _DT)
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
_CURRENTS: Final[dict[str, Callable[[], tuple[str, str]]]] = {
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


# ---- connectors --------------------------------------------------------------------------------------


def _pairs(backend: Any, make: Callable[[Any, Any], Any], own: bool) -> list[tuple[int, int]]:
    """Return the connections that a connector makes of 12 cells to 12 others, or to themselves."""
    backend.setup(timestep=_DT)
    first = backend.Population(12, backend.IF_curr_exp())
    second = first if own else backend.Population(12, backend.IF_curr_exp())
    connector = make(backend, _links_of(backend, first, second))
    links = backend.Projection(first, second, connector, backend.StaticSynapse())
    return sorted((int(i), int(j)) for i, j, _ in links.get("weight", "list"))


def _links_of(backend: Any, first: Any, second: Any) -> Callable[[], Any]:
    """Return what makes a projection to be cloned."""
    return lambda: backend.Projection(
        first,
        second,
        backend.FromListConnector([(0, 1), (2, 5)]),
        backend.StaticSynapse(),
    )


def _connector(make: Callable[[Any, Any], Any], own: bool = False) -> Callable[[], tuple[str, str]]:
    def compared() -> tuple[str, str]:
        found, wanted = _pairs(sim, make, own), _pairs(pyNN.mock, make, own)
        assert found == wanted
        assert found
        return FAITHFUL, "the same connections as PyNN's mock simulator"

    return compared


def _from_file() -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.txt"
        columns = "# columns = ['i', 'j', 'weight', 'delay']"
        path.write_text(f"{columns}\n0 1 0.1 1.0\n3 2 0.1 1.0\n", encoding="utf-8")
        return _connector(lambda backend, _: backend.FromFileConnector(str(path)))()


def _small_world() -> tuple[str, str]:
    cells = sim.Population(12, sim.IF_curr_exp())
    links = sim.Projection(cells, cells, sim.SmallWorldConnector(4, 0.0), sim.StaticSynapse())
    found = {(int(i), int(j)) for i, j, _ in links.get("weight", "list")}
    assert found == {(i, (i + d) % 12) for i in range(12) for d in (-2, -1, 1, 2)}
    return FAITHFUL, "PyNN defines it and has no version; here it is the SDK's `SmallWorld`"


def _rng(seed: int = 3) -> Any:
    return sim.NumpyRNG(seed=seed)


class _Near(pyNN.connectors.IndexBasedExpression):
    def __call__(self, i: Any, j: Any) -> Any:
        return np.abs(i - j) < 2


_CONNECTORS: Final[dict[str, Callable[[], tuple[str, str]]]] = {
    "AllToAllConnector": _connector(lambda s, _: s.AllToAllConnector()),
    "ArrayConnector": _connector(lambda s, _: s.ArrayConnector(np.eye(12, dtype=bool)[::-1])),
    "CSAConnector": lambda: (
        UNTESTED,
        "PyNN's own; needs the package csa, which was not there",
    ),
    "CloneConnector": _connector(lambda s, clone: s.CloneConnector(clone())),
    "DisplacementDependentProbabilityConnector": _connector(
        lambda s, _: s.DisplacementDependentProbabilityConnector(
            lambda d: (np.abs(d[0]) < 3).astype(float), rng=_rng()
        ),
    ),
    "DistanceDependentProbabilityConnector": _connector(
        lambda s, _: s.DistanceDependentProbabilityConnector("exp(-d/3)", rng=_rng())
    ),
    "FixedNumberPostConnector": _connector(lambda s, _: s.FixedNumberPostConnector(3, rng=_rng())),
    "FixedNumberPreConnector": _connector(lambda s, _: s.FixedNumberPreConnector(3, rng=_rng())),
    "FixedProbabilityConnector": _connector(lambda s, _: s.FixedProbabilityConnector(0.3, rng=_rng())),
    "FixedTotalNumberConnector": _connector(lambda s, _: s.FixedTotalNumberConnector(20, rng=_rng())),
    "FromFileConnector": _from_file,
    "FromListConnector": _connector(lambda s, _: s.FromListConnector([(0, 1), (3, 2), (3, 2)])),
    "IndexBasedProbabilityConnector": _connector(
        lambda s, _: s.IndexBasedProbabilityConnector(_Near(), rng=_rng())
    ),
    "OneToOneConnector": _connector(lambda s, _: s.OneToOneConnector()),
    "SmallWorldConnector": _small_world,
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
    wanted = sign * np.exp(-np.maximum(np.arange(101) * _DT - 3.0, 0.0) / 4.0)
    wanted[: round(3.0 / _DT) + 1] = 0.0
    assert np.abs(found - wanted).max() < 0.001
    return APPROXIMATE, "the sample at the arrival itself is still without the spike; inhibition is negative"


_RECORDABLES: Final[dict[str, Callable[[], tuple[str, str]]]] = {
    "spikes": _noted(_listed, "of cells and of all sources"),
    "v": _noted(
        lambda: _neuron(False),
        "of all cells on engines in this process; on boards, of as many as the array has probes",
    ),
    "isyn_exc": lambda: _synaptic("isyn_exc"),
    "isyn_inh": lambda: _synaptic("isyn_inh"),
}


if __name__ == "__main__":
    main()
