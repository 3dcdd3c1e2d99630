"""The memory map: every memory of an array, written once for gateware, host, models and documentation."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from synloom.contract.info import INFO_WORDS
from synloom.contract.layout import Field, Layout
from synloom.contract.memory import Memory
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import (
    CONTROL_REGISTERS,
    COUNTERS,
    LINK_REGISTERS,
    WIDE_COUNTER_BITS,
    Register,
)
from synloom.contract.traces import TRACES, Side

__all__ = ["GENERATOR", "PHASE", "WEIGHT_LOW_BYTE", "MemoryMap", "layout_of", "memory_map", "memory_of"]

MemoryMap = MappingProxyType[Region, Memory]

WEIGHT_LOW_BYTE: Final = 0xFF
"""A weight is two's complement in the low byte of its word."""

GENERATOR: Final = Layout(
    "generator",
    Field("mantissa", 12, doc="Mantissa m of the rate or the period"),
    Field(
        "exponent", 3, doc="Exponent f: m * 8**(f - 7) / 4096 spikes a step, or m * 8**(7 - f) / 512 steps"
    ),
    Field("regular", 1, doc="Regular, with a period, instead of random, with a rate"),
)
"""A word of GEN_RATE, which is the same in every array."""

PHASE: Final = Layout("phase", Field("phase", 13, doc="Phase; a spike when it reaches the mantissa"))
"""A word of GEN_PHASE."""

_REGISTER_WORDS: Final = 256


@lru_cache(maxsize=64)
def memory_map(params: ArrayParams) -> MemoryMap:
    """Return every memory of an array by its region, those that it lacks included."""
    memories = (
        *_register_files(),
        *_synapses(params),
        *_neurons(params),
        *_stimulus(params),
        *_probes(params),
    )
    return MappingProxyType({m.region: m for m in sorted(memories, key=lambda m: m.region)})


def memory_of(params: ArrayParams, region: Region) -> Memory:
    """Return one memory of an array."""
    return memory_map(params)[region]


def layout_of(params: ArrayParams, region: Region) -> Layout:
    """Return the fields of a memory's records."""
    return memory_map(params)[region].layout


def _table(
    params: ArrayParams | None,
    region: Region,
    doc: str,
    layout: Layout,
    axis: str,
    count: int,
    **more: Any,
) -> Memory:
    """Return a memory of one dimension; its records lie `stride` offsets apart."""
    values = {
        "strides": (more.pop("stride", 1),),
        "item": f"{region.name} of {{{axis}}}",
        "names": _names(params) if params is not None else {},
        **more,
    }
    assert layout.words <= values["strides"][0]
    return Memory(region=region, doc=doc, layout=layout, shape=(count,), axes=(axis,), **values)


def _names(params: ArrayParams) -> dict[str, tuple[str, ...]]:
    neurons = tuple(f"neuron {n}" for n in range(params.neurons))
    inputs = tuple(f"input {i}" for i in range(params.first_neuron_source))
    sources = [f"source {i} (unused)" for i in range(params.sources)]
    sources[: params.inputs] = inputs[: params.inputs]
    sources[params.first_neuron_source : params.first_neuron_source + params.neurons] = neurons
    sources[params.first_axon_source :][: params.axons] = [f"axon {k}" for k in range(params.axons)]
    return {"neuron": neurons, "input": inputs, "source": tuple(sources)}


# ---- registers ---------------------------------------------------------------------------------------


def _register_files() -> list[Memory]:
    word = Layout("register", Field("word", 16, doc="One word"))
    registers: dict[str, Any] = {"keeps": False, "empty": None}
    counter = Layout("counter", Field("count", WIDE_COUNTER_BITS, doc="Events since it was cleared"))
    return [
        _table(
            None,
            Region.INFO,
            f"Magic, versions, all fields of ArrayParams, both digests: {INFO_WORDS} words",
            word,
            "word",
            _REGISTER_WORDS,
            **registers,
        ),
        _table(
            None,
            Region.CTRL,
            "Control registers",
            word,
            "word",
            _words(CONTROL_REGISTERS),
            **registers,
        ),
        _table(
            None,
            Region.COUNTERS,
            "Event counters",
            counter,
            "counter",
            len(COUNTERS),
            stride=4,
            names={"counter": tuple(COUNTERS)},
            item="counter {counter}",
            keeps=False,
        ),
        _table(
            None,
            Region.LINK,
            "Registers of the link",
            word,
            "word",
            _words(LINK_REGISTERS),
            **registers,
        ),
    ]


def _words(registers: dict[str, Register]) -> int:
    return sum(register.words for register in registers.values())


# ---- synapses ----------------------------------------------------------------------------------------


