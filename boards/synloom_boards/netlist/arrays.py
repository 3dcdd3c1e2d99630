"""The arrays whose netlists are simulated by default: small ones, with all features of the gateware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from synloom.contract import ArrayParams

__all__ = ["SMALL_ARRAYS"]

_SMALL: Final = ArrayParams(
    inputs=16,
    neurons=16,
    axons=16,
    lanes=2,
    neuron_lanes=1,
    state_bits=16,
    trace_bits=12,
    accumulator_bits=16,
    delay_slots=8,
    segments=32,
    probes=4,
    record_words=256,
    event_words=256,
    counter_bits=16,
    dendritic_delays=True,
    clock_hz=8_000_000,
    baud=2_000_000,
)

SMALL_ARRAYS: Final[Mapping[str, ArrayParams]] = {
    "ice40": _SMALL.replace(single_port=True, serial_neurons=True),
    "ecp5": _SMALL,
    "gowin": _SMALL.replace(single_port=True, serial_neurons=True, clock_hz=40_000_000, baud=10_000_000),
}
"""By family, with the structure of its boards: on iCE40 and Gowin, weights are in single-ported memory and
neurons share one multiplier. A fast clock pipelines the lanes, a slow one does not."""
