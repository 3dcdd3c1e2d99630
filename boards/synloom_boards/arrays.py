"""Default arrays that several boards share."""

from __future__ import annotations

from typing import Final

from synloom.contract import ArrayParams

__all__ = ["LFE5U_25F", "SMALL_PART", "UP5K"]

LFE5U_25F: Final = ArrayParams(
    lanes=8,
    neuron_lanes=1,
    state_bits=18,
    record_words=1024,
    event_words=128,
    soft_bounds=False,
    clock_hz=72_500_000,
)
"""Uses all 56 block memories of the smallest ECP5."""

SMALL_PART: Final = ArrayParams(
    lanes=1,
    neuron_lanes=1,
    state_bits=16,
    trace_bits=8,
    accumulator_bits=16,
    segments=32,
    probes=1,
    event_words=256,
    counter_bits=16,
    soft_bounds=False,
    reward=False,
    adaptation=False,
    generators=False,
    teaching=False,
    single_port=True,
    serial_neurons=True,
)
"""Fits in about 5,000 look-up tables; each board sets the number of neurons and the clock."""

UP5K: Final = SMALL_PART.replace(
    inputs=256, neurons=256, lanes=2, delay_slots=8, record_words=256, clock_hz=24_000_000
)
"""Fills the four SPRAM blocks of an iCE40UP5K with weights."""
