"""Words of the record stream (device to host) and of the event stream (host to device)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from synloom.contract.layout import Field, Layout

__all__ = [
    "END_WORD",
    "EVENT_ADVANCE",
    "EVENT_MAX_ADVANCE",
    "EVENT_SETTING",
    "SETTING",
    "TIME_MAX",
    "EndReason",
    "RecordKind",
    "SettingKind",
    "setting",
]


class RecordKind(IntEnum):
    """Bits 15:14 of a record's first word; bits 13:0 are its argument."""

    SPIKES = 0
    """argument = count (1 or more); that many neuron indices follow, ascending."""
    BITMAP = 1
    """argument = NW; that many words of the neurons' bitmap follow. Used when count >= NW."""
    PROBES = 2
    """argument = count; two words for each probe follow, low word first."""
    TIME = 3
    """argument = steps to advance before the records that follow, 1..TIME_MAX."""


TIME_MAX: Final = 0x3FFE
"""Largest step of one TIME word; a silent stretch of TIME_MAX steps is written when it is full."""

END_WORD: Final = 0xFFFF
"""End of a run: then the step (low word, high word) and the reason follow."""


class EndReason(IntEnum):
    """Why a run stopped."""

    DONE = 0
    PAUSED = 1
    ABORTED = 2


EVENT_ADVANCE: Final = 0x8000
"""Event words: with bit 15 the cursor advances by bits 14:0 steps; else the word is an event due then.

The cursor starts at `now` when the queue is reset and goes on across runs."""

EVENT_MAX_ADVANCE: Final = 0x7FFF

EVENT_SETTING: Final = 0x4000
"""An event with this bit is a setting."""

SETTING: Final = Layout(
    "setting",
    Field("value", 8, doc="Its value"),
    Field("reserved", 4),
    Field("kind", 2, doc="Which one (SettingKind)"),
    Field("is_setting", 1, doc="EVENT_SETTING"),
)
"""The word of an event that is a setting."""


class SettingKind(IntEnum):
    """What a setting changes."""

    MODE = 0
    """Bits of `mode`: those with a 1 in bits 5:4 of the value become its bits 1:0."""
    REWARD_LOW = 1
    """The low byte of `reward`."""
    REWARD_HIGH = 2
    """The high byte of `reward`."""


def setting(kind: SettingKind, value: int) -> int:
    """Return the word of the event that is a setting; `value` is 0 to 255."""
    return int(SETTING.pack({"value": value, "kind": kind, "is_setting": 1})[0, 0])
