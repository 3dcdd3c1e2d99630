"""Settings that change at an exact step, as ids of events (docs/numbers.md, exact-time events)."""

from __future__ import annotations

from typing import Final

import numpy as np

from synloom.base.checks import IntArray
from synloom.contract.records import EVENT_SETTING, SettingKind
from synloom.contract.registers import Mode

__all__ = ["settings_of", "without_values"]

_KIND: Final = 12
"""The lowest bit of the kind."""


def settings_of(learning: bool | None, adaptation: bool | None, reward: int | None) -> list[int]:
    """Return the ids of settings, each of which replaces others of its kind alone.

    Parameters
    ----------
    learning, adaptation : bool or None
        The switches of the mode; None leaves one as it is.
    reward : int or None
        The word of the reward register; None leaves it as it is.
    """
    ids = []
    for bit, on in ((Mode.LEARN, learning), (Mode.ADAPT, adaptation)):
        if on is not None:
            ids.append(_id(SettingKind.MODE, 16 << bit | int(on) << bit))
    if reward is not None:
        ids.append(_id(SettingKind.REWARD_LOW, reward & 0xFF))
        ids.append(_id(SettingKind.REWARD_HIGH, reward >> 8 & 0xFF))
    return ids


def without_values(ids: IntArray) -> IntArray:
    """Return what each of these events, (K,) ids, acts on: settings lose their values, spikes stay."""
    value = np.where(ids >> _KIND == _id(SettingKind.MODE, 0) >> _KIND, 0x0F, 0xFF)
    return np.where(ids >= EVENT_SETTING, ids & ~value, ids)


def _id(kind: SettingKind, value: int) -> int:
    return EVENT_SETTING | kind << _KIND | value
