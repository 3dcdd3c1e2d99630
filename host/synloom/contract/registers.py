"""Register files: the CTRL registers, the LINK registers, the counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "CONTROL_REGISTERS",
    "COUNTERS",
    "LINK_REGISTERS",
    "LIST_VALID",
    "WIDE_COUNTER_BITS",
    "Counter",
    "Mode",
    "Register",
    "control",
    "link",
    "settable_block",
]

WIDE_COUNTER_BITS: Final = 48
"""Bits of a wide counter."""

LIST_VALID: Final = 0x8000
"""The bit of X_LIST and Y_LIST that says that the list is there."""


@dataclass(frozen=True, slots=True)
class Register:
    """One register of a register file.

    Parameters
    ----------
    name : str
    offset, words : int
        Where it is, and its size; the low word comes first.
    signed, writable : bool
    live : bool
        The array changes it itself while it runs.
    at_first : int
        Its value after power-up.
    doc : str
        What it means.
    """

    name: str
    offset: int
    words: int = 1
    signed: bool = False
    writable: bool = True
    live: bool = False
    at_first: int = 0
    doc: str = ""

    def pack(self, value: int) -> npt.NDArray[np.uint16]:
        """Return the words of a value, (words,) uint16."""
        return np.array([value >> 16 * k & 0xFFFF for k in range(self.words)], dtype=np.uint16)

    def unpack(self, words: npt.ArrayLike) -> int:
        """Return the value of its words, unsigned."""
        return sum(int(word) << 16 * k for k, word in enumerate(np.asarray(words).tolist()))


def _registers(*entries: tuple[str, int, str, str]) -> dict[str, Register]:
    """Place registers one after the other; kinds are w(ritable), s(igned), l(ive), 1 (after power-up)."""
    registers: dict[str, Register] = {}
    offset = 0
    for name, words, kind, doc in entries:
        registers[name] = Register(
            name, offset, words, "s" in kind, "w" in kind, "l" in kind, int("1" in kind), doc
        )
        offset += words
    return registers


CONTROL_REGISTERS: Final = _registers(
    ("now", 2, "wl", "The next step's number, t."),
    ("learn_rng", 4, "wl1", "State of the learning random generator; must not be 0."),
    ("gen_rng", 4, "wl1", "State of the stimulus random generator; must not be 0."),
    ("period", 2, "w", "Clocks per step of a paced run."),
    ("sweep_count", 1, "w", "Neurons in use: the sweep updates 0..sweep_count-1."),
    ("gen_words", 1, "w", "Words of inputs (16 each) whose generators run."),
    ("x_list", 1, "w", "Bit 15: valid; bits 7:0: first segment of the source traces' decay list."),
    ("y_list", 1, "w", "Bit 15: valid; bits 7:0: first segment of the target traces' decay list."),
    ("one_x", 1, "w", "What a spike adds to a source trace."),
    ("one_y", 1, "w", "What a spike adds to a target trace."),
    ("reward", 1, "wsl", "Global reward factor, 256 is 1.0."),
    ("mode", 1, "wl", "Bit 0: learn; bit 1: adapt (thresholds); bit 2: raster (record spikes)."),
    ("probe_count", 1, "w", "Probes recorded, from the first."),
    ("probe_every", 1, "w1", "Steps between probe records, at least 1."),
    ("probe_wait", 1, "wl", "Steps to wait before the next probe record."),
    ("status", 1, "", "Bit 0: running; bit 1: paused."),
    ("event_room", 1, "", "Free words of the event queue."),
)

LINK_REGISTERS: Final = _registers(
    ("divisor", 1, "w", "Clocks per bit of the serial port."),
    ("crc_errors", 1, "w", "Frames dropped for a wrong checksum; write to clear."),
    ("overflows", 1, "w", "Frames dropped because the receiver was full; write to clear."),
    ("framing_errors", 1, "w", "Characters without a stop bit; write to clear."),
    ("resends", 1, "w", "Commands answered again because their reply was lost; write to clear."),
    ("scratch", 1, "w", "Keeps what is written: for link tests."),
    ("first_record", 1, "", "Offset of the oldest record word that is held, modulo 65536."),
)


@dataclass(frozen=True, slots=True)
class Counter:
    """A saturating counter of the COUNTERS region; writing any word of it clears it.

    Parameters
    ----------
    name, doc : str
        What it counts.
    wide : bool
        `WIDE_COUNTER_BITS` instead of `counter_bits`.
    timed : bool
        It depends on clocks or lanes, so that a model does not have it.
    loss : bool
        It tells of something lost or limited.
    """

    name: str
    doc: str
    wide: bool = False
    timed: bool = False
    loss: bool = False


COUNTERS: Final = {
    counter.name: counter
    for counter in (
        Counter("steps", "Steps done.", wide=True),
        Counter("busy_clocks", "Clocks spent inside steps.", wide=True, timed=True),
        Counter(
            "stall_clocks",
            "Clocks a step waited for room in the record buffer or for gated events.",
            wide=True,
            timed=True,
        ),
        Counter("late_steps", "Steps of paced runs that began after their time.", timed=True, loss=True),
        Counter("row_passes", "Segments of row passes."),
        Counter("column_passes", "Segments of column passes."),
        Counter(
            "chunks",
            "Chunks of all row and column passes; the sum of ceil(length/B).",
            wide=True,
            timed=True,
        ),
        Counter("spikes", "Spikes of neurons."),
        Counter("acc_saturations", "Synaptic sums clipped.", loss=True),
        Counter("state_saturations", "Neuron state clipped.", loss=True),
        Counter("trace_saturations", "Traces clipped.", loss=True),
        # Bounds are part of a rule: to meet one is no loss.
        Counter("weight_clips", "Weight updates that met a bound."),
        Counter("events_late", "Events dropped because their step had passed.", loss=True),
        Counter(
            "events_merged", "Events for an input or neuron that already had one in that step.", loss=True
        ),
        Counter(
            "events_invalid", "Events dropped because no such input, neuron or setting exists.", loss=True
        ),
    )
}
"""Counters by name, in the order of the region."""


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


def settable_block(values: Mapping[str, int]) -> npt.NDArray[np.uint16]:
    """Return the words of all writable CTRL registers, from offset 0 on; those not given are as at first."""
    settable = [register for register in CONTROL_REGISTERS.values() if register.writable]
    return np.concatenate([r.pack(values.get(r.name, r.at_first)) for r in settable])
