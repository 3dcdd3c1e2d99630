"""Neuron registers: the model's parameters in the units of its state."""

from __future__ import annotations

from typing import Final

import numpy as np

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError
from synloom.compiler.coefficients import decay_coefficients
from synloom.compiler.scales import Scale
from synloom.contract.params import ArrayParams
from synloom.image.report import ReportBuilder
from synloom.network.network import Population

__all__ = ["neuron_registers", "neuron_state"]

_REFRACTORY_MAX: Final = 255


def neuron_registers(
    population: Population, scale: Scale, params: ArrayParams, dt: float, report: ReportBuilder
) -> dict[str, IntArray]:
    """Return the fields of NEURON_PARAMS for a population, (n,) each.

    Raises
    ------
    ParameterError
        If the refractory time is longer than 255 steps.
    """
    n, label = population.n, str(population.label)
    cell = population.cell.values(n)
    subtract = population.cell.reset_mode == "subtract"
    registers: dict[str, IntArray] = {}

    def decay(name: str, field: str, exponent: str) -> None:
        made = decay_coefficients(cell[name], dt)
        registers[field], registers[exponent] = made.m, made.exponent
        out = (np.isinf(made.tau) & np.isfinite(cell[name])) | ((made.tau == 0.0) & (cell[name] > 0.0))
        report.add(label, f"{name} (ms)", cell[name], made.tau, "out of range" if out.any() else "")

    def level(name: str, field: str, wanted: FloatArray, lsb: FloatArray, low: int) -> None:
        steps = np.rint(wanted / lsb).astype(np.int64)
        registers[field] = np.clip(steps, low, params.state_max)
        clipped = (registers[field] != steps).any()
        report.add(label, name, wanted, registers[field] * lsb, "out of range" if clipped else "")

    decay("tau_m", "dm", "exponent_m")
    decay("tau_syn_E", "de", "exponent_e")
    decay("tau_syn_I", "di", "exponent_i")
    low = -params.state_max
    level("v_thresh - v_rest (mV)", "thr", cell["v_thresh"] - cell["v_rest"], scale.v_lsb, low)
    reset = cell["v_thresh"] - cell["v_reset"] if subtract else cell["v_reset"] - cell["v_rest"]
    name = "v_thresh - v_reset (mV)" if subtract else "v_reset - v_rest (mV)"
    level(name, "reset", reset, scale.v_lsb, low)
    level("i_offset (nA)", "bias", cell["i_offset"], scale.offset_lsb, low)
    if params.adaptation and cell["theta_plus"].any():
        decay("tau_theta", "dth", "exponent_th")
        level("theta_plus (mV)", "th_step", cell["theta_plus"], scale.v_lsb, 0)
    registers["refractory"] = _refractory(cell["tau_refrac"], dt, label, report)
    registers["g_e"] = np.full(n, scale.gains[0], dtype=np.int64)
    registers["g_i"] = np.full(n, scale.gains[1], dtype=np.int64)
    registers["subtract"] = np.full(n, int(subtract), dtype=np.int64)
    return registers


def _refractory(tau: FloatArray, dt: float, label: str, report: ReportBuilder) -> IntArray:
    steps = np.rint(tau / dt).astype(np.int64)
    if (steps > _REFRACTORY_MAX).any():
        raise ParameterError(
            f"tau_refrac of {label!r} must be at most {_REFRACTORY_MAX} steps ({_REFRACTORY_MAX * dt:g} ms), "
            f"not {float(tau.max()):g} ms; try a larger dt"
        )
    report.add(label, "tau_refrac (ms)", tau, steps * dt)
    return steps


def neuron_state(population: Population, scale: Scale, params: ArrayParams) -> dict[str, IntArray]:
    """Return the fields of NEURON_STATE at the start, (n,) each."""
    rest = population.cell.values(population.n)["v_rest"]
    v = np.rint((population.v_init - rest) / scale.v_lsb).astype(np.int64)
    state = {"v": np.clip(v, -params.state_max, params.state_max)}
    if params.adaptation:
        theta = np.rint(population.theta_init / scale.v_lsb).astype(np.int64)
        state["theta"] = np.clip(theta, 0, params.state_max)
    return state
