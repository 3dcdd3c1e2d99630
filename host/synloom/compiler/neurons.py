"""Neuron registers: the model's parameters in the units of its state."""

from __future__ import annotations

from typing import Final

import numpy as np

from synloom.base.checks import FloatArray, IntArray, nearest_steps
from synloom.base.errors import ParameterError
from synloom.compiler.coefficients import decay_coefficients
from synloom.compiler.effective import report_decay
from synloom.compiler.origin import Origin
from synloom.compiler.scales import Scale
from synloom.contract.memory_map import layout_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.image.report import ReportBuilder
from synloom.network.cells import LIF
from synloom.network.network import Population
from synloom.network.quantities import Dimension

__all__ = ["neuron_registers", "neuron_state"]

_FEW_UNITS: Final = "it is few units of the potential; use more state_bits or a smaller v_range"


def neuron_registers(
    population: Population,
    scale: Scale,
    origin: Origin,
    params: ArrayParams,
    dt: float,
    report: ReportBuilder,
) -> dict[str, IntArray]:
    """Return the fields of NEURON_PARAMS for a population, (n,) each.

    Raises
    ------
    ParameterError
        If the refractory time is longer than 255 steps.
    """
    registers = _Registers(population, scale, origin, params, dt, report)
    cell = registers.cell
    registers.decay("tau_m", "dm", "exponent_m")
    registers.decay("tau_syn_E", "de", "exponent_e")
    registers.decay("tau_syn_I", "di", "exponent_i")
    registers.level(
        "v_thresh - v_rest (mV)",
        "thr",
        cell["v_thresh"] - cell["v_rest"],
        scale.v_lsb,
        zero=origin.v - cell["v_rest"],
        hint="a threshold of 0 is met in every step; use a smaller v_range or more state_bits",
    )
    registers.reset(population.cell.reset_mode == "subtract")
    registers.level("i_offset (nA)", "bias", cell["i_offset"], scale.offset_lsb, zero=origin.current)
    if params.adaptation and (cell["theta_plus"].any() or population.theta_init.any()):
        registers.decay("tau_theta", "dth", "exponent_th")
        registers.level("theta_plus (mV)", "th_step", cell["theta_plus"], scale.v_lsb, hint=_FEW_UNITS)
    registers.duration("tau_refrac", "refractory")
    registers.same("integrate", int(population.cell.refractory_mode == "integrate"))
    registers.effective()
    registers.exact("v_rest", "cm")
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
        self,
        population: Population,
        scale: Scale,
        origin: Origin,
        params: ArrayParams,
        dt: float,
        report: ReportBuilder,
    ):
        self.label = str(population.label)
        self.cell = population.cell.values(population.n)
        self.layout = layout_of(params, Region.NEURON_PARAMS)
        self.fields: dict[str, IntArray] = {}
        self._n, self._scale, self._origin = population.n, scale, origin
        self._theta = population.theta_init
        self._dt, self._report = dt, report

    def decay(self, name: str, field: str, exponent: str) -> None:
        """Set a decay coefficient and its unit from a time constant."""
        tau = self.cell[name]
        made = decay_coefficients(tau, self._dt)
        self.fields[field], self.fields[exponent] = made.m, made.exponent
        out = (np.isinf(made.tau) & np.isfinite(tau)) | ((made.tau == 0.0) & (tau > 0.0))
        self._report.add(self.label, f"{name} (ms)", tau, made.tau, "out of range" if out.any() else "")

    def level(
        self,
        shown: str,
        field: str,
        wanted: FloatArray,
        lsb: FloatArray,
        hint: str = _FEW_UNITS,
        zero: FloatArray | float = 0.0,
    ) -> None:
        """Set a potential or a current, clipped to its field; the most negative value is never used.

        `zero` is what the field's 0 stands for.
        """
        low, high = self.layout[field].low, self.layout[field].high
        steps = np.rint(np.clip((wanted - zero) / lsb, -1e15, 1e15)).astype(np.int64)
        self.fields[field] = np.clip(steps, max(low, -high), high)
        clipped = np.isfinite(wanted) & (self.fields[field] != steps)
        note = "out of range" if clipped.any() else ""
        self._report.add(self.label, shown, wanted, self.fields[field] * lsb + zero, note, hint=hint)

    def reset(self, subtract: bool) -> None:
        """Set what a spike does to the potential."""
        cell = self.cell
        wanted = cell["v_thresh"] - cell["v_reset"] if subtract else cell["v_reset"] - cell["v_rest"]
        shown = "v_thresh - v_reset (mV)" if subtract else "v_reset - v_rest (mV)"
        zero = 0.0 if subtract else self._origin.v - cell["v_rest"]
        self.level(shown, "reset", wanted, self._scale.v_lsb, zero=zero)
        self.same("subtract", int(subtract))

    def duration(self, name: str, field: str) -> None:
        """Set a number of steps."""
        wanted, most = self.cell[name], self.layout[field].high
        steps = nearest_steps(wanted, self._dt).astype(np.int64)
        if (steps > most).any():
            raise ParameterError(
                f"{name} of {self.label!r} must be at most {most} steps ({most * self._dt:g} ms), "
                f"not {float(wanted.max()):g} ms; try a larger dt"
            )
        self._report.add(
            self.label, f"{name} (ms)", wanted, steps * self._dt, hint=f"it is whole steps of {self._dt:g} ms"
        )
        self.fields[field] = steps

    def effective(self) -> None:
        """Report the time constants as the array's whole numbers make them."""
        starts = {"tau_m": self.fields["thr"].astype(np.float64)}
        if "th_step" in self.fields:
            # Without steps there is still what theta begins with.
            step = self.fields["th_step"].astype(np.float64)
            starts["tau_theta"] = np.where(step > 0.0, step, np.rint(self._theta / self._scale.v_lsb))
        for name, begin in starts.items():
            report_decay(self.label, name, self.cell[name], begin, self._dt, _FEW_UNITS, self._report)

    def exact(self, *names: str) -> None:
        """Report parameters that the scales of the population hold, without rounding."""
        units = LIF.quantities()
        for name in names:
            shown = f"{name} ({units[name].dimension.unit})"
            self._report.add(self.label, shown, self.cell[name], self.cell[name])

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
            rest, zero = self.cell["v_rest"], self._origin.v - self.cell["v_rest"]
            self.level(f"{name} - v_rest (mV)", name, wanted - rest, self._scale.v_lsb, zero=zero)
        else:
            self.level(shown, name, wanted, self._scale.v_lsb)


def neuron_state(
    population: Population, scale: Scale, origin: Origin, params: ArrayParams, report: ReportBuilder
) -> dict[str, IntArray]:
    """Return the fields of NEURON_STATE at the start, (n,) each."""
    label, rest = str(population.label), population.cell.values(population.n)["v_rest"]
    wanted = {"v": ("v_init - v_rest (mV)", population.v_init - rest, origin.v - rest)}
    if params.adaptation:
        wanted["theta"] = ("theta_init (mV)", population.theta_init, np.zeros_like(rest))
    state = {}
    for field, (shown, values, zero) in wanted.items():
        steps = np.rint((values - zero) / scale.v_lsb).astype(np.int64)
        state[field] = np.clip(steps, -params.state_max, params.state_max)
        note = "out of range" if (state[field] != steps).any() else ""
        report.add(label, shown, values, state[field] * scale.v_lsb + zero, note, hint=_FEW_UNITS)
    return state
