"""The experiment file's format: every table, every key, its kind, unit and default.

Defaults of neurons, rules and arrays are taken from the SDK's own classes, so they are written once.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Final

from synloom.base.checks import HUGE
from synloom.contract.params import ArrayParams
from synloom.device.neuron_state import PROBE_VARIABLES
from synloom.experiment.section import DEFAULTS, REQUIRED, Key, Named, Section
from synloom.experiment.value_types import Choice, Kind, ListOf, Number, Switch, Text, Whole
from synloom.experiment.values import Numbers, NumbersByName
from synloom.network.cells import LIF
from synloom.network.network import Network
from synloom.network.plasticity import STDP, PairRule, TraceTarget
from synloom.network.quantities import Quantity

__all__ = ["EXPERIMENT", "SECTIONS"]

_SIZE: Final = Whole(1, 2048)
_TIME: Final = Number(low=0.0)
_POSITIVE: Final = Number(low=0.0, above=True)
_ENDLESS: Final = Number(low=0.0, above=True, infinite=True)
_NAME: Final = Text("name")
_FILE: Final = Text("file name")
_INDICES: Final = ListOf(Whole(0, 2047), "list of indices", 1)
_TIMES: Final = ListOf(_TIME, "list of times")


# ---- run and array -----------------------------------------------------------------------------

_RUN: Final = Section(
    "[run]",
    (
        Key("duration", _POSITIVE, REQUIRED, "ms", "how long the network runs; a multiple of `dt`"),
        Key("dt", _POSITIVE, Network().dt, "ms", "the time step"),
        Key("seed", Whole(), Network().seed, "", "of everything random, host and chip"),
    ),
)


def _array_key(name: str, default: int | bool) -> Key:
    kind: Kind = Switch() if isinstance(default, bool) else Whole()
    return Key(name, kind, None, "", f"{str(default).lower()} in a standard array")


_ARRAY: Final = Section("[array]", tuple(_array_key(*item) for item in ArrayParams().to_dict().items()))

# ---- inputs ------------------------------------------------------------------------------------

_STARTS: Final = ListOf(_TIME, "list of times", 1, single=True)
_BURST: Final = Section(
    "[[inputs.NAME.bursts]]",
    (
        Key("at", _STARTS, REQUIRED, "ms", "when it begins: one time or a list"),
        Key("channels", _INDICES, None, "", "who takes part; all by default"),
        Key("spikes", Whole(1, 1000), 1, "", "spikes of each channel"),
        Key("interval", _POSITIVE, 5.0, "ms", "distance of a channel's spikes"),
        Key("jitter", _TIME, 0.0, "ms", "standard deviation of each spike's time"),
    ),
)
_GENERATED: Final = ("poisson", "regular")
_INPUT: Final = Section(
    "[inputs.NAME]",
    (
        Key("n", _SIZE, REQUIRED, "", "number of channels"),
        Key("kind", Choice((*_GENERATED, "spikes")), REQUIRED, "", "generators, or spikes at given times"),
        Key("rate", Numbers(Number(low=0.0)), REQUIRED, "Hz", "rate, at most one spike a step", _GENERATED),
        Key(
            "times",
            ListOf(_TIMES, "list with one list of times for each channel"),
            None,
            "ms",
            "spikes of each channel",
            ("spikes",),
        ),
        Key("file", _FILE, None, "ms", "`.npz` or `.csv` of times and channels", ("spikes",)),
        Key("bursts", ListOf(_BURST, "list of bursts"), None, "", "volleys of spikes", ("spikes",)),
    ),
    selector="kind",
)

# ---- populations -------------------------------------------------------------------------------

_CELL_DEFAULTS: Final = {field.name: field.default for field in dataclasses.fields(LIF)}


def _cell_key(name: str, declared: Quantity) -> Key:
    low = declared.low if declared.low > -HUGE else -math.inf
    number = Number(low=low, above=declared.above, infinite=declared.infinite)
    return Key(name, Numbers(number), _CELL_DEFAULTS[name], declared.dimension.unit, declared.doc)


_POPULATION: Final = Section(
    "[populations.NAME]",
    (
        Key("n", _SIZE, REQUIRED, "", "number of neurons"),
        *(_cell_key(name, declared) for name, declared in LIF.quantities().items()),
        Key(
            "reset_mode",
            Choice(("to_value", "subtract")),
            _CELL_DEFAULTS["reset_mode"],
            "",
            "set V, or lower it by `v_thresh - v_reset`",
        ),
        Key("v_init", Numbers(), None, "mV", "potential at the start; `v_rest` by default"),
        Key("theta_init", Numbers(_TIME), 0.0, "mV", "what is added to the threshold at the start"),
        Key("v_range", _POSITIVE, None, "mV", "V must reach so far from `v_rest`; chosen by default"),
    ),
)

# ---- projections -------------------------------------------------------------------------------

_RULES: Final[dict[str, Any]] = {"stdp": STDP, "trace_target": TraceTarget, "pair_rule": PairRule}
_RULE_KEYS: Final[dict[str, tuple[Kind, str, str]]] = {
    "A_plus": (Number(), "", "amplitude of potentiation, a fraction of the weight's range"),
    "A_minus": (Number(), "", "amplitude of depression, likewise"),
    "tau_plus": (_POSITIVE, "ms", "time constant of potentiation"),
    "tau_minus": (_POSITIVE, "ms", "time constant of depression"),
    "A": (Number(), "", "amplitude, a fraction of the weight's range"),
    "tau": (_POSITIVE, "ms", "time constant of the source's trace"),
    "target": (_TIME, "spikes", "trace at which the weight stays"),
    "A_pre": (Number(), "", "signed amplitude at a source's spike"),
    "A_post": (Number(), "", "signed amplitude at a target's spike"),
    "tau_pre": (_POSITIVE, "ms", "time constant of the source's trace"),
    "tau_post": (_POSITIVE, "ms", "time constant of the target's trace"),
    "x0": (_TIME, "spikes", "offset of the source's trace"),
    "y0": (_TIME, "spikes", "offset of the target's trace"),
    "w_min": (Number(), "nA", "lower bound of the weight (mV for delta synapses)"),
    "w_max": (Number(), "nA", "upper bound of the weight"),
    "bounds": (Choice(("additive", "soft")), "", "whether changes shrink with the room that is left"),
    "pairing": (Choice(("all_to_all", "nearest")), "", "whether a spike adds 1 to its trace or sets it to 1"),
    "rounding": (Choice(("stochastic", "nearest")), "", "how changes become steps of the weight"),
    "reward": (Switch(), "", "whether changes are multiplied by the global reward"),
}


def _rule_key(name: str, kind: Kind, unit: str, meaning: str) -> Key:
    owners = {
        rule: field.default
        for rule, owner in _RULES.items()
        for field in dataclasses.fields(owner)
        if field.name == name
    }
    (default,) = set(owners.values())
    only = () if len(owners) == len(_RULES) else tuple(owners)
    return Key(name, kind, default, unit, meaning, only)


_PLASTICITY: Final = Section(
    "[projections.NAME.plasticity]",
    (
        Key("rule", Choice(tuple(_RULES)), REQUIRED, "", "the learning rule"),
        *(_rule_key(name, *entry) for name, entry in _RULE_KEYS.items()),
    ),
    selector="rule",
)
_RANDOM: Final = ("fixed_probability", "fixed_in_degree", "fixed_out_degree")
_CONNECTORS: Final = ("all_to_all", "one_to_one", *_RANDOM, "small_world", "list", "matrix")
_WITH_P: Final = ("fixed_probability", "small_world")
_WITH_K: Final = ("fixed_in_degree", "fixed_out_degree", "small_world")
_WITH_SELF: Final = ("all_to_all", *_RANDOM)
_PAIR: Final = ListOf(Number(), "list of [from, to] or [from, to, weight]", 2, 3)
_PAIRS: Final = ListOf(_PAIR, "list of pairs", 1)
_WEIGHT: Final = Numbers(forms=("uniform", "normal"))
_PROJECTION: Final = Section(
    "[projections.NAME]",
    (
        Key("from", _NAME, REQUIRED, "", "an input or a population"),
        Key("to", _NAME, REQUIRED, "", "a population"),
        Key("connector", Choice(_CONNECTORS), REQUIRED, "", "which pairs have a synapse"),
        Key("p", Number(0.0, 1.0), REQUIRED, "", "probability of a pair, or of rewiring", _WITH_P),
        Key("k", Whole(0, 4096), REQUIRED, "", "sources of each target, or targets of each source", _WITH_K),
        Key("allow_self_connections", Switch(), True, "", "whether a neuron may meet itself", _WITH_SELF),
        Key("pairs", _PAIRS, None, "", "`[from, to]` or `[from, to, weight]` each", ("list",)),
        Key("file", _FILE, None, "", "`.csv` or `.npy` of pairs or of the matrix", ("list", "matrix")),
        Key("weight", _WEIGHT, None, "nA", "mV for delta synapses; negative ones inhibit"),
        Key("delay", Numbers(_TIME), None, "ms", "axonal delay: one for all projections of a source"),
        Key("plasticity", _PLASTICITY, None, "", "the learning rule; without it the weights stay"),
    ),
    selector="connector",
)

# ---- changes and records -----------------------------------------------------------------------

_RATES: Final = NumbersByName(Number(low=0.0), "table of inputs and rates")
_OFFSETS: Final = NumbersByName(Number(), "table of populations and currents")
_CHANGE: Final = Section(
    "[[changes]]",
    (
        Key("at", _TIME, REQUIRED, "ms", "when; a multiple of `dt`, before the end"),
        Key("rates", _RATES, {}, "Hz", "rates of generators, by input"),
        Key("offsets", _OFFSETS, {}, "nA", "`i_offset`, by population"),
        Key("learning", Switch(), None, "", "switches all plasticity on or off"),
        Key("adaptation", Switch(), None, "", "switches threshold adaptation on or off"),
        Key("reward", Number(-127.99, 127.99), None, "", "the global reward; 1 at the start"),
    ),
)
_STATE: Final = Section(
    "[[record.state]]",
    (
        Key("of", _NAME, REQUIRED, "", "a population, or an input (its `trace` only)"),
        Key("variable", Choice(PROBE_VARIABLES), REQUIRED, "", "mV, nA, or spikes for traces"),
        Key("indices", _INDICES, None, "", "which of them; all by default"),
    ),
)
_WEIGHTS: Final = Section(
    "[[record.weights]]",
    (
        Key("of", _NAME, REQUIRED, "", "a projection"),
        Key("every", _POSITIVE, None, "ms", "distance of snapshots; only start and end by default"),
    ),
)
_NAMES: Final = ListOf(_NAME, "list of populations")
_RECORD: Final = Section(
    "[record]",
    (
        Key("spikes", _NAMES, None, "", "whose spikes; of all populations by default"),
        Key("counts", _NAMES, [], "", "whose spikes are counted; by the array where no raster is"),
        Key("every", _POSITIVE, None, "ms", "distance of state samples; `dt` by default"),
        Key("state", ListOf(_STATE, "list of states"), [], "", "at most 16 numbers a sample"),
        Key("weights", ListOf(_WEIGHTS, "list of weights"), [], "", "at the start, at the end, in between"),
    ),
)

EXPERIMENT: Final = Section(
    "(the file)",
    (
        Key("title", Text(), None, "", "what the pictures are headed with; the file's name by default"),
        Key("run", _RUN, REQUIRED, "", "how long, in which steps"),
        Key("array", _ARRAY, DEFAULTS, "", "the array, where it shall not be the smallest that fits"),
        Key("inputs", Named(_INPUT), {}, "", "where spikes come from"),
        Key("populations", Named(_POPULATION, optional=False), REQUIRED, "", "neurons"),
        Key("projections", Named(_PROJECTION), {}, "", "synapses"),
        Key("changes", ListOf(_CHANGE, "list of changes"), [], "", "what happens on the way"),
        Key("record", _RECORD, DEFAULTS, "", "what is kept"),
    ),
)
"""The whole file."""

SECTIONS: Final = (
    EXPERIMENT,
    _RUN,
    _ARRAY,
    _INPUT,
    _BURST,
    _POPULATION,
    _PROJECTION,
    _PLASTICITY,
    _CHANGE,
    _RECORD,
    _STATE,
    _WEIGHTS,
)
"""Every table of the format, in the manual's order."""
