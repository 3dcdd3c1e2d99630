"""The array's own decay (docs/numbers.md), in whole numbers: what it makes of an exponential.

`decay` is the only place where the compiler knows the formula.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from synloom.contract.dither import DITHER, INDEX

__all__ = ["decay", "psp_share", "tau_share"]

_EVERYTHING: Final = 0xFFFF
_HORIZON: Final = 4096
"""Most steps that are computed: some milliseconds."""
_NEURONS: Final = 8
"""Neurons over which means are taken: each has other dithers."""
_RESOLUTION: Final = 2
"""Units by which a course may differ from the ideal one because it has no fractions."""


def decay(a: int, m: int, exponent: int, w: int) -> int:
    """Return the magnitude `a` after one step of decay.

    Parameters
    ----------
    a : int
        Magnitude, at least 0.
    m, exponent : int
        Coefficient, 0..65535, and its exponent, 0..4.
    w : int
        The dither of the step and the neuron; its low bits round the loss.
    """
    if m == _EVERYTHING and exponent == 0:
        return 0
    shift = 16 + 4 * exponent
    return a - ((a * m + (w & ((1 << shift) - 1))) >> shift)


def _dithers() -> Iterator[Iterator[int]]:
    """Yield the dithers of a few neurons, step after step: means over them show what is lost on average."""
    for neuron in range(_NEURONS):
        yield itertools.count(neuron * INDEX, DITHER)


@lru_cache(maxsize=1024)
def tau_share(a: int, m: int, exponent: int, keep: float) -> float:
    """Return the time constant of a decay from `a` as a share of the ideal one, in the mean of some neurons.

    It is that of the exponential with the same area. Of a decay that takes longer than 4,096 steps, what is
    left then decides; if it differs from the ideal by no more than two units, the share is 1, since whole
    numbers cannot do better.

    Parameters
    ----------
    a : int
        Magnitude at the start, above 0.
    m, exponent : int
        Coefficient and exponent.
    keep : float
        Share that an ideal step leaves, exp(-dt / tau): above 0 and below 1.
    """
    areas, rest = [], []
    for dithers in _dithers():
        left, area = a, 0
        for w in itertools.islice(dithers, _HORIZON):
            area += left
            left = decay(left, m, exponent, w)
            if not left:
                break
        areas.append(area)
        rest.append(left)
    if not any(rest):
        return sum(areas) / len(areas) * (1.0 - keep) / a
    left_mean, ideal = sum(rest) / len(rest), a * keep**_HORIZON
    if abs(left_mean - ideal) <= _RESOLUTION:
        return 1.0
    return math.inf if left_mean == a else math.log(ideal / a) / math.log(left_mean / a)


@lru_cache(maxsize=1024)
def psp_share(
    current: int, synapse: tuple[int, int], membrane: tuple[int, int], keeps: tuple[float, float]
) -> float:
    """Return the area of one postsynaptic potential as a share of the ideal one, in the mean of some neurons.

    Parameters
    ----------
    current : int
        The synaptic current of the spike in its units, above 0.
    synapse, membrane : pair of int
        Coefficient and exponent of the current and of the potential.
    keeps : pair of float
        Shares that ideal steps leave, of the current and of the potential.
    """
    got, wanted = 0, 0.0
    for dithers in _dithers():
        area, ideal = _psp(current, synapse, membrane, keeps, dithers)
        got, wanted = got + area, wanted + ideal
    return got / wanted


def _psp(
    current: int,
    synapse: tuple[int, int],
    membrane: tuple[int, int],
    keeps: tuple[float, float],
    dithers: Iterator[int],
) -> tuple[int, float]:
    """Return the area of one postsynaptic potential, and that of the ideal one."""
    i, v, area = current, 0, 0
    ideal_i, ideal_v, wanted = float(current), 0.0, 0.0
    for w in itertools.islice(dithers, _HORIZON):
        v = decay(v, *membrane, w) + i
        ideal_v = ideal_v * keeps[1] + ideal_i
        i, ideal_i = decay(i, *synapse, w), ideal_i * keeps[0]
        area, wanted = area + v, wanted + ideal_v
        if not v and not i:
            # What the ideal one has left, to its end.
            wanted += (ideal_v * keeps[1] + ideal_i / (1.0 - keeps[0])) / (1.0 - keeps[1])
            break
    return area, wanted