def _synapses(params: ArrayParams) -> list[Memory]:
    weight = Layout(
        "weight",
        Field("weight", 8, signed=True, kept=params.weight_bits, doc="Weight; -WMAX-1 is no synapse"),
    )
    memories = [
        Memory(
            region=Region.WEIGHTS,
            doc="Weights, one byte each: offset = source << 12 \\| target",
            layout=weight,
            shape=(params.sources, params.neurons),
            strides=(1 << 12, 1),
            axes=("source", "neuron"),
            item="the weight of {source} to {neuron}",
            names=_names(params),
            dynamic=True,
            setting=True,
            empty=params.weight_absent & WEIGHT_LOW_BYTE,
            byte_wide=True,
            continues=True,
        ),
        _table(
            params,
            Region.SOURCE,
            "What a spike of each source id triggers",
            _source(params),
            "source",
            params.sources,
            stride=_source(params).words,
            setting=True,
        ),
        _table(
            params,
            Region.TARGET,
            "What a spike of each neuron triggers",
            _target(params),
            "neuron",
            params.neurons,
            stride=_target(params).words,
            setting=True,
        ),
        _table(
            params,
            Region.PROGRAM,
            "Segments of passes",
            _segment(),
            "segment",
            params.segments,
            stride=8,
            setting=True,
            item="segment {segment}",
        ),
    ]
    return [*memories, *_traces(params)]


def _traces(params: ArrayParams) -> list[Memory]:
    memories = []
    for trace in TRACES:
        axis, count = ("source", params.sources) if trace.side is Side.SOURCE else ("neuron", params.neurons)
        memories.append(
            _table(
                params,
                trace.region,
                trace.doc,
                Layout("trace", Field("trace", params.trace_bits, doc="Trace")),
                axis,
                count,
                dynamic=True,
                cleared=True,
                item=f"the {trace.side.value} trace of {{{axis}}}",
            )
        )
    return memories


def _segment() -> Layout:
    """Return a segment: a range of a pass, and the rule that holds there.

    `lo` to `hi` (exclusive) are target indices in row lists and lists of target traces, source ids in column
    lists and lists of source traces. `last` ends a list. In decay lists `a` is the coefficient m.
    """
    return Layout(
        "segment",
        Field("lo", 16, doc="First position"),
        Field("hi", 15, doc="Position after the last"),
        Field("last", 1, doc="The list ends here"),
        Field("a", 16, doc="Amplitude; in decay lists the coefficient"),
        Field("t0", 16, doc="Offset of the trace"),
        Field("w_min", 8, signed=True, doc="Lower bound of weights"),
        Field("w_max", 8, signed=True, doc="Upper bound of weights"),
        Field("shift", 3, doc="Left shift of the weights in a row pass"),
        Field("reserved", 1),
        Field("plastic", 1, doc="Its synapses learn"),
        Field("a_negative", 1, doc="The amplitude is negative"),
        Field("soft", 1, doc="Soft bounds: a change is scaled by the room to the bound"),
        Field("stochastic", 1, doc="Stochastic rounding instead of rounding to nearest"),
        Field("reward", 1, doc="A change is multiplied by REWARD"),
        Field("exponent", 3, doc="Unit of the coefficient: 2**-(16 + 4 * min(exponent, 4)) (decay lists)"),
    )


def _source(params: ArrayParams) -> Layout:
    fields = [
        Field("list", 8, doc="First segment of its row list"),
        Field("connected", 1, doc="It has a row pass"),
        Field("nearest", 1, doc="A spike sets its trace to ONE_X instead of adding it"),
    ]
    if params.axons:
        fields += [
            Field("chained", 1, doc="It has a next row"),
            Field("hop", _delay_bits(params), doc="Steps until the next row; 0: in the same step"),
            Field("next", (params.sources - 1).bit_length(), doc="Source id of the next row"),
        ]
    return Layout("source", *fields)


def _target(params: ArrayParams) -> Layout:
    fields = [
        Field("list", 8, doc="First segment of its column list"),
        Field("learns", 1, doc="It has a column pass"),
        Field("nearest", 1, doc="A spike sets its trace to ONE_Y instead of adding it"),
        Field("delay", _delay_bits(params), doc="Steps until its spike arrives; 0 sends it nowhere"),
    ]
    if params.dendritic_delays:
        fields.append(Field("back", _delay_bits(params), doc="Steps until its spike reaches its own column"))
    return Layout("target", *fields)


def _delay_bits(params: ArrayParams) -> int:
    return (params.delay_slots - 1).bit_length()


# ---- neurons -----------------------------------------------------------------------------------------


