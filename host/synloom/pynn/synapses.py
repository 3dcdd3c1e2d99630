"""PyNN's standard synapses that run here: static ones, and pair STDP."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from pyNN import errors
from pyNN.standardmodels import build_translations, synapses
from pyNN.standardmodels.base import excitatory_receptor_types

from synloom.pynn.dialect import understood
from synloom.pynn.simulator import state

__all__ = [
    "AdditiveWeightDependence",
    "MultiplicativeWeightDependence",
    "STDPMechanism",
    "SpikePairRule",
    "StaticSynapse",
]


def _same(names: Any) -> dict[str, Any]:
    translations: dict[str, Any] = build_translations(*((name, name) for name in names))
    return translations


def _check_weights(weights: Any, projection: Any) -> None:
    """Raise ConnectionError if the signs of weights do not fit the receptor type."""
    values = np.asarray(weights, dtype=np.float64)
    positive, negative = bool((values > 0.0).any()), bool((values < 0.0).any())
    if not np.isfinite(values).all():
        raise errors.ConnectionError("Weights must be finite numbers")
    if positive and negative:
        raise errors.ConnectionError("Weights must be either all positive or all negative")
    if projection.receptor_type in excitatory_receptor_types:
        if negative:
            raise errors.ConnectionError(
                "Weights must be positive for excitatory synapses; use receptor_type='inhibitory'"
            )
    elif positive:
        understood(
            "positive inhibitory weights",
            "positive weights with receptor_type='inhibitory' are taken as inhibitory; PyNN wants negative "
            "weights for current-based synapses",
        )


class _LeastDelay:
    parameter_checks: Final = {"weight": _check_weights}

    def _get_minimum_delay(self) -> float:
        return state.least_given


class StaticSynapse(_LeastDelay, synapses.StaticSynapse):
    """PyNN's StaticSynapse: a weight and a delay."""

    translations = _same(("weight", "delay"))


class STDPMechanism(_LeastDelay, synapses.STDPMechanism):
    """PyNN's STDPMechanism: pair rules, all synapses of a target with one dendritic delay."""

    base_translations = _same(("weight", "delay", "dendritic_delay_fraction"))

    def __init__(
        self,
        timing_dependence: Any = None,
        weight_dependence: Any = None,
        voltage_dependence: Any = None,
        dendritic_delay_fraction: float = 1.0,
        weight: Any = 0.0,
        delay: Any = None,
    ):
        if not isinstance(timing_dependence, SpikePairRule):
            raise errors.NoModelAvailableError(
                f"timing_dependence must be a SpikePairRule(...), not {timing_dependence!r}"
            )
        if not isinstance(weight_dependence, (AdditiveWeightDependence, MultiplicativeWeightDependence)):
            raise errors.NoModelAvailableError(
                f"weight_dependence must be AdditiveWeightDependence(...) or "
                f"MultiplicativeWeightDependence(...), not {weight_dependence!r}"
            )
        if voltage_dependence is not None:
            raise errors.NoModelAvailableError("there is no voltage-dependent STDP here; leave it out")
        super().__init__(timing_dependence, weight_dependence, None, dendritic_delay_fraction, weight, delay)

    def _build_translations(self) -> None:
        # PyNN's own version adds the parts' names to the class.
        self.translations = {
            **self.base_translations,
            **self.timing_dependence.translations,
            **self.weight_dependence.translations,
        }


class AdditiveWeightDependence(synapses.AdditiveWeightDependence):
    """PyNN's AdditiveWeightDependence: changes do not depend on the weight."""

    translations = _same(("w_min", "w_max"))
    possible_models: Final = frozenset({"pair rule"})
    bounds = "additive"


class MultiplicativeWeightDependence(synapses.MultiplicativeWeightDependence):
    """PyNN's MultiplicativeWeightDependence: changes are fractions of the room that is left."""

    translations = _same(("w_min", "w_max"))
    possible_models: Final = frozenset({"pair rule"})
    bounds = "soft"


class SpikePairRule(synapses.SpikePairRule):
    """PyNN's SpikePairRule: all pairs count, by exponential windows."""

    translations = _same(("tau_plus", "tau_minus", "A_plus", "A_minus"))
    possible_models: Final = frozenset({"pair rule"})
