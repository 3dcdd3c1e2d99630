"""The address map: regions, registers and counters, once for gateware, host and documentation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from synloom.contract.layout import (
    neuron_params_layout,
    neuron_state_layout,
)
from synloom.contract.params import ArrayParams

__all__ = [
    "CONTROL_REGISTERS",
    "COUNTERS",
    "COUNTER_STRIDE",
    "LINK_REGISTERS",
    "Mode",
    "Region",
    "Register",
    "control",
    "counter_offset",
    "link",
    "region_size",
    "weight_offset",
    "wheel_offset",
]


class Region(IntEnum):
    """A memory or register file; an address is (region, offset of 24 bits), data are 16 bits."""

    INFO = 0
    CTRL = 1
    COUNTERS = 2
    LINK = 3
    WEIGHTS = 4
    NEURON_PARAMS = 5
    NEURON_STATE = 6
    X_TRACE = 7
    Y_TRACE = 8
    SOURCE = 9
    TARGET = 10
    PROGRAM = 11
    GEN_RATE = 12
    GEN_PHASE = 13
    WHEEL = 14
    SPIKE_COUNTS = 15
    PROBES = 16


@dataclass(frozen=True, slots=True)
class Register:
    """One register of a register file; two words wide ones have the low word first."""

    name: str
    offset: int
    words: int = 1
    signed: bool = False
    writable: bool = True
    doc: str = ""


def _registers(*entries: tuple[str, int, str, str]) -> dict[str, Register]:
    registers: dict[str, Register] = {}
    offset = 0
    for name, words, kind, doc in entries:
        registers[name] = Register(name, offset, words, "s" in kind, "w" in kind, doc)
        offset += words
    return registers


CONTROL_REGISTERS: Final = _registers(
    ("now", 2, "w", "The next step's number, t."),
    ("learn_rng", 2, "w", "State of the learning random generator; must not be 0."),
    ("gen_rng", 2, "w", "State of the stimulus random generator; must not be 0."),
    ("period", 2, "w", "Clocks per step of a paced run."),
    ("sweep_count", 1, "w", "Neurons in use: the sweep updates 0..sweep_count-1."),
    ("gen_words", 1, "w", "Words of inputs (16 each) whose generators run."),
    ("x_list", 1, "w", "Bit 15: valid; bits 7:0: first segment of the pre traces' decay list."),
    ("y_list", 1, "w", "Bit 15: valid; bits 7:0: first segment of the post traces' decay list."),
    ("one_x", 1, "w", "What a spike adds to a pre trace."),
    ("one_y", 1, "w", "What a spike adds to a post trace."),
    ("reward", 1, "ws", "Global reward factor, 256 is 1.0."),
    ("mode", 1, "w", "Bit 0: learn; bit 1: adapt (thresholds); bit 2: raster (record spikes)."),
    ("probe_count", 1, "w", "Probes recorded, from the first."),
    ("probe_every", 1, "w", "Steps between probe records, at least 1."),
    ("probe_wait", 1, "w", "Steps to wait before the next probe record."),
    ("status", 1, "", "Bit 0: running; bit 1: paused."),
    ("remaining", 2, "", "Steps left of the run."),
    ("event_room", 1, "", "Free words of the event queue."),
)

LINK_REGISTERS: Final = _registers(
    ("divisor", 1, "w", "Clocks per bit of the serial port."),
    ("crc_errors", 1, "w", "Frames dropped for a wrong check sum; write to clear."),
    ("overflows", 1, "w", "Frames dropped because the receiver was full; write to clear."),
    ("framing_errors", 1, "w", "Characters without a stop bit; write to clear."),
    ("resends", 1, "w", "Commands answered again because their reply was lost; write to clear."),
    ("scratch", 1, "w", "Keeps what is written: for link tests."),
    ("first_record", 1, "", "Offset of the oldest record word that is held, modulo 65536."),
)

COUNTERS: Final[tuple[tuple[str, str], ...]] = (
    ("steps", "Steps done."),
    ("busy_clocks", "Clocks spent inside steps."),
    ("stall_clocks", "Clocks a step waited for room in the record buffer or for gated events."),
    ("late_steps", "Steps of paced runs that began after their time."),
    ("row_passes", "Segments of row passes."),
    ("column_passes", "Segments of column passes."),
    ("chunks", "Chunks of all row and column passes; the sum of ceil(length/B)."),
    ("spikes", "Spikes of neurons."),
    ("acc_saturations", "Synaptic sums clipped."),
    ("state_saturations", "Neuron state clipped."),
    ("trace_saturations", "Traces clipped."),
    ("weight_clips", "Weight updates that met a bound."),
    ("events_late", "Events dropped because their step had passed."),
    ("events_merged", "Events for an input that already had one in that step."),
    ("events_invalid", "Events dropped because the input does not exist."),
)
"""Counters of the COUNTERS region, in order; each takes COUNTER_STRIDE words, low word first.

