"""The array's own decay (docs/numbers.md), in whole numbers: what it makes of an exponential.

`decay` is the only place where the compiler knows the formula.
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import Final

from synloom.contract.dither import DITHER, dither

__all__ = ["area", "decay", "first_in", "psp_share", "tau_share"]

_EVERYTHING: Final = 0xFFFF
_HORIZON: Final = 4096
"""Most steps that are computed one by one: some milliseconds."""
_NEURONS: Final = 64
"""Neurons over which means of few units are taken: each has other dithers."""
_FEW_NEURONS: Final = 8
_FEW: Final = 256
"""Units from which the dither's error, which is about one of them, is less than 0.5 %."""


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


def first_in(c: int, modulus: int, low: int, high: int) -> int:
    """Return the least k >= 0 with ``low <= c * k % modulus <= high``, as Euclid's algorithm finds it.

    Parameters
    ----------
    c, modulus : int
        Coprime.
    low, high : int
        ``0 <= low <= high < modulus``.
    """
    if low == 0:
        return 0
    c %= modulus
    if 2 * c > modulus:
        return first_in(modulus - c, modulus, modulus - high, modulus - low)
    k = -(-low // c)
    if k * c <= high:
        return k
    return -(-(low + modulus * first_in(modulus % c, c, -high % c, -low % c)) // c)


def area(a: int, m: int, exponent: int, t: int, n: int) -> float:
    """Return the sum over all steps of a magnitude that decays from step t on.

    Steps that lose nothing are skipped. What is more than 256 units is taken as an exponential if it loses
    less than a unit a step, or for too many steps.

    Parameters
    ----------
    a, m, exponent : int
        As of `decay`.
    t, n : int
        The first step and the neuron, which choose the dither.
    """
    modulus, total = 1 << 16 + 4 * exponent, 0.0
    if not m:
        return math.inf if a else 0.0
    last = t + _HORIZON
    while a:
        w, least = dither(t, n), modulus - a * m
        if a > _FEW and (least > 0 or t >= last):
            total, a = total + (a - _FEW) * modulus / m, _FEW
        elif least <= 0 or (m == _EVERYTHING and exponent == 0):
            total, a, t = total + a, decay(a, m, exponent, w), t + 1
        else:
            w %= modulus
            waits = 0 if w >= least else first_in(DITHER, modulus, least - w, modulus - 1 - w)
            total, a, t = total + a * (waits + 1), a - 1, t + waits + 1
    return total


def _neurons(a: int) -> range:
    """Return the neurons over which the mean is taken: more for few units, in which one is a larger part."""
    return range(max(_FEW_NEURONS, min(_NEURONS, _NEURONS * _NEURONS // a)))


@lru_cache(maxsize=1024)
def tau_share(a: int, m: int, exponent: int, keep: float) -> float:
    """Return the time constant of a decay from `a` as a share of the ideal one, in the mean of some neurons.

    It is that of the exponential with the same area.

    Parameters
    ----------
    a : int
        Magnitude at the start, above 0.
    m, exponent : int
        Coefficient and exponent.
    keep : float
        Share that an ideal step leaves, exp(-dt / tau): above 0 and below 1.
    """
    neurons = _neurons(a)
    return sum(area(a, m, exponent, 0, n) for n in neurons) / len(neurons) * (1.0 - keep) / a


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
    got, wanted = 0.0, 0.0
    for n in range(_FEW_NEURONS):
        made, ideal = _psp(current, synapse, membrane, keeps, n)
        got, wanted = got + made, wanted + ideal
    return got / wanted


def _psp(
    current: int,
    synapse: tuple[int, int],
    membrane: tuple[int, int],
    keeps: tuple[float, float],
    n: int,
) -> tuple[float, float]:
    """Return the area of one postsynaptic potential, and that of the ideal one."""
    i, v, total = current, 0, 0.0
    ideal_i, ideal_v, wanted = float(current), 0.0, 0.0
    for t in itertools.count():
        w = dither(t, n)
        v = decay(v, *membrane, w) + i
        ideal_v = ideal_v * keeps[1] + ideal_i
        i, ideal_i = decay(i, *synapse, w), ideal_i * keeps[0]
        total, wanted = total + v, wanted + ideal_v
        leaks = membrane[0] > 0 and keeps[1] < 1.0
        if not i and leaks:
            # What both have left, to their ends.
            total += area(v, *membrane, t + 1, n) - v
            wanted += (ideal_v * keeps[1] + ideal_i / (1.0 - keeps[0])) / (1.0 - keeps[1])
            break
        if t == _HORIZON:
            break
    return total, wanted
