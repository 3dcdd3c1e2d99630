"""Stimuli as integers of the array: generator rates and exact-time events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray, steps_of
from synloom.base.errors import ParameterError
from synloom.contract.memory_map import GENERATOR
from synloom.image.report import ReportBuilder
from synloom.network.inputs import InputPopulation

__all__ = ["ALWAYS", "input_events", "rate_words", "rates_of"]

ALWAYS: Final = GENERATOR["rate"].high
_UNIT: Final = 1 << GENERATOR["rate"].width


def rate_words(hz: FloatArray, generator: str, dt: float, bits: int = 15) -> npt.NDArray[np.uint16]:
    """Return the words of GEN_RATE, (n,) uint16, for rates in Hz.

    Parameters
    ----------
    hz : (n,) float64
        Rates, at least 0.
    generator : str
        ``"poisson"`` or ``"regular"``.
    dt : float
        Time step, ms.
    bits : int
        Significant bits of the largest rate. With 8, the line carries each rate in one byte (RATES8).

    Raises
    ------
    ParameterError
        If a rate is above one spike per step.
    """
    part = hz * (dt / 1000.0)
    if (part > 1.0 + 1e-9).any():
        raise ParameterError(
            f"rates must be at most {1000.0 / dt:g} Hz (one spike per step of {dt:g} ms), "
            f"not {hz.max():g} Hz; lower the rates or dt"
        )
    words = np.minimum(np.rint(part * _UNIT), ALWAYS).astype(np.int64)
    shift = max(0, int(words.max(initial=0)).bit_length() - bits)
    if shift:
        most = (1 << bits) - 1
        words = np.minimum(np.minimum((words + (1 << (shift - 1))) >> shift, most) << shift, ALWAYS)
    regular = np.full(len(words), generator == "regular")
    return GENERATOR.pack({"rate": words, "regular": regular})[:, 0]


def rates_of(words: npt.NDArray[np.uint16], dt: float) -> FloatArray:
    """Return the mean rates in Hz, (n,) float64, of the words of GEN_RATE; `dt` is in ms."""
    fields = GENERATOR.unpack(words[:, None])
    certain = (fields["rate"] == ALWAYS) & (fields["regular"] == 0)
    return np.where(certain, 1.0, fields["rate"] / _UNIT) * (1000.0 / dt)


def input_events(
    inputs: Sequence[tuple[InputPopulation, int, IntArray]], dt: float, report: ReportBuilder
) -> IntArray:
    """Return the spikes that the network contains as events, (E, 2) int64 of (step, input id), sorted.

    Parameters
    ----------
    inputs : sequence of (InputPopulation, int, (n,) int64)
        Each input population, its first source id and its delays in steps, which are added to the times.
    dt : float
        Time step, ms.
    report : ReportBuilder
        Takes a row for times that are not at a step.

    Raises
    ------
    ParameterError
        If a time is 2**31 steps or more.
    """
    parts = [np.zeros((0, 2), dtype=np.int64)]
    for population, first, delay in inputs:
        for k, times in enumerate(population.spike_times):
            if not len(times):
                continue
            steps = steps_of(f"spike_times[{k}] of {population.label!r}", times, dt)
            if np.abs(steps * dt - times).max() > 1e-6 * dt:
                report.add(
                    str(population.label), f"spike_times[{k}] (ms)", times, steps * dt, "moved to a step"
                )
            parts.append(np.stack([steps + delay[k], np.full(len(steps), first + k)], axis=1))
    return np.unique(np.concatenate(parts), axis=0)
