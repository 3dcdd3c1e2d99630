"""The parameters of the digit network, in the SDK's units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from synloom.contract.params import ArrayParams

__all__ = ["ARRAY", "FORMS", "SETTINGS", "DigitSettings"]

ARRAY = ArrayParams(inputs=144, neurons=256, lanes=16, neuron_lanes=4)
"""The array of the demo on targets that become any array."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DigitSettings:
    """Parameters of one form; defaults are those with a teacher, from a search on the training part.

    Parameters
    ----------
    neurons : int
        Number of neurons, a multiple of 10.
    epochs : int
        Number of times the training part is shown, each in another random order.
    show_ms : int
        Duration of an image, in steps of 1 ms; a power of two, so that the regular generator of the
        metronome has exactly this period.
    looks : int
        Number of such durations for which a test image is shown; more spikes make the vote more reliable.
    strength_hz : float
        Euclidean length of an image's rates, Hz.
    tau_m : float
        Membrane time constant, ms.
    threshold, fall : float
        Threshold, and by how much a spike lowers the neuron's own potential, mV.
    rivalry : float
        By how much a spike lowers the potentials of all other neurons, mV.
    blank : float
        By how much the metronome lowers all potentials between two images, mV.
    teacher : float
        By how much the teacher lowers the potentials of all other classes in each step, mV.
    A, A_end : float
        Learning rate at the start and at the end; the reward factor lowers it exponentially.
    tau_trace, target : float
        Time constant of the input traces, ms, and the trace at which a weight does not change.
    w_low, w_high : float
        Range of the random initial weights, mV; learned weights are within -1 to 1.
    vote_power : float
        A neuron with k spikes has ``k**vote_power`` votes.
    """

    neurons: int = 250
    epochs: int = 2
    show_ms: int = 16
    looks: int = 2
    strength_hz: float = 2200.0
    tau_m: float = 4.8
    threshold: float = 16.5
    fall: float = 0.7
    rivalry: float = 2.6
    blank: float = 40.0
    teacher: float = 11.0
    A: float = 0.2
    A_end: float = 0.1
    tau_trace: float = 0.9
    target: float = 0.18
    w_low: float = 0.25
    w_high: float = 0.7
    vote_power: float = 1.0


FORMS: Final = ("supervised", "unsupervised")
SETTINGS: Final[Mapping[str, DigitSettings]] = {
    "supervised": DigitSettings(),
    "unsupervised": DigitSettings(
        strength_hz=2340.0, fall=0.69, rivalry=3.1, A=0.235, w_low=0.09, w_high=0.64, vote_power=0.5
    ),
}
"""Without a teacher, neurons that start less alike and compete harder share the images better.

Their bursts say less: what a neuron has learned is of its own choice.
"""