They saturate; writing any word of one clears it.
"""

COUNTER_STRIDE: Final = 4
WIDE_COUNTERS: Final = frozenset({"busy_clocks", "steps", "stall_clocks", "chunks"})
"""Counters of 48 bits; the others have `counter_bits`."""


class Mode(IntEnum):
    """Bits of the `mode` register."""

    LEARN = 0
    ADAPT = 1
    RASTER = 2


def control(name: str) -> Register:
    """Return a register of the CTRL region."""
    return CONTROL_REGISTERS[name]


def link(name: str) -> Register:
    """Return a register of the LINK region."""
    return LINK_REGISTERS[name]


def counter_offset(name: str) -> int:
    """Return the offset of a counter in the COUNTERS region."""
    return COUNTER_STRIDE * [n for n, _ in COUNTERS].index(name)


def weight_offset(source: int, target: int) -> int:
    """Return the offset of w[source, target] in WEIGHTS; the next of target N-1 is (source+1, 0)."""
    return source << 12 | target


def wheel_offset(slot: int, word: int) -> int:
    """Return the offset of a word of a wheel slot in WHEEL."""
    return slot << 8 | word


NEURON_PARAMS_STRIDE: Final = 16
NEURON_STATE_STRIDE: Final = 8
SEGMENT_STRIDE: Final = 8
PROBE_STRIDE: Final = 4
"""Words per entry; a probe is (region | wide << 15, offset low, offset high, 0).

A wide probe reads the word at its offset and the next one; otherwise the second word is 0.
"""


def region_size(params: ArrayParams, region: Region) -> int:
    """Return how many offsets a region has; reading beyond gives 0, writing does nothing."""
    assert neuron_params_layout(params).words <= NEURON_PARAMS_STRIDE
    assert neuron_state_layout(params).words <= NEURON_STATE_STRIDE
    return {
        Region.INFO: 256,
        Region.CTRL: sum(r.words for r in CONTROL_REGISTERS.values()),
        Region.COUNTERS: COUNTER_STRIDE * len(COUNTERS),
        Region.LINK: sum(r.words for r in LINK_REGISTERS.values()),
        Region.WEIGHTS: params.sources << 12,
        Region.NEURON_PARAMS: NEURON_PARAMS_STRIDE * params.neurons,
        Region.NEURON_STATE: NEURON_STATE_STRIDE * params.neurons,
        Region.X_TRACE: params.sources,
        Region.Y_TRACE: params.neurons,
        Region.SOURCE: params.sources,
        Region.TARGET: params.neurons,
        Region.PROGRAM: SEGMENT_STRIDE * params.segments,
        Region.GEN_RATE: 16 * params.input_words,
        Region.GEN_PHASE: 16 * params.input_words,
        Region.WHEEL: params.delay_slots << 8,
        Region.SPIKE_COUNTS: params.neurons,
        Region.PROBES: PROBE_STRIDE * params.probes,
    }[region]
