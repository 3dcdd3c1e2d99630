"""The arrays whose netlists are simulated by default: small ones, with all features of the gateware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from synloom.contract import ArrayParams

__all__ = ["SMALL_ARRAYS", "family_of", "small_array"]

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

_QUICK: Final = {"clock_hz": 40_000_000, "baud": 10_000_000}
"""A clock that pipelines the lanes of single-ported arrays."""

SMALL_ARRAYS: Final[Mapping[str, ArrayParams]] = {
    "ice40": _SMALL.replace(single_port=True, serial_neurons=True),
    "ecp5": _SMALL,
    "gowin": _SMALL.replace(**_QUICK),
    "gowin-serial": _SMALL.replace(serial_neurons=True, **_QUICK),
}
"""By family and, if its boards differ, by structure: on iCE40, weights are in single-ported memory; there and
on the smallest of Gowin, neurons share one multiplier."""


def family_of(name: str) -> str:
    """Return the family of one of `SMALL_ARRAYS`."""
    return name.partition("-")[0]


def small_array(params: ArrayParams) -> ArrayParams:
    """Return the small array in the structure and with the clock of another."""
    kept = ("single_port", "serial_neurons", "clock_hz", "baud")
    return _SMALL.replace(**{name: getattr(params, name) for name in kept})
