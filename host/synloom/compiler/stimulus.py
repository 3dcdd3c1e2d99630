"""Stimuli as integers of the array: generator rates and exact-time events."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray, steps_of
from synloom.base.errors import ParameterError
from synloom.contract.memory_map import GENERATOR
from synloom.image.report import ReportBuilder
from synloom.network.inputs import InputPopulation

__all__ = ["OFF_GRID", "RATE_BITS", "input_events", "rate_words", "rates_of"]

RATE_BITS: Final = GENERATOR["mantissa"].width
"""Bits of a rate's mantissa."""

_UNIT: Final = 1 << RATE_BITS
_LARGEST: Final = GENERATOR["mantissa"].high
_TOP: Final = GENERATOR["exponent"].high
"""The field for the exponent 0 of 1/8, which is that of the largest rates and shortest periods."""

_SMALLEST: Final = 6
"""The exponent of 1/8 of the smallest rates."""

_STEP_PERIOD: Final = 512
"""The mantissa of a period of one step."""

_LEAST_RATES: Final = (_UNIT // 8 - 0.5) / _UNIT / 8.0 ** np.arange(_SMALLEST - 1, -1, -1)
"""Least probabilities that have the exponents `_SMALLEST` - 1 down to 0: their mantissas have all bits."""

_ABOVE_PERIODS: Final = (_LARGEST + 0.5) * 8.0 ** np.arange(_TOP)
"""Periods from which the mantissa does not fit with the exponents 0, 1, ..., in units of 1/512 step."""

OFF_GRID: Final = 0.02
"""Part of a step by which a time may move without a remark."""


def rate_words(hz: FloatArray, generator: str, dt: float, bits: int = RATE_BITS) -> npt.NDArray[np.uint16]:
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
        With `RATE_BITS` each random rate has an exponent of its own, and is right within 0.1 %. With fewer,
        all share that of the largest, of which so many bits remain; with up to 8, the line carries each rate
        in one byte (RATES8). Regular rates always have an exponent of their own.

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
    if generator == "regular":
        mantissa, e = _periods(part)
    elif bits < RATE_BITS:
        mantissa, e = _common_rates(part, bits)
    else:
        mantissa, e = _rates(part)
    words = GENERATOR["mantissa"].encode(mantissa) | GENERATOR["exponent"].encode(_TOP - e)
    if generator == "regular":
        words |= GENERATOR["regular"].encode((mantissa > 0).astype(np.int64))
    return words.astype(np.uint16)


def _rates(part: FloatArray) -> tuple[IntArray, IntArray]:
    """Return mantissas and exponents of 1/8 of probabilities, (n,) each; a word of 0 for a rate of 0."""
    if not part.any():
        return np.zeros(len(part), dtype=np.int64), np.full(len(part), _TOP, dtype=np.int64)
    e = _SMALLEST - np.searchsorted(_LEAST_RATES, part, side="right")
    mantissa = np.floor(part * 8.0**e * _UNIT + 0.5).astype(np.int64)
    # Rounded up to the next exponent's smallest mantissa.
    above = (mantissa > _LARGEST) & (e > 0)
    mantissa[above], e[above] = _UNIT // 8, e[above] - 1
    # The largest word is a spike in every step, so its neighbour below stands for what is nearer to that.
    certain = part > _LARGEST / _UNIT
    mantissa[e == 0] = np.minimum(mantissa[e == 0], _LARGEST - 1)
    return np.where(certain, _LARGEST, mantissa), np.where(mantissa == 0, _TOP, e)


def _common_rates(part: FloatArray, bits: int) -> tuple[IntArray, IntArray]:
    """Return the same with the exponent of the largest one, of which `bits` bits remain."""
    largest = part.max(initial=0.0)
    e = int(_rates(np.array([largest]))[1][0])
    mantissa = np.floor(part * 8.0**e * _UNIT + 0.5).astype(np.int64)
    shift = max(int(mantissa.max(initial=0)).bit_length() - bits, 0)
    if shift:
        mantissa = np.minimum((mantissa + (1 << (shift - 1))) >> shift, (1 << bits) - 1) << shift
    return np.minimum(mantissa, _LARGEST), np.full(len(part), e, dtype=np.int64)


def _periods(part: FloatArray) -> tuple[IntArray, IntArray]:
    """Return mantissas and exponents of 8 of the periods, (n,) each; a word of 0 for a rate of 0."""
    spikes = part > 0
    if not spikes.any():
        return np.zeros(len(part), dtype=np.int64), np.full(len(part), _TOP, dtype=np.int64)
    period = np.where(spikes, _STEP_PERIOD / np.where(spikes, part, 1.0), 0.0)
    e = np.where(spikes, np.searchsorted(_ABOVE_PERIODS, period, side="right"), _TOP)
    return np.minimum(np.floor(period / 8.0**e + 0.5), _LARGEST).astype(np.int64), e


def rates_of(words: npt.NDArray[np.uint16], dt: float) -> FloatArray:
    """Return the mean rates in Hz, (n,) float64, of the words of GEN_RATE; `dt` is in ms."""
    rates: FloatArray = _rates_of_all()[words]
    return rates * (1000.0 / dt)


@cache
def _rates_of_all() -> FloatArray:
    """Return the mean rate of every word, (65536,) float64, in spikes a step."""
    fields = GENERATOR.unpack(np.arange(1 << 16, dtype=np.uint16)[:, None])
    mantissa, e = fields["mantissa"], _TOP - fields["exponent"]
    certain = (mantissa == _LARGEST) & (e == 0)
    random = np.where(certain, 1.0, mantissa / _UNIT / 8.0 ** np.minimum(e, _SMALLEST))
    regular = np.minimum(_STEP_PERIOD / np.maximum(mantissa * 8.0**e, 1.0), 1.0)
    return np.where(fields["regular"] > 0, regular, random)


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
