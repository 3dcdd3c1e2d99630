"""The array's own decay (docs/numbers.md), in whole numbers: what it makes of an exponential.

`decay` is the only place where the compiler knows the formula.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

__all__ = ["decay", "psp_share", "tau_share"]

_EVERYTHING: Final = 0xFFFF
_HORIZON: Final = 4096
"""Most steps that are computed: some milliseconds."""
_RESOLUTION: Final = 2
"""Units by which a course may differ from the ideal one because it has no fractions."""


def decay(a: int, m: int, exponent: int, step: int) -> int:
    """Return the magnitude `a` after one step of decay.

    Parameters
    ----------
    a : int
        Magnitude, at least 0.
    m, exponent : int
        Coefficient, 0..65535, and its exponent, 0..3.
    step : int
        The step in which it decays; today's formula does not depend on it.
    """
    if m == _EVERYTHING and exponent == 0:
        return 0
    shift = 16 + 4 * exponent
    q = (a * m + (1 << (shift - 1))) >> shift
    return a - (max(q, 1) if m and a else q)


@lru_cache(maxsize=1024)
def tau_share(a: int, m: int, exponent: int, keep: float) -> float:
    """Return the time constant of a decay from `a` as a share of the ideal one.

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
    left, area = a, 0
    for step in range(_HORIZON):
        area += left
        left = decay(left, m, exponent, step)
        if not left:
            return area * (1.0 - keep) / a
    ideal = a * keep**_HORIZON
    if abs(left - ideal) <= _RESOLUTION:
        return 1.0
    return math.inf if left == a else math.log(ideal / a) / math.log(left / a)


@lru_cache(maxsize=1024)
def psp_share(
    current: int, synapse: tuple[int, int], membrane: tuple[int, int], keeps: tuple[float, float]
) -> float:
    """Return the area of one postsynaptic potential as a share of the ideal one.

    Parameters
    ----------
    current : int
        The synaptic current of the spike in its units, above 0.
    synapse, membrane : pair of int
        Coefficient and exponent of the current and of the potential.
    keeps : pair of float
        Shares that ideal steps leave, of the current and of the potential.
    """
    i, v, area = current, 0, 0
    ideal_i, ideal_v, wanted = float(current), 0.0, 0.0
    for step in range(_HORIZON):
        v = decay(v, *membrane, step) + i
        ideal_v = ideal_v * keeps[1] + ideal_i
        i, ideal_i = decay(i, *synapse, step), ideal_i * keeps[0]
        area, wanted = area + v, wanted + ideal_v
        if not v and not i:
            # What the ideal one has left, to its end.
            wanted += (ideal_v * keeps[1] + ideal_i / (1.0 - keeps[0])) / (1.0 - keeps[1])
            break
    return area / wanted
