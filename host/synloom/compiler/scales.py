"""Scales: the SI values of one LSB of the potential, the currents, the bias and the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.compiler.coefficients import offset_gain, synapse_gain
from synloom.compiler.synapses import Edges
from synloom.contract.params import ArrayParams
from synloom.network.network import Population

__all__ = ["Scale", "choose_scale"]

MAX_GAIN: Final = 15
MAX_SHIFT: Final = 7
_MARGIN: Final = 1.04
"""Range for what must fit: 1/32 of it may lie between `v_rest` and V = 0."""
_SAMPLE: Final = 2000
_NOTHING: Final = 1e-60
_MOST_UNITS: Final = 127
_SAME: Final = 1e-7
"""Part of the largest value by which two values may differ and still be the same."""


@dataclass(frozen=True, eq=False)
class Scale:
    """The scales of one population.

    One LSB of a weight is ``2**(shift + gain) * i_lsb``, with the shift of its projection and the gain of its
    sign.

    Parameters
    ----------
    v_lsb : (n,) float64
        One LSB of the potential, mV.
    i_lsb : pair of (n,) float64
        One LSB of the excitatory and of the inhibitory current, nA (mV for delta synapses).
    offset_lsb : (n,) float64
        One LSB of the bias, nA.
    gains : pair of int
        Left shifts of the accumulators, g_e and g_i.
    shifts : dict of str to int
        Left shift of the weights of every incoming projection, by label.
    """

    v_lsb: FloatArray
    i_lsb: tuple[FloatArray, FloatArray]
    offset_lsb: FloatArray
    gains: tuple[int, int]
    shifts: dict[str, int]

    def weight_lsb(self, label: str) -> tuple[FloatArray, FloatArray]:
        """Return one LSB of the positive and of the negative weights of a projection.

        Two (n,) float64, for the n targets, in nA (mV for delta synapses).
        """
        exc, inh = (
            2.0 ** (self.shifts[label] + g) * lsb for g, lsb in zip(self.gains, self.i_lsb, strict=True)
        )
        return exc, inh


@dataclass(frozen=True, eq=False)
class _Load:
    """Incoming projections of one shift: the effects of their synapses by sign.

    They are in mV of the most sensitive neuron. `unit` is the number of which all effects of a sign
    are multiples; 0 if there is none.
    """

    magnitudes: tuple[FloatArray, FloatArray]
    top: tuple[float, float]
    unit: tuple[float, float]
    plastic: bool

    @property
    def tied(self) -> bool:
        """Whether weights may change sign, so that both signs must have the same scale."""
        return self.plastic and min(self.top) > 0.0


def choose_scale(
    population: Population, groups: Sequence[Sequence[Edges]], params: ArrayParams, dt: float
) -> Scale:
    """Choose the scales of a population so that its potential fits and its weights use all their levels.

    `groups` has its incoming projections; those of a group get one shift.

    The range of the potential covers the threshold, with room for overshoot, inhibition and adaptation. It is
    made up to twice as large if the weights, above all those that learn, then have smaller rounding errors:
    with the largest weight at the last level, or with a whole number of levels for the weights' own unit.
    """
    cell = population.cell.values(population.n)
    gain_e = synapse_gain(cell["tau_m"], cell["cm"], cell["tau_syn_E"], dt)
    gain_i = synapse_gain(cell["tau_m"], cell["cm"], cell["tau_syn_I"], dt)
    p20 = offset_gain(cell["tau_m"], cell["cm"], dt)
    incoming = [edge for group in groups for edge in group]
    relative = _relative(gain_e, gain_i, incoming)
    loads = [_load(group, gain_e / relative, gain_i / relative) for group in groups]
    reach = _reach(cell, incoming)
    least = _range_mv(population, cell, p20, relative, reach, loads, params) / params.state_max
    best, gains, found = _search(least, loads, params.weight_max)
    shifts = {edge.label: shift for group, shift in zip(groups, found, strict=True) for edge in group}
    v_lsb = best * relative
    return Scale(v_lsb, (v_lsb / gain_e, v_lsb / gain_i), v_lsb / p20, gains, shifts)


def _relative(gain_e: FloatArray, gain_i: FloatArray, incoming: Sequence[Edges]) -> FloatArray:
    """Return factors of v_lsb, (n,), that give all neurons the same weight LSB if a projection learns."""
    rules = [edge.rule for edge in incoming if edge.rule is not None]
    if not rules:
        return np.ones_like(gain_e)
    gain = gain_e if any(rule.w_max > 0.0 for rule in rules) else gain_i
    return np.asarray(gain / gain.max(), dtype=np.float64)


def _load(group: Sequence[Edges], gain_e: FloatArray, gain_i: FloatArray) -> _Load:
    weights, post = (np.concatenate([getattr(edge, name) for edge in group]) for name in ("weights", "post"))
    positive, negative = weights > 0.0, weights < 0.0
    exc = weights[positive] * gain_e[post[positive]]
    inh = -weights[negative] * gain_i[post[negative]]
    top = [float(exc.max(initial=0.0)), float(inh.max(initial=0.0))]
    rule = group[0].rule
    if rule is not None and len(post):
        bounds = (rule.w_max * float(gain_e[post].max()), -rule.w_min * float(gain_i[post].max()))
        top = [max(pair) for pair in zip(top, bounds, strict=True)]
        exc, inh = (np.append(part, [b] * bool(b > 0.0)) for part, b in zip((exc, inh), bounds, strict=True))
    # Effects that no potential could resolve count as 0: their logarithms and squares would underflow.
    top = [each if each > _NOTHING else 0.0 for each in top]
    units = (_own_unit(exc), _own_unit(inh))
    return _Load((_sample(exc), _sample(inh)), (top[0], top[1]), units, rule is not None)


def _own_unit(values: FloatArray) -> float:
    """Return the largest number of which all values are multiples, a common step; 0 if there is none.

    It is found by Euclid's algorithm, and must be at least 1/127 of the largest value. Weights that come from
    an image have its unit.
    """
    left = np.unique(values)
    top = float(left.max(initial=0.0))
    least = top / (_MOST_UNITS + 0.5)
    if not top or len(left) > _MOST_UNITS:
        return 0.0
    unit = float(left[0])
    if unit < least:
        return 0.0
    while True:
        rest = left - unit * np.rint(left / unit)
        rest = np.abs(rest[np.abs(rest) > _SAME * top])
        if not len(rest):
            break
        unit = float(rest.min())
        if unit < least:
            return 0.0
    # The mean over all values is nearer than the last remainder.
    return float(np.sum(left) / np.sum(np.rint(left / unit)))


def _sample(values: FloatArray) -> FloatArray:
    different = np.unique(values)
    return different[:: max(1, len(different) // _SAMPLE)]


def _range_mv(
    population: Population,
    cell: dict[str, FloatArray],
    p20: FloatArray,
    relative: FloatArray,
    reach: FloatArray,
    loads: Sequence[_Load],
    params: ArrayParams,
) -> float:
    """Return the range that the potential needs, in mV of the most sensitive neuron."""
    rest = cell["v_rest"]
    threshold = np.abs(cell["v_thresh"] - rest) + population.theta_init
    must = np.maximum.reduce(
        [
            threshold,
            np.abs(cell["v_reset"] - rest),
            cell["v_thresh"] - cell["v_reset"],
            np.abs(population.v_init - rest),
            np.abs(p20 * cell["i_offset"]),
            -cell["i_offset"] * np.where(np.isinf(cell["tau_m"]), 0.0, cell["tau_m"]) / cell["cm"],
            cell["theta_plus"],
        ]
    )
    if population.v_range is not None:
        return float(np.max(np.maximum(_MARGIN * must, population.v_range) / relative))
    # Few bits leave little room to spare; adaptive thresholds may rise far above their initial value.
    few, many = (4.0, 16.0) if params.state_bits >= 20 else (2.0, 6.0)
    if params.state_bits >= 20 and cell["theta_plus"].any():
        few, many = 4.0 * few, 4.0 * many
    wanted = np.clip(2.0 * reach, few * threshold, many * threshold)
    strongest = max((max(load.top) for load in loads), default=0.0)
    return float(max(np.max(np.maximum(wanted, _MARGIN * must) / relative), 4.0 * strongest))


def _reach(cell: dict[str, FloatArray], incoming: Sequence[Edges]) -> FloatArray:
    """Return a bound on the change of potentials if every source spikes once, (n,) mV, from the charge."""
    sums = np.zeros((2, len(cell["cm"])))
    for edge in incoming:
        top = np.abs(edge.weights)
        if edge.rule is not None:
            top = np.maximum(top, max(abs(edge.rule.w_min), abs(edge.rule.w_max)))
        for sign, mask in enumerate((edge.weights > 0.0, edge.weights < 0.0)):
            np.add.at(sums[sign], edge.post[mask], top[mask])
    per_weight = [
        np.where(cell[name] > 0.0, cell[name] / cell["cm"], 1.0) for name in ("tau_syn_E", "tau_syn_I")
    ]
    return np.asarray(np.maximum(sums[0] * per_weight[0], sums[1] * per_weight[1]), dtype=np.float64)


def _search(least: float, loads: Sequence[_Load], w_max: int) -> tuple[float, tuple[int, int], list[int]]:
    candidates = [least]
    for load in sorted(loads, key=lambda each: not each.plastic):
        for top in load.top:
            exponent = np.floor(np.log2(top / w_max / least)) if top else 0.0
            if top and exponent >= 0.0:
                candidates.append(top / w_max / 2.0**exponent)
        for unit in load.unit:
            if unit >= least:
                candidates.append(unit / 2.0 ** np.floor(np.log2(unit / least)))
    # Of equal ones the first, whatever the last bit of a float says.
    best = min(candidates, key=lambda v_lsb: round(_loss(v_lsb, loads, w_max), 20))
    return best, *_exponents(best, loads, w_max)


def _exponents(v_lsb: float, loads: Sequence[_Load], w_max: int) -> tuple[tuple[int, int], list[int]]:
    """Return gains and shifts with which the largest weight of every projection fits.

    Each sign has the smallest gain it can have; but a projection has one shift for both signs, so that one
    gain for both may leave smaller errors.
    """
    needed = [
        [int(max(0.0, np.ceil(np.log2(top / w_max / v_lsb) - 1e-9))) if top else None for top in load.top]
        for load in loads
    ]
    exc, inh = (_gain([n[sign] for n in needed]) for sign in (0, 1))
    if any(load.tied for load in loads):
        exc = inh = min(exc, inh)
    pairs = [(exc, inh)] if exc == inh else [(exc, inh), (max(exc, inh),) * 2]
    options = [(pair, _shifts(needed, pair)) for pair in pairs]
    return min(options, key=lambda option: round(_loss_of(v_lsb, loads, w_max, *option), 20))


def _shifts(needed: Sequence[Sequence[int | None]], gains: tuple[int, int]) -> list[int]:
    shifts = []
    for both in needed:
        over = [n - g for n, g in zip(both, gains, strict=True) if n is not None]
        shifts.append(min(max([0, *over]), MAX_SHIFT))
    return shifts


def _gain(exponents: Sequence[int | None]) -> int:
    used = [e for e in exponents if e is not None]
    if not used:
        return 0
    return min(max(min(used), max(used) - MAX_SHIFT), MAX_GAIN)


def _loss(v_lsb: float, loads: Sequence[_Load], w_max: int) -> float:
    """Return the sum of the mean square rounding errors, each relative to its projection's largest weight."""
    return _loss_of(v_lsb, loads, w_max, *_exponents(v_lsb, loads, w_max))


def _loss_of(
    v_lsb: float, loads: Sequence[_Load], w_max: int, gains: tuple[int, int], shifts: Sequence[int]
) -> float:
    loss = 0.0
    for load, shift in zip(loads, shifts, strict=True):
        for magnitudes, top, gain in zip(load.magnitudes, load.top, gains, strict=True):
            if not top:
                continue
            steps = magnitudes / (2.0 ** (shift + gain) * v_lsb)
            whole = np.minimum(np.rint(steps), w_max)
            size = top / (2.0 ** (shift + gain) * v_lsb)
            loss += float(np.mean((steps - whole) ** 2)) / size**2 if len(steps) else 0.0
            loss += 1.0 / size**2 if load.plastic else 0.0
    return loss
