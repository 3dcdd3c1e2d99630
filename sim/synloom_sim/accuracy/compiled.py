"""The cases on an array: compiled as any network is, and run on the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synloom.compiler.compilation import compile
from synloom.contract.params import ArrayParams
from synloom.device.device import Device
from synloom.network.cells import LIF
from synloom.network.connectors import FromMatrix
from synloom.network.inputs import InputPopulation
from synloom.network.network import Network, Population, Projection
from synloom.network.plasticity import STDP
from synloom_sim.model_port import ModelPort
from synloom_sim.reference import LifNeurons, PairStdp

__all__ = ["OnArray", "run_on_array"]

Floats = npt.NDArray[np.float64]
Raster = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class OnArray:
    """What a network did on the array.

    Attributes
    ----------
    raster : (T, N) bool
        Whether each neuron fired in each step.
    v : (T, N) float64
        Potentials at the end of each step, mV.
    start, weights : (M, N) float64
        Weights as the array held them at the start and at the end, mV/ms (mV for delta synapses); NaN: no
        synapse.
    v_range : float
        Potentials can go so far from rest, mV.
    """

    raster: Raster
    v: Floats
    start: Floats
    weights: Floats
    v_range: float


def run_on_array(
    state_bits: int,
    neurons: LifNeurons,
    weights: Floats,
    raster: Raster,
    dt: float,
    v_range: float | None = None,
    stdp: PairStdp | None = None,
    stochastic: bool = False,
) -> OnArray:
    """Compile a network of inputs that drive neurons, and run it.

    Parameters
    ----------
    state_bits : int
        Width of the state.
    neurons : LifNeurons
        The neurons.
    weights : (M, N) float
        Weights as in `ReferenceNetwork`; NaN where there is no synapse.
    raster : (T, M) bool
        Spikes of the inputs.
    dt : float
        Step in ms.
    v_range : float, optional
        Range of potentials to ask for, mV.
    stdp : PairStdp, optional
        Learning rule of all synapses.
    stochastic : bool
        Whether updates round stochastically.
    """
    inputs, count = weights.shape
    network = Network(dt=dt, seed=1)
    source = network.add(InputPopulation(inputs, label="inputs"))
    cells = network.add(Population(count, _cell(neurons, dt), label="cells", v_range=v_range))
    rule = None if stdp is None else _rule(stdp, stochastic)
    network.add(Projection(source, cells, FromMatrix(weights), plasticity=rule, label="weights"))
    params = ArrayParams(inputs=inputs, neurons=count, state_bits=state_bits, probes=count)
    image = compile(network, params)
    with Device(ModelPort(params)) as device:
        device.load(image)
        start = device.read_weights("weights")
        device.record(cells, "v")
        device.inject(source, raster)
        recording = device.run(len(raster) * dt)
        return OnArray(
            recording.raster(cells).astype(bool),
            recording.values(cells, "v"),
            start,
            device.read_weights("weights"),
            float(image.populations["cells"].v_lsb.max()) * params.state_max,
        )


def _cell(neurons: LifNeurons, dt: float) -> LIF:
    """Return the neurons as cells of 1 nF, whose currents in nA are those in mV/ms."""
    thresh, reset = np.asarray(neurons.v_thresh), np.asarray(neurons.v_reset)
    return LIF(
        tau_m=neurons.tau_m,
        cm=1.0,
        v_rest=0.0,
        v_reset=thresh - reset if neurons.subtract else reset,
        v_thresh=neurons.v_thresh,
        tau_refrac=neurons.refractory * dt,
        i_offset=neurons.i_offset,
        tau_syn_E=neurons.tau_syn_E,
        tau_syn_I=neurons.tau_syn_I,
        theta_plus=neurons.theta_step,
        tau_theta=neurons.tau_theta,
        reset_mode="subtract" if neurons.subtract else "to_value",
        refractory_mode="integrate" if neurons.integrate else "hold",
    )


def _rule(stdp: PairStdp, stochastic: bool) -> STDP:
    """Return the rule with amplitudes as fractions of the range of weights."""
    room = stdp.w_max - stdp.w_min
    return STDP(
        A_plus=stdp.A_plus / room,
        A_minus=stdp.A_minus / room,
        tau_plus=stdp.tau_plus,
        tau_minus=stdp.tau_minus,
        w_min=stdp.w_min,
        w_max=stdp.w_max,
        pairing="nearest" if stdp.nearest else "all_to_all",
        rounding="stochastic" if stochastic else "nearest",
    )
