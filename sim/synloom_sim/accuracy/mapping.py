"""Mapping of networks in SI units to the integers of an array, for the accuracy cases."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synloom.base.errors import CapacityError
from synloom.contract.contents import Contents
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import LIST_VALID, Mode
from synloom.contract.traces import TRACES, Side
from synloom_sim.model_port import ModelPort
from synloom_sim.reference import LifNeurons, PairStdp, current_propagator, offset_propagator

__all__ = ["Mapped", "map_network"]

Floats = npt.NDArray[np.float64]
_V_RANGE = 4.0
"""Range of V on either side of rest, in thresholds."""
_MAX_GAIN = 15
_ROWS, _COLUMNS, _DECAYS = range(3)
"""The first segment of each list: rows of inputs, columns, decay of the first trace."""
_Fields = dict[str, npt.ArrayLike]


@dataclass(frozen=True)
class _Scales:
    """LSB of V in mV; exponents of both gains; LSB of weights of both signs in mV/ms (or mV)."""

    v_lsb: float
    gains: tuple[int, int]
    units: tuple[float, float]


@dataclass(frozen=True)
class Mapped:
    """A network on an array: the port to the loaded model, and the scales of its integers."""

    port: ModelPort
    scales: _Scales

    @property
    def v(self) -> Floats:
        """V in mV, (N,) float64."""
        return self.port.model.state.v * np.float64(self.scales.v_lsb)

    def weights(self) -> Floats:
        """Return the present weights of the inputs, (M, N) float64 in mV/ms (or mV); NaN: no synapse."""
        params = self.port.params
        w = self.port.model.state.weights[: params.inputs].astype(np.float64)
        w[w == params.weight_absent] = np.nan
        scaled: Floats = w * np.where(w > 0, *self.scales.units)
        return scaled


def map_network(
    params: ArrayParams,
    neurons: LifNeurons,
    weights: Floats,
    dt: float,
    stdp: PairStdp | None = None,
    stochastic: bool = False,
) -> Mapped:
    """Load a network of inputs that drive neurons into a model.

    Parameters
    ----------
    params : ArrayParams
        The array.
    neurons : LifNeurons
        The neurons, all with the same time constants.
    weights : (M, N) float
        Weights as in `ReferenceNetwork`; NaN where there is no synapse.
    dt : float
        Step in ms.
    stdp : PairStdp, optional
        Learning rule of all synapses.
    stochastic : bool
        Whether updates round stochastically.

    Raises
    ------
    CapacityError
        If the largest weight is too large for the resolution of the state; fewer state bits help.
    """
    scales = _choose_scales(params, neurons, weights, dt)
    # A spike raises a trace by 1/16 of its range: 16 at once saturate it.
    one = (params.trace_max + 1) // 16
    memories = {
        Region.NEURON_PARAMS: _neurons(params, neurons, dt, scales),
        Region.WEIGHTS: _synapses(params, weights, scales),
        **_program(
            params, stdp, dt, 2 ** (params.trace_bits + 8) / (one * scales.units[0]), scales, stochastic
        ),
    }
    registers = {
        "learn_rng": 0x9E3779B97F4A7C15,
        "sweep_count": params.neurons,
        **{trace.decay_list: LIST_VALID | _DECAYS + k for k, trace in enumerate(TRACES)},
        **{trace.increment: one for trace in TRACES},
        "mode": (stdp is not None) << Mode.LEARN | (neurons.theta_step > 0) << Mode.ADAPT,
    }
    port = ModelPort(params)
    for write in Contents(params, memories, registers).writes():
        port.write(*write)
    return Mapped(port, scales)


def _choose_scales(params: ArrayParams, neurons: LifNeurons, weights: Floats, dt: float) -> _Scales:
    """Choose the LSB of V such that the largest positive weight is the largest integer times a gain.

    Currents are stored as V per step: the integer of a weight w is `w * P21 / v_lsb`, with the exact
    propagator P21 from current to V (Rotter and Diesmann 1999), divided by the neuron's gain, a power of two.
    """
    finest = _V_RANGE * float(np.max(neurons.v_thresh)) / params.state_max
    brings = [
        float(current_propagator(neurons.tau_m, tau, dt)) for tau in (neurons.tau_syn_E, neurons.tau_syn_I)
    ]
    steps = [
        float(np.nanmax(np.maximum(sign * weights, 0.0))) * p / params.weight_max
        for sign, p in zip((1, -1), brings, strict=True)
    ]
    gain_e = max(math.floor(math.log2(steps[0] / finest)), 0) if steps[0] else 0
    v_lsb = max(steps[0] / 2**gain_e, finest)
    gain_i = max(math.ceil(math.log2(steps[1] / v_lsb) - 1e-9), 0) if steps[1] else 0
    if max(gain_e, gain_i) > _MAX_GAIN:
        raise CapacityError(
            f"the gain of a current must be in 2**0..2**{_MAX_GAIN}, not 2**{max(gain_e, gain_i)}; "
            f"use fewer than {params.state_bits} state bits, or smaller weights"
        )
    return _Scales(v_lsb, (gain_e, gain_i), (v_lsb * 2**gain_e / brings[0], v_lsb * 2**gain_i / brings[1]))


def _coefficient(tau: float, dt: float) -> tuple[int, int]:
    """Return the decay coefficient (m, exponent) of a time constant in ms; 0 decays completely."""
    if tau == 0.0:
        return 0xFFFF, 0
    loss = -math.expm1(-dt / tau)
    exponent = max(k for k in range(5) if k == 0 or round(loss * 2 ** (16 + 4 * k)) <= 0xFFFF)
    return round(loss * 2 ** (16 + 4 * exponent)), exponent


def _neurons(params: ArrayParams, neurons: LifNeurons, dt: float, scales: _Scales) -> _Fields:
    n = params.neurons

    def units(value: npt.ArrayLike) -> npt.NDArray[np.int64]:
        return np.rint(np.asarray(value) * np.ones(n) / scales.v_lsb).astype(np.int64)

    fields: _Fields = {
        "thr": units(neurons.v_thresh),
        "reset": units(neurons.v_reset),
        "bias": units(np.asarray(neurons.i_offset) * offset_propagator(neurons.tau_m, dt)),
        "th_step": units(neurons.theta_step),
        "refractory": [neurons.refractory] * n,
        "subtract": [int(neurons.subtract)] * n,
        "integrate": [int(neurons.integrate)] * n,
        "g_e": [scales.gains[0]] * n,
        "g_i": [scales.gains[1]] * n,
    }
    time_constants = {
        "m": float(np.asarray(neurons.tau_m)),
        "e": neurons.tau_syn_E,
        "i": neurons.tau_syn_I,
        "th": neurons.tau_theta,
    }
    for name, tau in time_constants.items():
        m, exponent = _coefficient(tau, dt)
        fields |= {f"d{name}": [m] * n, f"exponent_{name}": [exponent] * n}
    return fields


def _program(
    params: ArrayParams, stdp: PairStdp | None, dt: float, per_unit: float, scales: _Scales, stochastic: bool
) -> dict[Region, _Fields]:
    """Return one row list, one column list, the decay lists, and the words that point to them.

    `per_unit` is the coefficient of a change by 1 mV/ms (or mV) at a trace of one spike.
    """
    sources, targets, learns = params.sources, params.neurons, int(stdp is not None)
    count = _DECAYS + len(TRACES)
    rule: _Fields = {}
    if stdp:
        taus = {Side.SOURCE: stdp.tau_plus, Side.TARGET: stdp.tau_minus}
        decays = [_coefficient(taus[trace.side], dt) for trace in TRACES]
        strengths = [round(a * per_unit) for a in (stdp.A_minus, stdp.A_plus)]
        rule = {
            "a": [*strengths, *(m for m, _ in decays)],
            "exponent": [0, 0, *(exponent for _, exponent in decays)],
            "w_min": [round(stdp.w_min / scales.units[0])] * count,
            "w_max": [round(stdp.w_max / scales.units[0])] * count,
        }
    ends = [params.inputs if trace.side is Side.SOURCE else targets for trace in TRACES]
    nearest = int(stdp is not None and stdp.nearest)
    return {
        Region.PROGRAM: {
            "hi": [targets, params.inputs, *ends],
            "last": [1] * count,
            "plastic": [learns, learns, *(0 for _ in TRACES)],
            "a_negative": [1, 0, *(0 for _ in TRACES)],
            "stochastic": [int(stochastic)] * count,
            **rule,
        },
        Region.SOURCE: {
            "list": [_ROWS] * sources,
            "connected": np.arange(sources) < params.inputs,
            "nearest": [nearest] * sources,
        },
        Region.TARGET: {
            "list": [_COLUMNS] * targets,
            "learns": [learns] * targets,
            "nearest": [nearest] * targets,
        },
    }


def _synapses(params: ArrayParams, weights: Floats, scales: _Scales) -> _Fields:
    integers = np.rint(weights / np.where(weights > 0, *scales.units))
    integers = np.where(np.isnan(integers), params.weight_absent, integers).astype(np.int64)
    return {"weight": integers.ravel()}