def _neurons(params: ArrayParams) -> list[Memory]:
    n = params.neurons
    return [
        _table(
            params,
            Region.NEURON_PARAMS,
            "Parameters of each neuron",
            _neuron_params(params),
            "neuron",
            n,
            stride=16,
            setting=True,
        ),
        _table(
            params,
            Region.NEURON_STATE,
            "State of each neuron",
            _neuron_state(params),
            "neuron",
            n,
            stride=8,
            dynamic=True,
            setting=True,
        ),
        _table(
            params,
            Region.SPIKE_COUNTS,
            "Spikes of each neuron since it was last written",
            Layout("spike count", Field("count", 16, doc="Spikes")),
            "neuron",
            n,
            exists=params.spike_counters,
            feature="spike_counters",
            dynamic=True,
            cleared=True,
            item="the spike count of {neuron}",
        ),
    ]


def _neuron_params(params: ArrayParams) -> Layout:
    """Return the parameters of a neuron (docs/numbers.md, sweep)."""
    state = params.state_bits
    fields = [
        Field("dm", 16, doc="Decay coefficient of V"),
        Field("de", 16, doc="Decay coefficient of the excitatory current"),
        Field("di", 16, doc="Decay coefficient of the inhibitory current"),
        Field("dth", 16, doc="Decay coefficient of the adaptive threshold"),
        Field("thr", state, signed=True, doc="Threshold"),
        Field("reset", state, signed=True, doc="V after a spike, or what a spike subtracts"),
        Field("bias", state, signed=True, doc="Constant current"),
        Field("th_step", state - 1, doc="What a spike adds to the adaptive threshold"),
        Field("refractory", 8, doc="Refractory steps after a spike"),
        Field("g_e", 4, doc="Left shift of the excitatory sums"),
        Field("g_i", 4, doc="Left shift of the inhibitory sums"),
        Field("exponent_m", 3, doc="Unit of dm: 2**-(16 + 4 * min(exponent, 4))"),
        Field("exponent_e", 3, doc="Unit of de"),
        Field("exponent_i", 3, doc="Unit of di"),
        Field("exponent_th", 3, doc="Unit of dth"),
        Field("subtract", 1, doc="A spike lowers V by reset instead of setting it"),
        Field("integrate", 1, doc="V goes on in the refractory time instead of standing still"),
    ]
    adaptation = {"dth", "th_step", "exponent_th"}
    return Layout("neuron parameters", *(f for f in fields if params.adaptation or f.name not in adaptation))


def _neuron_state(params: ArrayParams) -> Layout:
    state = params.state_bits
    fields = [
        Field("v", state, signed=True, doc="Potential; 0 is rest"),
        Field("refr", 8, doc="Refractory steps left"),
        Field("ie", state - 1, doc="Excitatory current"),
        Field("ii", state - 1, doc="Inhibitory current, stored positive"),
    ]
    if params.adaptation:
        fields.append(Field("theta", state - 1, doc="What the adaptive threshold adds"))
    return Layout("neuron state", *fields)


# ---- stimulus, probes --------------------------------------------------------------------------------


def _stimulus(params: ArrayParams) -> list[Memory]:
    channels = 16 * params.input_words
    generators: dict[str, Any] = {"exists": params.generators, "feature": "generators"}
    return [
        _table(
            params,
            Region.GEN_RATE,
            "Generator of each input",
            GENERATOR,
            "input",
            channels,
            setting=True,
            item="the rate of {input}",
            **generators,
        ),
        _table(
            params,
            Region.GEN_PHASE,
            "Phase of each input's regular generator",
            PHASE,
            "input",
            channels,
            dynamic=True,
            cleared=True,
            item="the phase of {input}",
            **generators,
        ),
        Memory(
            region=Region.WHEEL,
            doc="Spikes on their way: offset = slot << 9 \\| word of 16 ids",
            layout=Layout("wheel", Field("ids", 16, doc="A bit for each of 16 ids")),
            shape=(params.delay_slots, params.wheel_words),
            strides=(1 << 9, 1),
            axes=("slot", "word"),
            item="word {word} of slot {slot} of the delay wheel",
            names={},
            dynamic=True,
            cleared=True,
        ),
    ]


def _probes(params: ArrayParams) -> list[Memory]:
    layout = Layout(
        "probe",
        Field("region", 5, doc="Region of the word"),
        Field("reserved", 10),
        Field("wide", 1, doc="The next word is read too"),
        Field("offset", 24, doc="Offset of the word"),
    )
    return [
        _table(
            params,
            Region.PROBES,
            "Words that are recorded after a step",
            layout,
            "probe",
            params.probes,
            stride=4,
            item="probe {probe}",
        )
    ]
