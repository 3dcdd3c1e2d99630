"""Neuron models, in PyNN's vocabulary and units: ms, mV, nF, nA."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from synloom.base.checks import HUGE, FloatArray, choice, per_item, reals
from synloom.base.errors import ParameterError

__all__ = ["LIF"]

_LIMITS: Final[dict[str, dict[str, Any]]] = {
    "tau_m": {"low": 1.0 / HUGE, "infinite": True},
    "cm": {"low": 1.0 / HUGE, "high": HUGE},
    **{name: {"low": -HUGE, "high": HUGE} for name in ("v_rest", "v_reset", "v_thresh", "i_offset")},
    **{name: {"low": 0.0, "high": HUGE} for name in ("tau_refrac", "tau_syn_E", "tau_syn_I")},
    "tau_theta": {"low": 1.0 / HUGE, "infinite": True},
    "theta_plus": {"low": 0.0, "high": HUGE},
}


@dataclass(frozen=True, kw_only=True, eq=False)
class LIF:
    """Leaky integrate-and-fire neurons with exponential synaptic currents (PyNN's IF_curr_exp).

    ``tau_m dV/dt = v_rest - V + (tau_m / cm) (I_exc - I_inh + i_offset)``, each current decaying with its
    ``tau_syn``. Every parameter is a number or an array with one number per neuron.

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
        Time constants of the excitatory and inhibitory currents, ms. 0 makes delta synapses: a spike
        steps the potential by its weight, which is then in mV.
    theta_plus : float or array
        What a spike adds to the threshold, mV; 0 is no adaptation.
    tau_theta : float or array
        Time constant with which the threshold comes back, ms; ``inf`` is never.
    reset_mode : str
        ``"to_value"``: V becomes v_reset. ``"subtract"``: V falls by ``v_thresh - v_reset``.

    Raises
    ------
    ParameterError
        If a value is not a number, out of range, or an array of another length than the others.
    """

    tau_m: Any = 20.0
    cm: Any = 1.0
    v_rest: Any = -65.0
    v_reset: Any = -65.0
    v_thresh: Any = -50.0
    tau_refrac: Any = 0.0
    i_offset: Any = 0.0
    tau_syn_E: Any = 5.0
    tau_syn_I: Any = 5.0
    theta_plus: Any = 0.0
    tau_theta: Any = 1e4
    reset_mode: str = "to_value"

    def __post_init__(self) -> None:
        for name in self.names():
            object.__setattr__(self, name, reals(name, getattr(self, name), **_LIMITS.get(name, {})))
        choice("reset_mode", self.reset_mode, ("to_value", "subtract"))
        lengths = {name: len(getattr(self, name)) for name in self.names() if getattr(self, name).ndim}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name}: {length}" for name, length in lengths.items())
            raise ParameterError(f"arrays of one LIF must have one length, but they have {found}")
        if np.any(self.v_reset >= self.v_thresh):
            raise ParameterError("v_reset must be below v_thresh, else the neuron fires in every step")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the numeric parameters."""
        return tuple(f.name for f in fields(cls) if f.name != "reset_mode")

    @property
    def size(self) -> int | None:
        """How many neurons the arrays describe; None if all parameters are single numbers."""
        return next((len(getattr(self, k)) for k in self.names() if getattr(self, k).ndim), None)

    def values(self, n: int) -> dict[str, FloatArray]:
        """Return every numeric parameter spread to (n,) float64."""
        return {name: per_item(name, getattr(self, name), n) for name in self.names()}
