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

__all__ = ["ALWAYS", "OFF_GRID", "input_events", "rate_words", "rates_of"]

ALWAYS: Final = GENERATOR["rate"].high
_UNIT: Final = 1 << GENERATOR["rate"].width
OFF_GRID: Final = 0.02
"""Part of a step by which a time may move without a remark."""


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
        Takes a row for each population, and remarks on times between steps and on spikes that share a step.

    Raises
    ------
    ParameterError
        If a time is 2**31 steps or more.
    """
    parts = [np.zeros((0, 2), dtype=np.int64)]
    for population, first, delay in inputs:
        count = [len(times) for times in population.spike_times]
        if not sum(count):
            continue
        label, channel = str(population.label), np.repeat(np.arange(population.n), count)
        times = np.concatenate(population.spike_times)
        steps = steps_of(f"spike_times of {label!r}", times, dt)
        events = np.stack([steps + delay[channel], first + channel], axis=1)
        parts.append(np.unique(events, axis=0))
        _report_times(label, times, np.asarray(steps * dt), dt, report)
        if len(parts[-1]) < len(events):
            report.note(
                f"{label}: {len(events) - len(parts[-1])} of {len(events)} spikes do not act, since their "
                f"channel spikes in the same step already; use more channels, a larger weight or a smaller dt"
            )
    return np.unique(np.concatenate(parts), axis=0)


def _report_times(label: str, times: FloatArray, got: FloatArray, dt: float, report: ReportBuilder) -> None:
    off = np.abs(got - times)
    worst = int(np.argmax(off))
    report.add(label, "spike_times (ms)", times[worst], got[worst], quiet=True)
    moved = int((off > OFF_GRID * dt).sum())
    if moved:
        report.note(
            f"{label}: {moved} of {len(times)} spike times are between steps of {dt:g} ms and act at the "
            f"nearest one, up to {off[worst]:.3g} ms off (half a step rounds up)"
        )
