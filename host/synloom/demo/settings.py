"""The digit network's parameters, in SI units."""

from __future__ import annotations

from dataclasses import dataclass

from synloom.contract.params import ArrayParams

__all__ = ["ARRAY", "DigitSettings"]

ARRAY = ArrayParams(inputs=144, neurons=256, lanes=16, neuron_lanes=4)
"""The array that the demo builds when the target can be any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DigitSettings:
    """One form of the experiment. The defaults were found by search on the training part (docs/digits.md).

    Parameters
    ----------
    neurons : int
        Neurons, a multiple of 10.
    epochs : int
        How often the training part is shown, each time in another random order.
    show_ms : int
        How long an image is shown, in steps of 1 ms; a power of two, so that the metronome's regular
        generator has exactly this period.
    looks : int
        How often in a row a test image is shown: more spikes, a surer vote.
    strength_hz : float
        Length of an image's rates.
    tau_m : float
        Membrane time constant, ms.
    threshold, fall : float
        Threshold, and what a spike takes off the potential, mV.
    rivalry : float
        What each spike takes off all other neurons' potentials, mV.
    blank : float
        What the metronome takes off every potential between two images, mV.
    teacher : float
        What each step of the teacher takes off the neurons of all other classes, mV.
    A, A_end : float
        Learning rate at the start and at the end; it falls exponentially, through the reward factor.
    tau_trace, target : float
        Time constant of the inputs' traces, ms, and the trace at which a weight stays.
    w_low, w_high : float
        Range of the random weights at the start, mV; learned ones are within -1 to 1.
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
