"""Neuron models, in PyNN's vocabulary and units: ms, mV, nF, nA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray, choice, per_item
from synloom.base.errors import ParameterError
from synloom.network.quantities import Dimension, Quantity, quantities_of, quantity

__all__ = ["LIF"]

_RESET_MODES: Final = ("to_value", "subtract")
_REFRACTORY_MODES: Final = ("hold", "integrate")

_POTENTIAL: Final = partial(quantity, Dimension.POTENTIAL)
_CURRENT: Final = partial(quantity, Dimension.CURRENT)
_CAPACITANCE: Final = partial(quantity, Dimension.CAPACITANCE, low=0.0, above=True)
_DURATION: Final = partial(quantity, Dimension.DURATION, low=0.0)
_STEP: Final = partial(quantity, Dimension.VOLTAGE, low=0.0)


def _tau(what: str, never: str, example: float) -> Mapping[str, Quantity]:
    doc = f"{what}; `inf`: {never}"
    return quantity(Dimension.TIME_CONSTANT, doc, low=0.0, above=True, infinite=(np.inf,), example=example)


def _tau_syn(current: str, example: float) -> Mapping[str, Quantity]:
    doc = f"time constant of the {current}; 0: delta synapses"
    return quantity(Dimension.TIME_CONSTANT, doc, low=0.0, example=example)


@dataclass(frozen=True, kw_only=True, eq=False)
class LIF:
    """Leaky integrate-and-fire neurons with exponential synaptic currents (PyNN's IF_curr_exp).

    ``tau_m dV/dt = v_rest - V + (tau_m / cm) (I_exc - I_inh + i_offset)``; each current decays with its
    ``tau_syn`` (Rotter and Diesmann 1999). Every parameter is a number, or an array with one number for each
    neuron.

    Parameters
    ----------
    tau_m : float or array
        Membrane time constant, ms; ``inf`` is a perfect integrator.
    cm : float or array
        Membrane capacitance, nF, 1e-9 to 1e9.
    v_rest, v_reset, v_thresh : float or array
        Resting potential, potential after a spike, threshold, mV.
    tau_refrac : float or array
        Refractory time, ms.
    i_offset : float or array
        Constant current, nA.
    tau_syn_E, tau_syn_I : float or array
        Time constants of the excitatory and inhibitory currents, ms. 0 makes delta synapses: each spike
        raises the potential by the weight, which is then in mV.
    theta_plus : float or array
        What a spike adds to the threshold, mV; 0 is no adaptation.
    tau_theta : float or array
        Time constant with which the threshold returns, ms; ``inf`` is never.
    reset_mode : str
        ``"to_value"``: V becomes v_reset. ``"subtract"``: V falls by ``v_thresh - v_reset``.
    refractory_mode : str
        What V does in the refractory time. ``"hold"``: it stands still (as in NEST). ``"integrate"``: it goes
        on, and only spikes are suppressed (as in SuperNeuroMAT).

    Raises
    ------
    ParameterError
        If a value is not a number, out of range, or an array of another length than the others.
    """

    tau_m: Any = field(default=20.0, metadata=_tau("membrane time constant", "no leak", example=15.0))
    cm: Any = field(default=1.0, metadata=_CAPACITANCE("membrane capacitance", example=0.5))
    v_rest: Any = field(default=-65.0, metadata=_POTENTIAL("resting potential", example=-66.0))
    v_reset: Any = field(default=-65.0, metadata=_POTENTIAL("reset potential", example=-68.0))
    v_thresh: Any = field(default=-50.0, metadata=_POTENTIAL("threshold", example=-52.0))
    tau_refrac: Any = field(default=0.0, metadata=_DURATION("refractory period", example=3.0))
    i_offset: Any = field(default=0.0, metadata=_CURRENT("constant input current", example=0.2))
    tau_syn_E: Any = field(default=5.0, metadata=_tau_syn("excitatory current", example=4.0))
    tau_syn_I: Any = field(default=5.0, metadata=_tau_syn("inhibitory current", example=6.0))
    theta_plus: Any = field(default=0.0, metadata=_STEP("increase of the threshold per spike", example=2.0))
    tau_theta: Any = field(
        default=1e4,
        metadata=_tau("time constant of the threshold's decay", "no decay", example=500.0),
    )
    reset_mode: str = "to_value"
    refractory_mode: str = "hold"

    def __post_init__(self) -> None:
        for name, declared in self.quantities().items():
            object.__setattr__(self, name, declared.check(name, getattr(self, name)))
        choice("reset_mode", self.reset_mode, _RESET_MODES)
        choice("refractory_mode", self.refractory_mode, _REFRACTORY_MODES)
        lengths = {name: len(getattr(self, name)) for name in self.names() if getattr(self, name).ndim}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name}: {length}" for name, length in lengths.items())
            raise ParameterError(f"arrays of one LIF must have one length, but they have {found}")
        reset, threshold = np.broadcast_arrays(self.v_reset, self.v_thresh)
        if (bad := reset >= threshold).any():
            raise ParameterError(
                f"v_reset must be below v_thresh, not {reset[bad][0]:g} mV at a threshold of "
                f"{threshold[bad][0]:g} mV: such a neuron fires in every step"
            )

    @classmethod
    def quantities(cls) -> Mapping[str, Quantity]:
        """Return what each numeric parameter measures, by name."""
        return quantities_of(cls)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the numeric parameters."""
        return tuple(cls.quantities())

    @property
    def size(self) -> int | None:
        """How many neurons the arrays describe; None if all parameters are single numbers."""
        return next((len(getattr(self, k)) for k in self.names() if getattr(self, k).ndim), None)

    def values(self, n: int) -> dict[str, FloatArray]:
        """Return every numeric parameter spread to (n,) float64."""
        return {name: per_item(name, getattr(self, name), n) for name in self.names()}
