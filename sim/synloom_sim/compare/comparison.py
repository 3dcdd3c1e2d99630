"""Where a network in the array parts from the same network in floating point, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, nearest_steps, whole
from synloom.base.errors import ParameterError
from synloom.compiler import compile
from synloom.compiler.coefficients import decay_coefficients
from synloom.compiler.synapses import Edges, expand
from synloom.contract.params import ArrayParams
from synloom.device.device import Device
from synloom.device.targets import connect
from synloom.image.image import Image
from synloom.image.report import ReportBuilder, ReportRow
from synloom.network.connectors import FromList
from synloom.network.inputs import InputPopulation
from synloom.network.network import Network, Projection
from synloom.network.plasticity import PairRule
from synloom_sim.compare.float_learning import learning_of, rounded_rule
from synloom_sim.compare.float_network import run_floats, synapses_of

__all__ = ["Comparison", "Learned", "PopulationComparison", "compare"]

Raster = npt.NDArray[np.bool_]
_TAUS = ("tau_m", "tau_syn_E", "tau_syn_I", "tau_theta")
_MOST_CELLS = 1 << 28
_WINDOW = 20
"""Steps of the bins in which spikes are counted for correlations."""


@dataclass(frozen=True, eq=False)
class PopulationComparison:
    """What one population does in the three ways.

    Parameters
    ----------
    label : str
        Its label.
    floats, rounded, array : (T, n) bool
        Its spikes in floating point; in floating point with weights and time constants as the array has
        them; in the array.
    learns : bool
        Whether synapses of the network learn.
    """

    label: str
    floats: Raster
    rounded: Raster
    array: Raster
    learns: bool = False

    def parts(self) -> tuple[int, int] | None:
        """Return step and neuron of the first spike that only float or array has; None if there is none."""
        return _first(self.floats != self.array)

    def why(self) -> str:
        """Return why they part: the step alone decides, since later spikes follow from it."""
        step = self.parts()
        if step is None:
            return "equal in every spike"
        until = slice(None, step[0] + 1)
        if np.array_equal(self.rounded[until], self.array[until]):
            return "weights and time constants are rounded"
        if np.array_equal(self.rounded[until], self.floats[until]):
            learned = " and learned weights" if self.learns else ""
            return f"potentials{',' if self.learns else ' and'} currents{learned} are whole numbers"
        return "both: rounded parameters, and whole numbers"

    def correlation(self) -> float:
        """Return the correlation of the numbers of spikes of all neurons in bins of 20 steps."""
        one, other = _binned(self.floats), _binned(self.array)
        if not (one.std() and other.std()):
            return float(np.array_equal(one, other))
        return float(np.corrcoef(one.reshape(-1), other.reshape(-1))[0, 1])


@dataclass(frozen=True, eq=False)
class Learned:
    """The weights of a projection after the run, (K,) float64 each, and before it.

    Parameters
    ----------
    before : (K,) float64
        As asked for.
    floats, rounded, array : (K,) float64
        In floating point; in floating point with the rule's numbers and first weights as the array has them;
        in the array.
    unit : str
        ``"nA"`` or ``"mV"``.
    """

    before: FloatArray
    floats: FloatArray
    rounded: FloatArray
    array: FloatArray
    unit: str

    def correlation(self) -> float:
        """Return the correlation of the changes in floating point with those in the array."""
        one, other = self.floats - self.before, self.array - self.before
        if not (one.std() and other.std()):
            return float(np.allclose(one, other))
        return float(np.corrcoef(one, other)[0, 1])

    def line(self, label: str) -> str:
        """Return what was learned, for people."""
        means = [part.mean() for part in (self.before, self.floats, self.rounded, self.array)]
        apart = np.abs(self.array - self.floats).mean()
        return (
            f"{label} learns: mean weight {means[0]:.4g} {self.unit}, afterwards {means[1]:.4g} in float, "
            f"{means[2]:.4g} rounded, {means[3]:.4g} in the array; float and array are {apart:.2g} apart, "
            f"the correlation of their changes is {self.correlation():.4f}"
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """A network run three ways.

    Parameters
    ----------
    network : Network
        The network, with spikes given for all inputs.
    image : Image
        What the array had.
    populations : tuple of PopulationComparison
        What they did.
    wanted, got : mapping of str to (K,) float64
        Weights of each projection as asked for and as the array has them, before the run.
    learned : mapping of str to Learned
        Weights of the projections that learn, after the run.
    """

    network: Network
    image: Image
    populations: tuple[PopulationComparison, ...]
    wanted: Mapping[str, FloatArray]
    got: Mapping[str, FloatArray]
    learned: Mapping[str, Learned]

    def first(self) -> PopulationComparison | None:
        """Return the population that parts first; None if all are equal."""
        apart = [p for p in self.populations if p.parts() is not None]
        return min(apart, key=lambda p: p.parts() or (0, 0), default=None)

    def lines(self) -> list[str]:
        """Return what was found, for people."""
        dt, found = self.network.dt, []
        for part in self.populations:
            counts = [int(raster.sum()) for raster in (part.floats, part.rounded, part.array)]
            text = (
                f"{part.label}: {counts[0]:,} spikes in float, {counts[1]:,} rounded, {counts[2]:,} in the "
                f"array"
            )
            where = part.parts()
            if where is None:
                found.append(f"{text}; {part.why()}")
                continue
            found.append(
                f"{text}; correlation {part.correlation():.4f}; part at {where[0] * dt:g} ms in neuron "
                f"{where[1]}: {part.why()}"
            )
        found += [part.line(label) for label, part in self.learned.items()]
        first = self.first()
        if first is None:
            found.append("float and array agree in every spike")
        else:
            worst = sorted(self.image.report.rows, key=lambda row: -row.relative)[:3]
            named = ", ".join(f"{row.parameter} of {row.where} ({100 * row.relative:.2g} %)" for row in worst)
            found.append(f"first to part: {first.label}; the largest changes are those of {named}")
        return found


def compare(
    network: Network,
    steps: int,
    *,
    params: ArrayParams | None = None,
    rates: Sequence[tuple[int, Mapping[str, Any]]] = (),
) -> Comparison:
    """Run a network in floating point, with rounded parameters, and in the array.

    Generators are drawn once, from the network's seed, and their spikes are given to all three.

    Parameters
    ----------
    network : Network
        The network. Learning rules with a reward have the reward 1.
    steps : int
        Steps to run.
    params : ArrayParams, optional
        The array; default: the smallest that fits.
    rates : sequence of (step, mapping of str to rates)
        Rates of generators that change before a step, Hz.

    Returns
    -------
    Comparison
        The three, side by side.

    Raises
    ------
    ParameterError
        If the run is too long to compare.
    """
    _check(network, steps)
    inputs = {str(part.label): _spikes(part, network, steps, rates) for part in network.inputs}
    edges = [edge for edge in expand(network, ReportBuilder()) if len(edge.pre)]
    given = _given(network, edges, inputs)
    image = compile(given, params)
    wanted = {edge.label: edge.weights for edge in edges}
    with connect("software", image) as device:
        got = _weights(device, edges)
        recording = device.run(steps * network.dt)
        last = _weights(device, edges)
    taus = {str(p.label): _taus(p.cell.values(p.n), network.dt) for p in network.populations}
    rows = image.report.rows
    floats = _in_floats(network, edges, inputs, steps, wanted, {}, {e.label: e.rule for e in edges if e.rule})
    rules = {edge.label: rounded_rule(edge, rows) for edge in edges if edge.rule}
    rounded = _in_floats(network, edges, inputs, steps, got, taus, rules)
    populations = tuple(
        PopulationComparison(
            label, floats[0][label], rounded[0][label], recording.raster(label).astype(bool), bool(rules)
        )
        for label in (str(p.label) for p in network.populations)
    )
    learned = {
        label: Learned(wanted[label], floats[1][label], rounded[1][label], last[label], _unit(rows, label))
        for label in rules
    }
    return Comparison(given, image, populations, wanted, got, learned)


def _weights(device: Device, edges: Sequence[Edges]) -> dict[str, FloatArray]:
    """Return the weights of all projections as the array has them, (K,)."""
    matrices = {edge.label: device.read_weights(edge.label) for edge in edges}
    return {edge.label: matrices[edge.label][edge.pre, edge.post] for edge in edges}


def _in_floats(
    network: Network,
    edges: Sequence[Edges],
    inputs: Mapping[str, Raster],
    steps: int,
    weights: Mapping[str, FloatArray],
    taus: Mapping[str, Mapping[str, FloatArray]],
    rules: Mapping[str, PairRule],
) -> tuple[dict[str, Raster], dict[str, FloatArray]]:
    """Run the network in floating point; return its spikes, and the weights of what learns."""
    static = [part for e in edges if e.label not in rules for part in synapses_of(e, weights[e.label])]
    learning = {
        edge.label: learning_of(edge, weights[edge.label], rules[edge.label], network.dt)
        for edge in edges
        if edge.label in rules
    }
    parts = [part for each in learning.values() for part in each]
    spikes = run_floats(network.populations, taus, static, inputs, steps, network.dt, parts)
    last = {label: np.array(weights[label]) for label in learning}
    for label, each in learning.items():
        for part in each:
            part.put(last[label])
    return spikes, last


def _unit(rows: Sequence[ReportRow], label: str) -> str:
    is_delta = any(row.where == label and row.parameter == "weight (mV)" for row in rows)
    return "mV" if is_delta else "nA"


def _check(network: Network, steps: int) -> None:
    """Refuse runs that are too long."""
    size = sum(p.n for p in network.inputs) + sum(p.n for p in network.populations)
    if whole("steps", steps, 1, 1 << 31) * size > _MOST_CELLS:
        raise ParameterError(
            f"{steps:,} steps of {size:,} neurons and inputs are too many to compare; run fewer"
        )


def _taus(cell: Mapping[str, FloatArray], dt: float) -> dict[str, FloatArray]:
    """Return time constants as the array has them; what decays at once stays as it is."""
    made = {name: decay_coefficients(cell[name], dt).tau for name in _TAUS}
    return {name: np.where(made[name] > 0.0, made[name], cell[name]) for name in _TAUS}


def _spikes(
    part: InputPopulation, network: Network, steps: int, rates: Sequence[tuple[int, Mapping[str, Any]]]
) -> Raster:
    """Return the spikes of an input, (steps, n) bool."""
    raster: Raster = np.zeros((steps, part.n), dtype=bool)
    for k, times in enumerate(part.spike_times):
        when = nearest_steps(times, network.dt).astype(np.int64)
        raster[when[when < steps], k] = True
    if part.generator is None:
        return raster
    share = np.zeros((steps, part.n))
    for begin, changed in ((0, {str(part.label): part.rate}), *rates):
        if str(part.label) in changed:
            share[begin:] = np.asarray(changed[str(part.label)], dtype=np.float64) * network.dt / 1000.0
    if part.generator == "regular":
        counts = np.floor(np.cumsum(share, axis=0) + 1e-9)
        return np.asarray(np.diff(counts, axis=0, prepend=0.0) > 0.0)
    # A digest of the whole label: labels may differ in their last letters only.
    label = int.from_bytes(sha256(str(part.label).encode()).digest(), "little")
    return np.asarray(np.random.default_rng([network.seed, label]).random(share.shape) < share)


def _given(network: Network, edges: Sequence[Edges], inputs: Mapping[str, Raster]) -> Network:
    """Return the same network with the spikes of its inputs given."""
    made = Network(dt=network.dt, seed=network.seed)
    parts: dict[str, Any] = {}
    for part in network.inputs:
        raster = inputs[str(part.label)]
        times = [np.flatnonzero(column) * network.dt for column in raster.T]
        parts[str(part.label)] = made.add(InputPopulation(part.n, spike_times=times, label=part.label))
    for population in network.populations:
        parts[str(population.label)] = made.add(population)
    for edge in edges:
        pre, post = parts[str(edge.projection.pre.label)], parts[str(edge.projection.post.label)]
        delay = np.full((pre.n, post.n), float(edge.delay.min()) * network.dt)
        delay[edge.pre, edge.post] = edge.delay * network.dt
        pairs = np.stack([edge.pre, edge.post, edge.weights], axis=1)
        projection = edge.projection
        made.add(
            Projection(
                pre,
                post,
                FromList(pairs.tolist()),
                delay=delay,
                dendritic=projection.dendritic,
                plasticity=projection.plasticity,
                label=edge.label,
            )
        )
    return made


def _first(apart: Raster) -> tuple[int, int] | None:
    steps = np.flatnonzero(apart.any(axis=1))
    return (int(steps[0]), int(np.flatnonzero(apart[steps[0]])[0])) if len(steps) else None


def _binned(raster: Raster) -> FloatArray:
    bins = np.arange(0, len(raster), _WINDOW)
    return np.asarray(np.add.reduceat(raster.astype(np.float64), bins, axis=0))
