"""The address space: an address is (region, offset of 24 bits), data are 16 bits."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["OFFSETS", "Region"]

OFFSETS = 1 << 24
"""Offsets that a command can name."""


class Region(IntEnum):
    """A memory or register file; `memory_map` has the rest."""

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
