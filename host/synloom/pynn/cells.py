"""PyNN's standard cells that run here: two neuron models, and sources of spikes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from pyNN import errors
from pyNN.parameters import Sequence
from pyNN.standardmodels import build_translations, cells

from synloom.network.cells import LIF
from synloom.pynn.simulator import state

__all__ = [
    "IF_curr_delta",
    "IF_curr_exp",
    "SpikeSourceArray",
    "SpikeSourceGamma",
    "SpikeSourcePoisson",
    "SpikeSourcePoissonRefractory",
]


def _same(cell: Any) -> dict[str, Any]:
    """Return translations that keep every name and unit."""
    translations: dict[str, Any] = build_translations(*((name, name) for name in cell.default_parameters))
    return translations


class IF_curr_exp(cells.IF_curr_exp):
    """PyNN's IF_curr_exp: leaky integrate-and-fire, currents that jump and decay."""

    translations = _same(cells.IF_curr_exp)
    recordable: Final = ["spikes", "v", "isyn_exc", "isyn_inh"]
    extra_steps = 1
    """A current acts on V in the step after the one at whose end the spike arrives, as in NEST."""

    @staticmethod
    def lif(parameters: dict[str, Any]) -> LIF:
        """Return the neuron model of the SDK; every parameter is an array of one value per neuron."""
        return LIF(**parameters)


class IF_curr_delta(cells.IF_curr_delta):
    """PyNN's IF_curr_delta: leaky integrate-and-fire, spikes change the potential at once; weights in mV."""

    translations = _same(cells.IF_curr_delta)
    extra_steps = 0

    @staticmethod
    def lif(parameters: dict[str, Any]) -> LIF:
        """Return the neuron model of the SDK; every parameter is an array of one value per neuron."""
        return LIF(**parameters, tau_syn_E=0.0, tau_syn_I=0.0)


class SpikeSourceArray(cells.SpikeSourceArray):
    """PyNN's SpikeSourceArray: spikes at given times, at the ends of steps."""

    translations = _same(cells.SpikeSourceArray)

    @staticmethod
    def check(parameters: dict[str, Any]) -> None:
        """Raise InvalidParameterValueError if spike times are out of order."""
        for times in parameters.get("spike_times", ()):
            values = np.asarray(times.value if isinstance(times, Sequence) else times, dtype=np.float64)
            if values.ndim != 1:
                raise errors.InvalidParameterValueError(
                    f"spike_times must be a list of times in ms for each source, such as [5.0], not {values}"
                )
            if (np.diff(values) < 0.0).any() or (values < 0.0).any() or not np.isfinite(values).all():
                raise errors.InvalidParameterValueError(
                    "spike_times must be finite, at least 0 ms and in ascending order; sort them"
                )


class SpikeSourcePoisson(cells.SpikeSourcePoisson):
    """PyNN's SpikeSourcePoisson: at most one spike in a step."""

    translations = _same(cells.SpikeSourcePoisson)


class SpikeSourcePoissonRefractory(cells.SpikeSourcePoissonRefractory):
    """PyNN's SpikeSourcePoissonRefractory: random spikes with a dead time."""

    translations = _same(cells.SpikeSourcePoissonRefractory)

    @staticmethod
    def check(parameters: dict[str, Any]) -> None:
        """Raise InvalidParameterValueError if a rate cannot be."""
        rate, dead = parameters["rate"], parameters["tau_refrac"]
        _check_each("tau_refrac", dead, (dead >= 0.0) & np.isfinite(dead), "finite, at least 0 ms")
        _check_each(
            "rate", rate, (rate >= 0.0) & (rate <= _most()), f"in 0..{_most():g} Hz; use more sources"
        )
        most = "below 1000 / tau_refrac, the rate without other pauses"
        _check_each("rate", rate, rate * dead < 1000.0, most)


class SpikeSourceGamma(cells.SpikeSourceGamma):
    """PyNN's SpikeSourceGamma: gamma-distributed intervals."""

    translations = _same(cells.SpikeSourceGamma)

    @staticmethod
    def check(parameters: dict[str, Any]) -> None:
        """Raise InvalidParameterValueError if a shape or rate cannot be."""
        for name in ("alpha", "beta"):
            values = parameters[name]
            _check_each(name, values, (values > 0.0) & np.isfinite(values), "finite and above 0")
        rate = parameters["beta"] / parameters["alpha"]
        what = f"at most {_most():g} Hz, one spike in each step; use more sources"
        _check_each("beta / alpha, the rate,", rate, rate <= _most(), what)


def _most() -> float:
    """Return the rate of one spike in each step, Hz."""
    return 1000.0 / state.dt * (1.0 + 1e-9)


def _check_each(name: str, values: Any, allowed: Any, what: str) -> None:
    if not allowed.all():
        raise errors.InvalidParameterValueError(f"{name} must be {what}, not {values[~allowed][0]:g}")
