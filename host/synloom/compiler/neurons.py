"""Neuron registers: the model's parameters in the units of its state."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError
from synloom.compiler.coefficients import decay_coefficients
from synloom.compiler.scales import Scale
from synloom.contract.memory_map import layout_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.image.report import ReportBuilder
from synloom.network.network import Population
from synloom.network.quantities import Dimension

__all__ = ["neuron_registers", "neuron_state"]


def neuron_registers(
    population: Population, scale: Scale, params: ArrayParams, dt: float, report: ReportBuilder
) -> dict[str, IntArray]:
    """Return the fields of NEURON_PARAMS for a population, (n,) each.

    Raises
    ------
    ParameterError
        If the refractory time is longer than 255 steps.
    """
    registers = _Registers(population, scale, params, dt, report)
    cell = registers.cell
    registers.decay("tau_m", "dm", "exponent_m")
    registers.decay("tau_syn_E", "de", "exponent_e")
    registers.decay("tau_syn_I", "di", "exponent_i")
    registers.level("v_thresh - v_rest (mV)", "thr", cell["v_thresh"] - cell["v_rest"], scale.v_lsb)
    registers.reset(population.cell.reset_mode == "subtract")
    registers.level("i_offset (nA)", "bias", cell["i_offset"], scale.offset_lsb)
    if params.adaptation and (cell["theta_plus"].any() or population.theta_init.any()):
        registers.decay("tau_theta", "dth", "exponent_th")
        registers.level("theta_plus (mV)", "th_step", cell["theta_plus"], scale.v_lsb)
    registers.duration("tau_refrac", "refractory")
    registers.same("integrate", int(population.cell.refractory_mode == "integrate"))
    registers.same("g_e", scale.gains[0])
    registers.same("g_i", scale.gains[1])
    # A parameter that has a field of its own name needs no line here.
    for name, declared in population.cell.quantities().items():
        if name in registers.layout:
            registers.by_dimension(name, declared.dimension)
    return registers.fields


class _Registers:
    """The fields of one population, and the report of what they hold."""

    def __init__(
        self, population: Population, scale: Scale, params: ArrayParams, dt: float, report: ReportBuilder
    ):
        self.label = str(population.label)
        self.cell = population.cell.values(population.n)
        self.layout = layout_of(params, Region.NEURON_PARAMS)
        self.fields: dict[str, IntArray] = {}
        self._n, self._scale, self._dt, self._report = population.n, scale, dt, report

    def decay(self, name: str, field: str, exponent: str) -> None:
        """Set a decay coefficient and its unit from a time constant."""
        tau = self.cell[name]
        made = decay_coefficients(tau, self._dt)
        self.fields[field], self.fields[exponent] = made.m, made.exponent
        out = (np.isinf(made.tau) & np.isfinite(tau)) | ((made.tau == 0.0) & (tau > 0.0))
        self._report.add(self.label, f"{name} (ms)", tau, made.tau, "out of range" if out.any() else "")

    def level(self, shown: str, field: str, wanted: FloatArray, lsb: FloatArray) -> None:
        """Set a potential or a current, clipped to its field; the most negative value is never used."""
        low, high = self.layout[field].low, self.layout[field].high
        steps = np.rint(np.clip(wanted / lsb, -1e15, 1e15)).astype(np.int64)
        self.fields[field] = np.clip(steps, max(low, -high), high)
        clipped = np.isfinite(wanted) & (self.fields[field] != steps)
        note = "out of range" if clipped.any() else ""
        self._report.add(self.label, shown, wanted, self.fields[field] * lsb, note)

    def reset(self, subtract: bool) -> None:
        """Set what a spike does to the potential."""
        cell = self.cell
        wanted = cell["v_thresh"] - cell["v_reset"] if subtract else cell["v_reset"] - cell["v_rest"]
        shown = "v_thresh - v_reset (mV)" if subtract else "v_reset - v_rest (mV)"
        self.level(shown, "reset", wanted, self._scale.v_lsb)
        self.same("subtract", int(subtract))

    def duration(self, name: str, field: str) -> None:
        """Set a number of steps."""
        wanted, most = self.cell[name], self.layout[field].high
        steps = np.rint(wanted / self._dt).astype(np.int64)
        if (steps > most).any():
            raise ParameterError(
                f"{name} of {self.label!r} must be at most {most} steps ({most * self._dt:g} ms), "
                f"not {float(wanted.max()):g} ms; try a larger dt"
            )
        self._report.add(self.label, f"{name} (ms)", wanted, steps * self._dt)
        self.fields[field] = steps

    def same(self, field: str, value: int) -> None:
        """Set one number for all neurons."""
        self.fields[field] = np.full(self._n, value, dtype=np.int64)

    def by_dimension(self, name: str, dimension: Dimension) -> None:
        """Set the field that has a parameter's name by what the parameter measures."""
        wanted, shown = self.cell[name], f"{name} ({dimension.unit})"
        if dimension is Dimension.TIME_CONSTANT:
            self.decay(name, name, f"exponent_{name}")
        elif dimension is Dimension.DURATION:
            self.duration(name, name)
        elif dimension is Dimension.CURRENT:
            self.level(shown, name, wanted, self._scale.offset_lsb)
        elif dimension is Dimension.POTENTIAL:
            self.level(f"{name} - v_rest (mV)", name, wanted - self.cell["v_rest"], self._scale.v_lsb)
        else:
            self.level(shown, name, wanted, self._scale.v_lsb)


def neuron_state(population: Population, scale: Scale, params: ArrayParams) -> dict[str, IntArray]:
    """Return the fields of NEURON_STATE at the start, (n,) each."""
    rest = population.cell.values(population.n)["v_rest"]
    v = np.rint((population.v_init - rest) / scale.v_lsb).astype(np.int64)
    state = {"v": np.clip(v, -params.state_max, params.state_max)}
    if params.adaptation:
        theta = np.rint(population.theta_init / scale.v_lsb).astype(np.int64)
        state["theta"] = np.clip(theta, 0, params.state_max)
    return state
