"""The two formulas of docs/numbers.md on which the model is built: `decay` and `update`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["DecayCoefficients", "Rule", "decay", "update"]

Int64s = npt.NDArray[np.int64]
Weights = npt.NDArray[np.int16]

DELTA = 0xFFFF
"""The coarse coefficient of a complete decay in one step."""


@dataclass(frozen=True, slots=True)
class DecayCoefficients:
    """Decay coefficients in the form for `of_magnitude`: arrays, or numbers for a whole array.

    `m = 0xFFFF` becomes 2**16, for which the loss is the magnitude itself, whatever the dither.
    """

    m: Int64s
    shift: Int64s
    low: Int64s

    @classmethod
    def of(cls, m: npt.ArrayLike, exponent: npt.ArrayLike) -> DecayCoefficients:
        """Convert coefficients `m` (0..65535) with scales `exponent` (0..7) of the same shape."""
        m, exponent = np.asarray(m, dtype=np.int64), np.asarray(exponent, dtype=np.int64)
        shift = 16 + 4 * np.minimum(exponent, 4)
        effective = np.where((m == DELTA) & (exponent == 0), np.int64(1 << 16), m)
        return cls(effective, shift, (np.int64(1) << shift) - 1)

    def of_magnitude(self, a: Int64s, w: Int64s | int) -> Int64s:
        """Return magnitudes `a` >= 0 after one step, with the dither `w` that rounds their loss."""
        left: Int64s = a - ((a * self.m + (w & self.low)) >> self.shift)
        return left


def decay(v: npt.ArrayLike, m: npt.ArrayLike, exponent: npt.ArrayLike, w: npt.ArrayLike) -> Int64s:
    """Return `v` after one step of exponential decay towards 0, with dither `w`.

    Multiplication by exp(-dt/tau) in each step is exact on the time grid (Rotter and Diesmann 1999).
    """
    v = np.asarray(v, dtype=np.int64)
    decayed: Int64s = np.sign(v) * DecayCoefficients.of(m, exponent).of_magnitude(
        np.abs(v), np.asarray(w, dtype=np.int64)
    )
    return decayed


@dataclass(frozen=True, slots=True)
class Rule:
    """The learning rule of a segment, without features that the array lacks."""

    a: int
    t0: int
    w_min: int
    w_max: int
    a_negative: bool
    soft: bool
    stochastic: bool
    reward: bool


def update(
    rule: Rule,
    weight_bits: int,
    trace_bits: int,
    w: Weights,
    trace: Int64s,
    reward: int,
    r: npt.NDArray[np.int16] | int,
) -> tuple[Weights, npt.NDArray[np.bool_]]:
    """Return the weights after one update of a segment, for several passes at once.

    The general pair rule with traces (Morrison, Diesmann and Gerstner 2008), a reward factor (Frémaux and
    Gerstner 2016), soft bounds and stochastic rounding (Gupta et al. 2015).

    Parameters
    ----------
    rule : Rule
        The rule of the segment.
    weight_bits : int
        Width of the weights, which scales soft bounds.
    trace_bits : int
        Width of the traces, which scales the amplitude.
    w : (R, P) int16
        Weights of R passes at P positions; results for absent synapses are undefined.
    trace : (P,) int64
        Trace of each position.
    reward : int
        Reward factor; 256 is 1.0.
    r : (R, P) int16, or int
        12 random bits for each position; or 2048, to round half up.

    Returns
    -------
    w : (R, P) int16
        The new weights.
    clipped : (R, P) bool
        Whether the sum was outside the bounds.
    """
    diff = trace - rule.t0
    up = (diff > 0) ^ rule.a_negative
    gain = rule.a
    if rule.reward:
        gain = min((gain * abs(reward)) >> 8, 0xFFFF)
        up = up ^ (reward < 0)
    p = (gain * np.abs(diff)) >> (trace_bits - 4)
    if rule.soft:
        wide = w.astype(np.int32)
        room = np.maximum(np.where(up, rule.w_max - wide, wide - rule.w_min), 0)
        # p < 2**20 and room < 2**8: 32 bits hold the product.
        scaled = (p.astype(np.int32) * room) >> (weight_bits - 1)
        d = ((scaled + r) >> 12).astype(np.int16)
        np.negative(d, out=d, where=~up)
    else:
        # (p + r) >> 12, split so that 16 bits hold every term of the large array.
        sign = np.where(up, 1, -1).astype(np.int16)
        d = np.asarray(((p & 0xFFF).astype(np.int16) + r) >> 12, dtype=np.int16)
        d = (d + (p >> 12).astype(np.int16)) * sign
    exact = w + d
    bounded = np.minimum(np.maximum(exact, np.int16(rule.w_min)), np.int16(rule.w_max))
    return bounded, bounded != exact
