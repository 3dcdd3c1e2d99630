"""The cases for which the distance to the floating-point reference is measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synloom_sim.accuracy.compiled import run_on_array
from synloom_sim.accuracy.distance import Distance, distance
from synloom_sim.accuracy.nir import DT_MS, STEPS, TAU_MS, V_THRESHOLD_MV, exact_solution, published
from synloom_sim.reference import LifNeurons, PairStdp, ReferenceNetwork

__all__ = ["CASES", "Case", "LearningDistance", "Measured", "measure", "measure_nir", "run_reference"]

Floats = npt.NDArray[np.float64]
Raster = npt.NDArray[np.bool_]
_NEURONS, _INPUTS = 32, 64
_V_THRESH = 15.0
_RATE = 0.02
"""Spikes per ms of each input."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case: 32 neurons with different constant currents, driven by random spikes of 64 inputs.

    Parameters
    ----------
    name : str
        Name in the table.
    dt : float
        Step in ms.
    seconds : float
        Simulated time.
    tau_m : float
        Membrane time constant in ms.
    tau_syn : tuple of float
        Excitatory and inhibitory synaptic time constant in ms; 0 is a delta synapse.
    noise : float
        Standard deviation of V in mV that the input spikes would cause without a threshold.
    drive : tuple of float
        Smallest and largest V, in thresholds, that the constant currents alone would reach.
    adapts : bool
        Whether thresholds adapt: by 2 mV per spike, with a time constant of 200 ms.
    state_bits : int
        Width of the state.
    v_range : float, optional
        Range of potentials that the network asks for, mV; by default the compiler chooses.
    stdp : PairStdp, optional
        Learning rule of the synapses; amplitudes and bounds are fractions of the largest weight.
    stochastic : bool
        Whether updates round stochastically.
    """

    name: str
    dt: float = 1.0
    seconds: float = 4.0
    tau_m: float = 20.0
    tau_syn: tuple[float, float] = (5.0, 10.0)
    noise: float = 3.0
    drive: tuple[float, float] = (0.8, 1.3)
    adapts: bool = False
    state_bits: int = 24
    v_range: float | None = None
    stdp: PairStdp | None = None
    stochastic: bool = False

    @property
    def steps(self) -> int:
        """Number of steps."""
        return round(1000 * self.seconds / self.dt)

    def neurons(self) -> LifNeurons:
        """Return the neurons, each with its own constant current."""
        return LifNeurons(
            tau_m=self.tau_m,
            tau_syn_E=self.tau_syn[0],
            tau_syn_I=self.tau_syn[1],
            v_thresh=_V_THRESH,
            i_offset=np.linspace(*self.drive, _NEURONS) * _V_THRESH / self.tau_m,
            refractory=round(2.0 / self.dt),
            theta_step=2.0 if self.adapts else 0.0,
            tau_theta=200.0,
        )

    def weights(self, rng: np.random.Generator) -> Floats:
        """Return random weights of the inputs, (64, 32) float64, in mV/ms (mV for delta synapses).

        One input in five is inhibitory, and excitation and inhibition balance; with STDP all are excitatory.
        """
        strength = self.noise * math.sqrt(2 / (_INPUTS * _RATE * self.tau_m))
        weights = strength * rng.uniform(0.2, 1.0, (_INPUTS, _NEURONS))
        if self.stdp:
            return weights / (self.tau_syn[0] or 1.0)
        weights[: _INPUTS // 5] *= -4
        charge = np.where(weights > 0, *(tau or 1.0 for tau in self.tau_syn))
        scaled: Floats = weights / charge
        return scaled


def _table() -> Iterator[Case]:
    for dt, seconds in ((1.0, 4.0), (0.1, 1.0)):
        case = Case(name="", dt=dt, seconds=seconds)
        yield replace(case, name="constant current alone", noise=0.0)
        yield replace(case, name="delta synapses", tau_syn=(0.0, 0.0))
        for tau_m in (5.0, 20.0, 100.0, 1000.0):
            yield replace(case, name="exponential synapses", tau_m=tau_m)
        yield replace(case, name="strong noise", noise=10.0)
        yield replace(case, name="adaptive threshold", adapts=True)
        if dt < 1.0:
            asked = replace(case, v_range=60.0)
            yield replace(asked, name="strong noise, v_range 60 mV", noise=10.0)
            yield replace(asked, name="adaptive threshold, v_range 60 mV", adapts=True)
        for state_bits in (22, 20, 18):
            yield replace(case, name="exponential synapses", state_bits=state_bits)
        for tau_m in (20.0, 100.0, 1000.0):
            yield replace(case, name="exponential synapses", tau_m=tau_m, state_bits=16)
        yield replace(case, name="delta synapses", tau_syn=(0.0, 0.0), state_bits=16)


def _learning_table() -> Iterator[Case]:
    # Synapses this weak learn without affecting the spikes: only the rule is measured.
    weak = PairStdp(A_plus=0.01, A_minus=0.0105, tau_plus=20.0, tau_minus=20.0, w_min=0.0, w_max=1.0)
    strong = replace(weak, A_plus=0.05, A_minus=0.0525)
    case = Case(name="weak pairs", noise=0.02, drive=(1.5, 3.0), stdp=weak)
    yield case
    yield replace(case, name="weak pairs, stochastic", stochastic=True)
    yield replace(
        case, name="weak nearest pairs, stochastic", stdp=replace(weak, nearest=True), stochastic=True
    )
    yield replace(case, name="strong pairs", stdp=strong)
    yield replace(case, name="strong pairs, stochastic", stdp=strong, stochastic=True)
    yield replace(case, name="weak pairs, stochastic", dt=0.1, seconds=1.0, noise=0.2, stochastic=True)
    yield replace(
        case, name="weak pairs that drive, stochastic", noise=3.0, drive=(0.8, 1.3), stochastic=True
    )


CASES = (*_table(), *_learning_table())


@dataclass(frozen=True)
class LearningDistance:
    """Distance of learned weights to the reference's, as fractions of the largest weight.

    Attributes
    ----------
    moved : float
        Mean absolute change of the reference's weights, for comparison.
    error_mean, error_max : float
        Mean and largest absolute error.
    bias : float
        Mean error.
    """

    moved: float
    error_mean: float
    error_max: float
    bias: float


@dataclass(frozen=True)
class Measured:
    """The distances of a case to the reference.

    Attributes
    ----------
    apart : Distance
        That of spikes and potentials.
    v_range : float
        How far the compiler let potentials go from rest, mV.
    learned : LearningDistance or None
        That of the weights, where they learn.
    """

    apart: Distance
    v_range: float
    learned: LearningDistance | None = None


def measure(case: Case, seed: int = 1) -> Measured:
    """Run a case on the model and on the reference, and compare spikes, potentials and weights.

    The reference has the exact parameters, but the same quantised initial weights as the model.
    """
    rng = np.random.default_rng(seed)
    neurons, stdp = case.neurons(), case.stdp
    weights = case.weights(rng)
    largest = float(np.max(np.abs(weights)))
    if stdp:
        stdp = replace(
            stdp, A_plus=stdp.A_plus * largest, A_minus=stdp.A_minus * largest, w_max=stdp.w_max * largest
        )
    inputs = rng.random((case.steps, _INPUTS)) < _RATE * case.dt
    found = run_on_array(
        case.state_bits, neurons, weights, inputs, case.dt, case.v_range, stdp, case.stochastic
    )
    textbook = _in_order(stdp, case.dt) if stdp else None
    raster, volts, reference = run_reference(neurons, found.start, inputs, case.dt, textbook)
    apart = distance(found.raster, found.v, raster, volts)
    if not stdp:
        return Measured(apart, found.v_range)
    wanted = reference.weights[:_INPUTS]
    error = (found.weights - wanted) / largest
    learned = LearningDistance(
        moved=float(np.mean(np.abs(wanted - found.start))) / largest,
        error_mean=float(np.mean(np.abs(error))),
        error_max=float(np.max(np.abs(error))),
        bias=float(np.mean(error)),
    )
    return Measured(apart, found.v_range, learned)


def _in_order(stdp: PairStdp, dt: float) -> PairStdp:
    """Return the textbook's rule for the reference, which reads traces in the array's order of a step.

    In the textbook a trace has its value at the time of the spike. In a step a column reads a source's trace
    after its decay, and a row reads a target's before it.
    """
    return replace(
        stdp,
        A_plus=stdp.A_plus * math.exp(dt / stdp.tau_plus),
        A_minus=stdp.A_minus * math.exp(-dt / stdp.tau_minus),
    )


def run_reference(
    neurons: LifNeurons, weights: Floats, inputs: Raster, dt: float, stdp: PairStdp | None = None
) -> tuple[Raster, Floats, ReferenceNetwork]:
    """Run inputs that drive neurons on the reference.

    Returns
    -------
    raster : (T, N) bool
        Whether each neuron fired in each step.
    v : (T, N) float64
        Potentials at the end of each step, mV.
    reference : ReferenceNetwork
        The network, with its last weights.
    """
    count = weights.shape[1]
    reference = ReferenceNetwork(
        neurons, np.vstack([weights, np.full((count, count), np.nan)]), dt, stdp=stdp
    )
    raster, volts = np.zeros((len(inputs), count), dtype=bool), np.zeros((len(inputs), count))
    for t, row in enumerate(inputs):
        raster[t, reference.step(np.flatnonzero(row))] = True
        volts[t] = reference.v
    return raster, volts, reference


def measure_nir(state_bits: int) -> tuple[Distance, Distance]:
    """Run the LIF neuron of the NIR paper (Pedersen et al. 2024) on the model.

    Parameters
    ----------
    state_bits : int
        Width of the state.

    Returns
    -------
    to_published, to_reference : Distance
        Distance to the published trace, and to the floating-point reference.
    """
    trace = published()
    exact_v, _ = exact_solution(trace.pulses)
    neurons = LifNeurons(tau_m=TAU_MS, v_thresh=V_THRESHOLD_MV, v_reset=V_THRESHOLD_MV, subtract=True)
    # An input of 1 during a step raises V by 1 - exp(-dt / tau): a delta synapse of that weight.
    weights = np.array([[-1000.0 * math.expm1(-DT_MS / TAU_MS)]])
    inputs = np.zeros((STEPS, 1), dtype=bool)
    inputs[trace.pulses] = True
    found = run_on_array(state_bits, neurons, weights, inputs, DT_MS)
    raster, volts, _ = run_reference(neurons, weights, inputs, DT_MS)
    spikes = np.zeros((STEPS, 1), dtype=bool)
    spikes[trace.spikes] = True
    return (
        distance(found.raster, found.v, spikes, exact_v[:, None]),
        distance(found.raster, found.v, raster, volts),
    )
