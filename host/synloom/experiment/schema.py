"""The format of an experiment file: all tables and keys, with kind, unit, default and meaning.

Defaults of neurons, rules and arrays come from the SDK's classes.
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
_ENDLESS: Final = Number(low=0.0, above=True, infinite=(math.inf,))
_NAME: Final = Text("name")
_FILE: Final = Text("file name")
_INDICES: Final = ListOf(Whole(0, 2047), "list of indices", 1)
_TIMES: Final = ListOf(_TIME, "list of times")


# ---- run and array -----------------------------------------------------------------------------

_RUN: Final = Section(
    "[run]",
    (
        Key("duration", _POSITIVE, REQUIRED, "ms", "length of the run; a multiple of `dt`"),
        Key("dt", _POSITIVE, Network().dt, "ms", "time step"),
        Key("seed", Whole(), Network().seed, "", "seed of all random numbers, on the host and in the array"),
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
        Key("at", _STARTS, REQUIRED, "ms", "start of the burst: one time or a list"),
        Key("channels", _INDICES, None, "", "channels that take part; default: all"),
        Key("spikes", Whole(1, 1000), 1, "", "number of spikes per channel"),
        Key("interval", _POSITIVE, 5.0, "ms", "interval between the spikes of a channel"),
        Key("jitter", _TIME, 0.0, "ms", "standard deviation of the spike times"),
    ),
)
_GENERATED: Final = ("poisson", "regular")
_INPUT: Final = Section(
    "[inputs.NAME]",
    (
        Key("n", _SIZE, REQUIRED, "", "number of channels"),
        Key(
            "kind",
            Choice((*_GENERATED, "spikes")),
            REQUIRED,
            "",
            "generated spikes, or spikes at given times",
        ),
        Key(
            "rate",
            Numbers(Number(low=0.0)),
            REQUIRED,
            "Hz",
            "firing rate, at most one spike per step",
            _GENERATED,
        ),
        Key(
            "times",
            ListOf(_TIMES, "list with one list of times for each channel"),
            None,
            "ms",
            "spike times of each channel",
            ("spikes",),
        ),
        Key("file", _FILE, None, "ms", "`.npz` or `.csv` file of times and channels", ("spikes",)),
        Key("bursts", ListOf(_BURST, "list of bursts"), None, "", "bursts of spikes", ("spikes",)),
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
            "set V to `v_reset`, or subtract `v_thresh - v_reset`",
        ),
        Key(
            "refractory_mode",
            Choice(("hold", "integrate")),
            _CELL_DEFAULTS["refractory_mode"],
            "",
            "V stands still in the refractory time, or goes on",
        ),
        Key("v_init", Numbers(), None, "mV", "initial potential; default: `v_rest`"),
        Key("theta_init", Numbers(_TIME), 0.0, "mV", "initial increase of the threshold"),
        Key("v_range", _POSITIVE, None, "mV", "range of V on either side of `v_rest`; chosen by default"),
    ),
)

# ---- projections -------------------------------------------------------------------------------

_RULES: Final[dict[str, Any]] = {"stdp": STDP, "trace_target": TraceTarget, "pair_rule": PairRule}
_RULE_KEYS: Final[dict[str, tuple[Kind, str, str]]] = {
    "A_plus": (Number(), "", "amplitude of potentiation, as a fraction of the weight range"),
    "A_minus": (Number(), "", "amplitude of depression, as a fraction of the weight range"),
    "tau_plus": (_POSITIVE, "ms", "time constant of potentiation"),
    "tau_minus": (_POSITIVE, "ms", "time constant of depression"),
    "A": (Number(), "", "amplitude, as a fraction of the weight range"),
    "tau": (_POSITIVE, "ms", "time constant of the source trace"),
    "target": (_TIME, "spikes", "source trace at which the weight does not change"),
    "A_pre": (Number(), "", "signed amplitude at a source spike"),
    "A_post": (Number(), "", "signed amplitude at a target spike"),
    "tau_pre": (_POSITIVE, "ms", "time constant of the source trace"),
    "tau_post": (_POSITIVE, "ms", "time constant of the target trace"),
    "x0": (_TIME, "spikes", "offset subtracted from the source trace"),
    "y0": (_TIME, "spikes", "offset subtracted from the target trace"),
    "w_min": (Number(), "nA", "lower bound of the weight (mV for delta synapses)"),
    "w_max": (Number(), "nA", "upper bound of the weight (mV for delta synapses)"),
    "bounds": (
        Choice(("additive", "soft")),
        "",
        "whether changes are independent of the weight or shrink near a bound",
    ),
    "pairing": (Choice(("all_to_all", "nearest")), "", "whether a spike adds 1 to its trace or sets it to 1"),
    "rounding": (
        Choice(("stochastic", "nearest")),
        "",
        "how changes are rounded to the resolution of the weights",
    ),
    "reward": (Switch(), "", "whether changes are multiplied by the global reward factor"),
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
        Key("rule", Choice(tuple(_RULES)), REQUIRED, "", "learning rule"),
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
        Key("from", _NAME, REQUIRED, "", "source: an input or a population"),
        Key("to", _NAME, REQUIRED, "", "target: a population"),
        Key("connector", Choice(_CONNECTORS), REQUIRED, "", "which source-target pairs have a synapse"),
        Key("p", Number(0.0, 1.0), REQUIRED, "", "probability of a synapse, or of rewiring", _WITH_P),
        Key("k", Whole(0, 4096), REQUIRED, "", "sources per target, or targets per source", _WITH_K),
        Key(
            "allow_self_connections",
            Switch(),
            True,
            "",
            "whether a neuron may have a synapse onto itself",
            _WITH_SELF,
        ),
        Key("pairs", _PAIRS, None, "", "list of `[from, to]` or `[from, to, weight]`", ("list",)),
        Key(
            "file",
            _FILE,
            None,
            "",
            "`.csv` or `.npy` file of pairs, or of the weight matrix",
            ("list", "matrix"),
        ),
        Key("weight", _WEIGHT, None, "nA", "weight (mV for delta synapses); negative: inhibitory"),
        Key("delay", Numbers(_TIME), None, "ms", "delay, of all or of each source; random: of each synapse"),
        Key("delay_file", _FILE, None, "ms", "`.csv` or `.npy` file of the delays of all pairs"),
        Key("dendritic", Number(low=0.0, high=1.0), 0.0, "", "the part of the delay that is on the dendrite"),
        Key("plasticity", _PLASTICITY, None, "", "learning rule; without it the weights are constant"),
    ),
    selector="connector",
)

# ---- changes and records -----------------------------------------------------------------------

_RATES: Final = NumbersByName(Number(low=0.0), "table of inputs and rates")
_OFFSETS: Final = NumbersByName(Number(), "table of populations and currents")
_CHANGE: Final = Section(
    "[[changes]]",
    (
        Key("at", _TIME, REQUIRED, "ms", "time of the change; a multiple of `dt`, before the end"),
        Key("rates", _RATES, {}, "Hz", "new rates of generators, by input"),
        Key("offsets", _OFFSETS, {}, "nA", "new `i_offset`, by population"),
        Key("learning", Switch(), None, "", "switches all plasticity on or off"),
        Key("adaptation", Switch(), None, "", "switches threshold adaptation on or off"),
        Key("reward", Number(-127.99, 127.99), None, "", "global reward factor; 1 at the start"),
    ),
)
_STATE: Final = Section(
    "[[record.state]]",
    (
        Key("of", _NAME, REQUIRED, "", "a population, or an input (only its `trace`)"),
        Key(
            "variable", Choice(PROBE_VARIABLES), REQUIRED, "", "state variable, in mV or nA; traces in spikes"
        ),
        Key("indices", _INDICES, None, "", "neurons or channels; default: all"),
    ),
)
_WEIGHTS: Final = Section(
    "[[record.weights]]",
    (
        Key("of", _NAME, REQUIRED, "", "a projection"),
        Key("every", _POSITIVE, None, "ms", "interval between snapshots; default: only start and end"),
    ),
)
_NAMES: Final = ListOf(_NAME, "list of populations")
_RECORD: Final = Section(
    "[record]",
    (
        Key(
            "spikes",
            _NAMES,
            None,
            "",
            "populations and inputs with recorded spikes; default: all populations",
        ),
        Key("counts", _NAMES, [], "", "populations with spike counts; without raster, the array counts"),
        Key("every", _POSITIVE, None, "ms", "interval between state samples; default: `dt`"),
        Key(
            "state",
            ListOf(_STATE, "list of states"),
            [],
            "",
            "state variables to record, at most 16 values per sample",
        ),
        Key("weights", ListOf(_WEIGHTS, "list of weights"), [], "", "projections with snapshots of weights"),
    ),
)

EXPERIMENT: Final = Section(
    "(the file)",
    (
        Key("title", Text(), None, "", "title of the figures; default: the file's name"),
        Key("run", _RUN, REQUIRED, "", "length and time step"),
        Key(
            "array", _ARRAY, DEFAULTS, "", "array parameters; default: the smallest standard array that fits"
        ),
        Key("inputs", Named(_INPUT), {}, "", "sources of spikes"),
        Key("populations", Named(_POPULATION, optional=False), REQUIRED, "", "populations of neurons"),
        Key("projections", Named(_PROJECTION), {}, "", "synapses between them, and from inputs"),
        Key("changes", ListOf(_CHANGE, "list of changes"), [], "", "changes during the run"),
        Key("record", _RECORD, DEFAULTS, "", "what is recorded"),
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
