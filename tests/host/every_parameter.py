"""Every public parameter, and another value for it.

A class of the SDK, or a parameter of one, that is not here makes the tests fail until somebody says what
another value for it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import synloom
from synloom import LIF, ArrayParams

N: Final = 6
"""Neurons of each population, channels of each input."""

BASE: Final[dict[str, dict[str, Any]]] = {
    "Network": {},
    "InputPopulation": {"n": N},
    "PoissonInput": {"n": N, "rate": 20.0},
    "RegularInput": {"n": N, "rate": 20.0},
    # Without a step of the threshold its time constant would be nothing.
    "LIF": {"theta_plus": 1.0},
    # With a range of its own a parameter cannot show by the scale of the potential alone.
    "Population": {"n": N, "v_range": 600.0},
    "Projection": {"weight": 1.0, "delay": 2.0},
    "STDP": {},
    "PairRule": {"A_pre": -0.01, "A_post": 0.01, "x0": 0.1, "y0": 0.1},
    "TraceTarget": {},
    "AllToAll": {},
    "OneToOne": {},
    "FixedProbability": {"p": 0.5},
    "FixedInDegree": {"k": 2},
    "FixedOutDegree": {"k": 2},
    "SmallWorld": {"k": 2, "p": 0.3},
    "FromList": {"pairs": [[0, 0, 1.0], [1, 2, 0.5]]},
    "FromMatrix": {"matrix": [[0.5 + 0.1 * (i + N * j) for i in range(N)] for j in range(N)]},
    "Uniform": {"low": 0.5, "high": 1.0},
    "Normal": {"mean": 1.0, "sd": 0.2, "low": 0.9, "high": 1.1},
    "ArrayParams": {},
}
"""Arguments with which every parameter has an effect; the defaults where nothing is said."""


@dataclass(frozen=True)
class Made:
    """An object of the SDK that is not made yet."""

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Beside:
    """A value that needs others: they are set in the network it is compared with, too."""

    value: Any
    others: Mapping[str, Any]


_RULE: Final = {"w_min": 0.25, "w_max": 2.0, "bounds": "soft", "pairing": "nearest", "rounding": "nearest"}
_LEARNS_PLAINLY: Final = {"soft_bounds": False, "stochastic_rounding": False, "reward": False}
OTHER: Final[dict[str, dict[str, Any]]] = {
    "Network": {"dt": 0.5, "seed": 2},
    "InputPopulation": {"n": N + 1, "spike_times": [[1.0], [2.0, 5.0], [], [3.0], [], []], "label": "other"},
    "PoissonInput": {"n": N + 1, "rate": 30.0, "label": "other"},
    "RegularInput": {"n": N + 1, "rate": 30.0, "label": "other"},
    "LIF": {
        **{name: declared.example for name, declared in LIF.quantities().items()},
        "reset_mode": "subtract",
        "refractory_mode": "integrate",
    },
    "Population": {
        "n": N + 1,
        "cell": Made("LIF", {"tau_m": 9.0}),
        "label": "other",
        "v_init": -60.0,
        "theta_init": 0.5,
        "v_range": 5000.0,
    },
    "Projection": {
        "pre": "exact",
        "post": "right",
        "connector": Made("OneToOne"),
        "weight": 2.0,
        "delay": 3.0,
        "dendritic": Beside(0.5, {"plasticity": Made("STDP")}),
        "plasticity": Made("STDP"),
        "label": "other",
    },
    "STDP": {"A_plus": 0.02, "A_minus": 0.02, "tau_plus": 9.0, "tau_minus": 9.0, "reward": True, **_RULE},
    "PairRule": {
        "A_pre": 0.02,
        "A_post": -0.02,
        "tau_pre": 9.0,
        "tau_post": 9.0,
        "x0": 0.2,
        "y0": 0.2,
        "reward": True,
        **_RULE,
    },
    "TraceTarget": {"A": 0.02, "tau": 9.0, "target": 0.2, "reward": True, **_RULE},
    "AllToAll": {"allow_self_connections": False},
    "OneToOne": {},
    "FixedProbability": {"p": 0.7, "allow_self_connections": False},
    "FixedInDegree": {"k": 3, "allow_self_connections": False},
    "FixedOutDegree": {"k": 3, "allow_self_connections": False},
    "SmallWorld": {"k": 4, "p": 0.6},
    "FromList": {"pairs": [[0, 0, 1.0], [1, 3, 0.5]]},
    "FromMatrix": {"matrix": [[0.5 + 0.2 * (i + N * j) for i in range(N)] for j in range(N)]},
    "Uniform": {"low": 0.6, "high": 1.2},
    "Normal": {"mean": 1.02, "sd": 0.1, "low": 0.95, "high": 1.05},
    "ArrayParams": {
        "inputs": 80,
        "neurons": 320,
        "axons": 32,
        "lanes": 8,
        "neuron_lanes": 2,
        "weight_bits": 4,
        "state_bits": 20,
        "trace_bits": 12,
        "accumulator_bits": 16,
        "delay_slots": 8,
        "segments": 32,
        "probes": 4,
        "record_words": 8192,
        "event_words": 2048,
        "counter_bits": 24,
        "plasticity": Beside(False, _LEARNS_PLAINLY),
        "soft_bounds": False,
        "stochastic_rounding": False,
        "reward": False,
        "adaptation": False,
        "generators": False,
        "spike_counters": False,
        "dendritic_delays": True,
        "teaching": False,
        "single_port": Beside(True, {"serial_neurons": True, "neuron_lanes": 1}),
        "serial_neurons": Beside(True, {"neuron_lanes": 1}),
        "clock_hz": 50_000_000,
        "baud": 2_000_000,
    },
}
"""For each parameter a value that is not that of `BASE` or the default."""


def public_classes() -> dict[str, type]:
    """Return the public classes whose parameters decide what an image is."""
    return {
        name: thing
        for name in synloom.__all__
        if inspect.isclass(thing := getattr(synloom, name))
        and (thing is ArrayParams or thing.__module__.startswith("synloom.network."))
    }


def parameters() -> list[tuple[str, str]]:
    """Return (class, parameter) for every parameter of every public class."""
    return [
        (kind, name) for kind, made in public_classes().items() for name in inspect.signature(made).parameters
    ]


def other(kind: str, name: str) -> tuple[Any, Mapping[str, Any]]:
    """Return another value for a parameter, and what must be set beside it."""
    assert name in OTHER.get(kind, {}), f"give a value that differs for {kind}.{name} in {__name__}.OTHER"
    found = OTHER[kind][name]
    return (found.value, found.others) if isinstance(found, Beside) else (found, {})


def usual(kind: str, name: str) -> Any:
    """Return the value that a parameter has where nothing is changed."""
    default = inspect.signature(public_classes()[kind]).parameters[name].default
    return BASE[kind].get(name, default)
