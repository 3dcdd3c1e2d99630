"""PyNN's standard models that do not run here: each says what to use instead."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from pyNN import errors

__all__ = ["INSTEAD", "unsupported_models"]

_CELLS: Final = "use IF_curr_exp (a current that jumps and decays) or IF_curr_delta"
_CONDUCTANCE: Final = "use IF_curr_exp; near V, a conductance of w uS is a current of w * (e_rev - V) nA"
_SHORT_TERM: Final = "use StaticSynapse with the weight that depression or facilitation settles at"

INSTEAD: Final[dict[str, str]] = {
    "IF_curr_alpha": "use IF_curr_exp, whose currents jump and decay; half of tau_syn peaks as early",
    "IF_cond_alpha": _CONDUCTANCE,
    "IF_cond_exp": _CONDUCTANCE,
    "IF_cond_exp_gsfa_grr": _CONDUCTANCE + ", and the SDK's LIF(theta_plus=...) for an adapting threshold",
    "IF_facets_hardware1": _CONDUCTANCE,
    "HH_cond_exp": _CELLS,
    "EIF_cond_alpha_isfa_ista": _CONDUCTANCE + ", and the SDK's LIF(theta_plus=...) for adaptation",
    "EIF_cond_exp_isfa_ista": _CONDUCTANCE + ", and the SDK's LIF(theta_plus=...) for adaptation",
    "GIF_cond_exp": _CONDUCTANCE,
    "Izhikevich": _CELLS,
    "PointNeuron": "use IF_curr_exp, which has one excitatory and one inhibitory receptor",
    "LIF": "use IF_curr_exp, which has one excitatory and one inhibitory receptor",
    "AdExp": _CELLS,
    "CurrExpPostSynapticResponse": "use IF_curr_exp, which has one excitatory and one inhibitory receptor",
    "CondExpPostSynapticResponse": _CONDUCTANCE,
    "CondAlphaPostSynapticResponse": _CONDUCTANCE,
    "CondBetaPostSynapticResponse": _CONDUCTANCE,
    "ExpPSR": _CONDUCTANCE,
    "AlphaPSR": _CONDUCTANCE,
    "MultiCompartmentNeuron": "use IF_curr_exp; all cells here are points",
    "SpikeSourceInhGamma": "use SpikeSourceArray with times drawn beforehand, or SpikeSourceGamma",
    "ElectricalSynapse": "there are no gap junctions; use StaticSynapse in both directions",
    "TsodyksMarkramSynapse": _SHORT_TERM,
    "StochasticTsodyksMarkramSynapse": _SHORT_TERM,
    "MultiQuantalSynapse": _SHORT_TERM,
    "SimpleStochasticSynapse": "use StaticSynapse with the weight times p, which has the same mean",
    "AdditivePotentiationMultiplicativeDepression": (
        "use AdditiveWeightDependence or MultiplicativeWeightDependence, which treat both directions alike"
    ),
    "GutigWeightDependence": "use AdditiveWeightDependence (mu 0) or MultiplicativeWeightDependence (mu 1)",
    "Vogels2011Rule": "use SpikePairRule, or the SDK's PairRule (docs/sdk.md)",
}
"""What to use instead of each model."""


def unsupported_models() -> dict[str, type]:
    """Return a class for each model, which raises NoModelAvailableError when it is used."""
    return {name: _unsupported(name, hint) for name, hint in INSTEAD.items()}


def _unsupported(name: str, hint: str) -> type:
    def refuse(self: Any, *args: Any, **parameters: Any) -> NoReturn:
        raise errors.NoModelAvailableError(f"{name} does not run on Synloom's arrays; {hint}")

    return type(name, (), {"__init__": refuse, "__doc__": f"Not available: {hint}."})
