"""The one frozen object that decides a bitstream."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from synloom.base.errors import ParameterError
from synloom.base.wording import shown

__all__ = [
    "CLOCKS_PER_BIT",
    "MOST_AXONS",
    "MOST_DELAY_SLOTS",
    "MOST_PROBES",
    "SEMANTICS_VERSION",
    "ArrayParams",
    "allowed",
]

SEMANTICS_VERSION: Final = 3
"""Raised whenever docs/numbers.md changes a bit."""

MOST_PROBES: Final = 4096
"""Probes of the largest array."""

MOST_DELAY_SLOTS: Final = 256
"""Slots of the largest delay wheel."""

MOST_AXONS: Final = 4064
"""Axons of the largest array."""

_RANGES: Final[dict[str, tuple[int, int]]] = {
    "inputs": (1, 2048),
    "neurons": (1, 2048),
    "state_bits": (12, 24),
    "trace_bits": (8, 16),
    "accumulator_bits": (10, 24),
    "axons": (0, MOST_AXONS),
    "delay_slots": (2, MOST_DELAY_SLOTS),
    "segments": (2, 256),
    "probes": (1, MOST_PROBES),
    "record_words": (256, 32768),
    "event_words": (16, 32768),
    "counter_bits": (16, 32),
    "clock_hz": (1_000_000, 500_000_000),
    "baud": (9_600, 12_000_000),
}
_CHOICES: Final[dict[str, tuple[int, ...]]] = {
    "lanes": (1, 2, 4, 8, 16, 32),
    "neuron_lanes": (1, 2, 4, 8, 16),
    "weight_bits": (4, 8),
    "delay_slots": tuple(1 << n for n in range(1, 9)),
    "record_words": tuple(1 << n for n in range(8, 16)),
    "event_words": tuple(1 << n for n in range(4, 16)),
}
_FEATURES: Final = (
    "plasticity",
    "soft_bounds",
    "stochastic_rounding",
    "reward",
    "adaptation",
    "generators",
    "spike_counters",
    "dendritic_delays",
    "teaching",
)
_STRUCTURES: Final = ("single_port", "serial_neurons")
_MOST_SOURCES: Final = 4096
"""Source ids that an address of WEIGHTS can name."""

CLOCKS_PER_BIT: Final = 4
"""Fewest clocks of a serial bit that a receiver can find the middle of."""

_SEMANTIC: Final = (
    "inputs",
    "neurons",
    "axons",
    "weight_bits",
    "state_bits",
    "trace_bits",
    "accumulator_bits",
    "delay_slots",
    "segments",
    "probes",
    *_FEATURES,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrayParams:
    """Sizes, number formats and features of one neuron array.

    Parameters
    ----------
    inputs : int
        External input channels *M*, 1 to 2048. Each costs a row of N weights.
    neurons : int
        Neurons *N*, 1 to 2048; need not be a power of two. Each costs a row and a column of weights; a step
        takes at least ``N / neuron_lanes`` clocks.
    axons : int
        Further rows of weights, 0 to 4064, which other rows start after a delay: a source needs one for each
        delay of its synapses beyond the first. Each costs a row of N weights.
    lanes : int
        Synapses processed per clock *B*: 1, 2, 4, 8, 16 or 32. Results do not depend on it. More lanes make
        passes shorter; each costs a bank of weights, two multipliers and the logic of the learning rule.
    neuron_lanes : int
        Neurons updated per clock in the sweep: 1 to `lanes`. Results do not depend on it. Each lane costs
        four multipliers; raise it when the sweep dominates a step, which it does at low activity.
    weight_bits : int
        8 (weights -127..127) or 4 (-7..7). 4 halves the memory of the weights; learning then needs
        stochastic rounding.
    state_bits : int
        Width of V, the currents and the adaptive threshold, 12 to 24. Fewer bits save multipliers and
        memory, but small or slow changes are lost (docs/accuracy.md).
    trace_bits : int
        Width of the source and target traces, 8 to 16. Fewer bits save memory and multipliers, and limit
        the amplitude of learning.
    accumulator_bits : int
        Width of one step's synaptic input per neuron and sign, 10 to 24. Raise it if `acc_saturations`
        counts; each bit costs two bits of memory per neuron.
    delay_slots : int
        Slots of the delay wheel, a power of two, 2 to 256; a spike waits up to delay_slots-1 steps, and
        longer in a chain of axons. Each slot costs one bit per source.
    segments : int
        Entries of the pass program (a segment is one projection's part of a pass), 2 to 256. Raise it for
        networks of many projections; each costs six words of memory.
    probes : int
        State words that can be recorded per step, 1 to 4096; boards have 1 to 8. Each costs three words of
        memory, and 14 or 20 clocks in the steps that record it.
    record_words : int
        Depth of the record buffer, in 16-bit words; a power of two. A deeper one lets the array run on
        while the line is busy; a full one makes it wait, and nothing is lost.
    event_words : int
        Depth of the event queue, in 16-bit words; a power of two. A deeper one lets the host send spikes
        further ahead.
    counter_bits : int
        Width of the saturating event counters, 16 to 32. Fewer bits save registers; a counter that is full
        stays at its largest value.
    plasticity : bool
        Whether synapses can learn. Off saves the learning logic of every lane.
    soft_bounds : bool
        Whether a rule can scale changes by the room to the bound. Off saves a multiplier per lane.
    stochastic_rounding : bool
        Whether a rule can round changes at random. Off saves the random numbers; small changes are then
        lost.
    reward : bool
        Whether a rule can be scaled by a global signed factor (three-factor learning). Off saves a
        multiplier.
    adaptation : bool
        Whether thresholds adapt. Off saves a multiplier per neuron lane, and memory.
    generators : bool
        Whether inputs have on-chip spike generators. Off saves two words of memory per input; spikes then
        come from the host.
    spike_counters : bool
        Whether each neuron counts its spikes, so that the host need not read rasters. Off saves a word of
        memory per neuron.
    dendritic_delays : bool
        Whether the spikes of a neuron can reach its own synapses, which learn from them, after a delay. Costs
        one bit per neuron and delay slot, and a second scan of the wheel in each step.
    teaching : bool
        Whether events can fire neurons, and switch learning, adaptation and the reward. Off saves a bit of
        memory per neuron and some logic.
    single_port : bool
        Weights in single-ported memory, which is read in one clock and written in another: a chunk takes
        two clocks. For the SPRAM of the iCE40; needs `serial_neurons`. Results do not depend on it.
    serial_neurons : bool
        One multiplier works through each neuron word by word, instead of one neuron per clock. For small
        FPGAs; needs `neuron_lanes` 1. Results do not depend on it.
    clock_hz : int
        Clock of the array, in Hz. It decides the speed and, with `baud`, which line rates there are.
    baud : int
        Line rate of the serial port after power-up, in bits per second; at most a quarter of `clock_hz`.

    Raises
    ------
    ParameterError
        If a field has the wrong type or is out of range.
    """

    inputs: int = 64
    neurons: int = 256
    axons: int = 0
    lanes: int = 16
    neuron_lanes: int = 4
    weight_bits: int = 8
    state_bits: int = 24
    trace_bits: int = 16
    accumulator_bits: int = 20
    delay_slots: int = 16
    segments: int = 64
    probes: int = 8
    record_words: int = 4096
    event_words: int = 1024
    counter_bits: int = 32
    plasticity: bool = True
    soft_bounds: bool = True
    stochastic_rounding: bool = True
    reward: bool = True
    adaptation: bool = True
    generators: bool = True
    spike_counters: bool = True
    dendritic_delays: bool = False
    teaching: bool = True
    single_port: bool = False
    serial_neurons: bool = False
    clock_hz: int = 48_000_000
    baud: int = 1_000_000

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name in _FEATURES or field.name in _STRUCTURES:
                if not isinstance(value, bool):
                    raise ParameterError(f"{field.name} must be True or False, not {shown(value)}")
                continue
            if isinstance(value, bool) or not isinstance(value, int):
                raise ParameterError(
                    f"{field.name} must be a whole number (int), not {shown(value)} ({type(value).__name__})"
                )
            low, high = _RANGES.get(field.name, (value, value))
            if not low <= value <= high:
                raise ParameterError(f"{field.name} must be in {low}..{high}, not {value}")
            choices = _CHOICES.get(field.name, (value,))
            if value not in choices:
                raise ParameterError(
                    f"{field.name} must be one of {', '.join(map(str, choices))}, not {value}"
                )
        if self.clock_hz < CLOCKS_PER_BIT * self.baud:
            raise ParameterError(
                f"baud must be at most clock_hz / {CLOCKS_PER_BIT} ({self.clock_hz // CLOCKS_PER_BIT}), "
                f"not {self.baud}"
            )
        if self.neuron_lanes > self.lanes:
            raise ParameterError(
                f"neuron_lanes must be at most lanes ({self.lanes}), not {self.neuron_lanes}"
            )
        if self.single_port and not self.serial_neurons:
            raise ParameterError("single_port needs serial_neurons=True")
        if self.serial_neurons and self.neuron_lanes != 1:
            raise ParameterError(f"serial_neurons needs neuron_lanes 1, not {self.neuron_lanes}")
        if self.sources > _MOST_SOURCES:
            raise ParameterError(
                f"inputs, neurons and axons, each rounded up to 16, must be at most {_MOST_SOURCES} "
                f"together, not {self.sources}"
            )
        if self.record_words < 2 * self.record_worst_case:
            raise ParameterError(
                f"record_words must be at least {2 * self.record_worst_case} for {self.neurons} "
                f"neurons and {self.probes} probes, not {self.record_words}; "
                f"try {1 << (2 * self.record_worst_case - 1).bit_length()}"
            )
        if not self.plasticity and (self.soft_bounds or self.stochastic_rounding or self.reward):
            raise ParameterError(
                "soft_bounds, stochastic_rounding and reward are parts of plasticity; "
                "with plasticity=False set them to False too"
            )

    # ---- derived sizes -------------------------------------------------------------------------

    @property
    def input_words(self) -> int:
        """16-bit words of the inputs' bitmap (MW)."""
        return math.ceil(self.inputs / 16)

    @property
    def neuron_words(self) -> int:
        """16-bit words of the neurons' bitmap (NW)."""
        return math.ceil(self.neurons / 16)

    @property
    def axon_words(self) -> int:
        """16-bit words of the axons' bitmap (AW)."""
        return math.ceil(self.axons / 16)

    @property
    def source_words(self) -> int:
        """16-bit words of the sources' bitmap (SW)."""
        return self.input_words + self.neuron_words + self.axon_words

    @property
    def wheel_words(self) -> int:
        """16-bit words of a slot of the delay wheel: the sources, and with dendritic delays the columns."""
        return self.source_words + (self.neuron_words if self.dendritic_delays else 0)

    @property
    def first_neuron_source(self) -> int:
        """Source id of neuron 0 (Mp)."""
        return 16 * self.input_words

    @property
    def first_axon_source(self) -> int:
        """Source id of axon 0."""
        return 16 * (self.input_words + self.neuron_words)

    @property
    def sources(self) -> int:
        """Source ids (S): rows of the weight matrix, padding included."""
        return 16 * self.source_words

    @property
    def target_chunks(self) -> int:
        """Chunks of `lanes` targets in a full row, padded to whole bitmap words."""
        return math.ceil(16 * self.neuron_words / self.lanes)

    @property
    def source_chunks(self) -> int:
        """Chunks of `lanes` sources in a full column."""
        return math.ceil(self.sources / self.lanes)

    @property
    def weight_max(self) -> int:
        """Largest weight; its negative is the smallest."""
        return (1 << (self.weight_bits - 1)) - 1

    @property
    def weight_absent(self) -> int:
        """The weight that means 'no synapse'."""
        return -self.weight_max - 1

    @property
    def state_max(self) -> int:
        """Largest state value (SMAX)."""
        return (1 << (self.state_bits - 1)) - 1

    @property
    def trace_max(self) -> int:
        """Largest trace (TMAX)."""
        return (1 << self.trace_bits) - 1

    @property
    def accumulator_max(self) -> int:
        """Largest accumulator value (AMAX)."""
        return (1 << self.accumulator_bits) - 1

    @property
    def max_delay(self) -> int:
        """Most steps that a spike can wait in the wheel."""
        return self.delay_slots - 1

    @property
    def synapses(self) -> int:
        """Synapses of the dense matrix: a row of N for each input, neuron and axon."""
        return (self.inputs + self.neurons + self.axons) * self.neurons

    @property
    def record_worst_case(self) -> int:
        """Most words that one step can add to the record buffer, the end of a run included."""
        return 2 + (1 + self.neuron_words) + (1 + 2 * self.probes) + 4

    @property
    def chunk_clocks(self) -> int:
        """Clocks of a chunk of `lanes` synapses in a pass."""
        return 2 if self.single_port else 1

    # ---- identity ------------------------------------------------------------------------------

    def replace(self, **changes: int | bool) -> ArrayParams:
        """Return a copy with some fields changed, checked like a new one."""
        return ArrayParams.from_dict({**self.to_dict(), **changes})

    def to_dict(self) -> dict[str, int | bool]:
        """Return all fields by name, in order."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ArrayParams:
        """Make parameters from a mapping; unknown keys are an error that lists the known ones."""
        names = [f.name for f in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise ParameterError(f"unknown array parameter {unknown[0]!r}; known are: {', '.join(names)}")
        return cls(**values)

    def digest(self) -> str:
        """Return 32 hex digits that name this design: every field, and the semantics' version."""
        return _digest(self.to_dict())

    def semantics_digest(self) -> str:
        """Return 32 hex digits that name what an image depends on.

        Two designs with the same semantics digest run the same image to the same bits: lanes,
        clock, baud and buffer sizes are left out.
        """
        return _digest(self.semantics())

    def semantics(self) -> dict[str, int | bool]:
        """Return the fields that an image depends on, by name."""
        values = self.to_dict()
        return {name: values[name] for name in _SEMANTIC}


def allowed(name: str) -> str:
    """Return in words which values a field of ArrayParams may have."""
    if name in _FEATURES or name in _STRUCTURES:
        return "True or False"
    if name not in _CHOICES:
        low, high = _RANGES[name]
        return f"{low:,} to {high:,}"
    choices = _CHOICES[name]
    if len(choices) > 5:
        return f"a power of two, {choices[0]:,} to {choices[-1]:,}"
    return f"{', '.join(map(str, choices[:-1]))} or {choices[-1]}"


def _digest(values: Mapping[str, int | bool]) -> str:
    text = json.dumps({"semantics": SEMANTICS_VERSION, **values}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
