"""Learning rules as integers of the array: amplitudes, trace units, bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import NetworkError, ParameterError
from synloom.compiler.rule_report import SUB_LSB_BITS, Amplitude, half_info, report_half
from synloom.compiler.scales import Scale
from synloom.compiler.synapses import Edges
from synloom.compiler.weight_report import weight_unit
from synloom.contract.params import ArrayParams
from synloom.contract.traces import Side
from synloom.image.places import HalfRuleInfo, RuleInfo
from synloom.image.report import ReportBuilder
from synloom.network.plasticity import PairRule

__all__ = [
    "HalfRule",
    "RuleRegisters",
    "TraceUnits",
    "features",
    "rule_registers",
    "trace_units",
    "weight_unit_of",
    "weight_units",
]

_A_MAX: Final = 0xFFFF
_A_FINE: Final = 128
"""Amplitudes below this are made larger, by a smaller trace unit."""


TraceUnits = dict[Side, int]
"""The amount that each spike adds to the trace of its side: ONE_X and ONE_Y."""


@dataclass(frozen=True)
class HalfRule:
    """One side of a rule, as a segment holds it.

    Parameters
    ----------
    a : int
        Amplitude A, unsigned; 0 switches the side off.
    t0 : int
        Offset of the trace.
    a_negative : bool
        Whether the amplitude is negative.
    info : HalfRuleInfo or None
        What its numbers stand for; None if the side is off.
    """

    a: int = 0
    t0: int = 0
    a_negative: bool = False
    info: HalfRuleInfo | None = None


@dataclass(frozen=True)
class RuleRegisters:
    """A learning rule, as segments hold it.

    Parameters
    ----------
    row, column : HalfRule
        The rule for arriving spikes of the source, and for spikes of the target.
    w_min, w_max : int
        Bounds of the weight, LSB.
    soft, stochastic, reward : bool
        Flags: soft bounds, stochastic rounding, multiplication by the reward.
    """

    row: HalfRule
    column: HalfRule
    w_min: int
    w_max: int
    soft: bool
    stochastic: bool
    reward: bool

    def info(self) -> RuleInfo:
        """Return what the numbers of both sides stand for."""
        return RuleInfo(rows=self.row.info, columns=self.column.info)


def features(edges: Sequence[Edges]) -> dict[str, bool]:
    """Return the features of an array that the learning rules need: True by name."""
    rules = [edge.rule for edge in edges if edge.rule is not None]
    needs = {
        "plasticity": bool(rules),
        "soft_bounds": any(rule.bounds == "soft" for rule in rules),
        "stochastic_rounding": any(rule.rounding == "stochastic" for rule in rules),
        "reward": any(rule.reward for rule in rules),
    }
    return {name: True for name, used in needs.items() if used}


def _unit_amplitudes(rule: PairRule, lsb: float, params: ArrayParams, dt: float) -> tuple[float, float]:
    """Return the amplitudes of row and column for a trace unit of 1, before rounding.

    In the textbook a trace is read at the time of the spike. Here a column reads a source's trace that has
    already decayed in the same step, and a row reads a target's trace that has not yet decayed since the step
    before. A factor of exp(dt / tau) and of exp(-dt / tau) corrects for this.
    """
    reach = (rule.w_max - rule.w_min) / lsb if rule.bounds == "additive" else 1 << (params.weight_bits - 1)
    scale = reach * 2.0 ** (params.trace_bits - 4 + SUB_LSB_BITS)
    row = abs(rule.A_pre) * scale * np.exp(-dt / rule.tau_post)
    column = abs(rule.A_post) * scale * np.exp(dt / rule.tau_pre)
    return float(row), float(column)


def trace_units(learning: Sequence[tuple[Edges, float]], params: ArrayParams, dt: float) -> TraceUnits:
    """Choose the unit of the traces of each side: 1/16 of their range, or the one that suits the amplitudes.

    Traces that are set instead of raised need no room for sums, and take all of their range, but for offsets.

    Parameters
    ----------
    learning : sequence of (Edges, float)
        The projections that learn, and the unit of their weights.
    params : ArrayParams
        The array.
    dt : float
        Time step, ms.
    """
    amplitudes: dict[Side, list[float]] = {Side.SOURCE: [], Side.TARGET: []}
    spikes: dict[Side, list[float]] = {Side.SOURCE: [1.0], Side.TARGET: [1.0]}
    sums = dict.fromkeys(Side, False)
    for edge, lsb in learning:
        assert edge.rule is not None
        # Rows read the target's trace, columns the source's.
        row, column = _unit_amplitudes(edge.rule, lsb, params, dt)
        amplitudes[Side.SOURCE].append(column)
        amplitudes[Side.TARGET].append(row)
        spikes[Side.SOURCE].append(edge.rule.x0)
        spikes[Side.TARGET].append(edge.rule.y0 * float(np.exp(dt / edge.rule.tau_post)))
        for side, half in ((Side.SOURCE, column), (Side.TARGET, row)):
            sums[side] |= half > 0.0 and edge.rule.pairing != "nearest"
    return {
        side: _unit(
            [a for a in amplitudes[side] if a > 0.0],
            params,
            int(params.trace_max / max(spikes[side])),
            sums[side],
        )
        for side in Side
    }


def _unit(amplitudes: Sequence[float], params: ArrayParams, most: int, sums: bool) -> int:
    """Return the unit of one side's traces, at most `most` if that is possible."""
    one, bits = 1 << params.trace_bits - 4, params.trace_bits
    if not amplitudes:
        return one
    if not sums:
        one = max(one, most)
    while max(amplitudes) / one > _A_MAX and one < most:
        one = min(2 * one, most)
    while (
        min(amplitudes) / one < _A_FINE
        and max(amplitudes) / (one // 2) <= _A_MAX
        and one >= 2 << max(bits - 8, 5)
    ):
        one //= 2
    return one


def weight_units(edges: Sequence[Edges], scale: Scale) -> FloatArray:
    """Return the units of the weights at all targets of projections that learn by one rule, in SI units."""
    rule = edges[0].rule
    assert rule is not None
    exc, inh = scale.weight_lsb(edges[0].label)
    post = np.unique(np.concatenate([edge.post for edge in edges]))
    targets = post if len(post) else slice(None)
    used = [*([exc[targets]] if rule.w_max > 0.0 else []), *([inh[targets]] if rule.w_min < 0.0 else [])]
    return np.concatenate(used)


def weight_unit_of(edges: Sequence[Edges], scale: Scale) -> float:
    """Return the unit of the weights that all targets share, in the SI unit.

    Parameters
    ----------
    edges : sequence of Edges
        Projections that learn by one rule and have one shift.
    scale : Scale
        The scale of their targets.

    Raises
    ------
    NetworkError
        If the units of the targets differ.
    """
    steps = weight_units(edges, scale)
    if steps.max() > 1.01 * steps.min():
        raise NetworkError(
            f"projection {edges[0].label!r} learns, so all its weights must have one unit (within 1 %), but "
            f"tau_m, cm and tau_syn of its targets make the units differ by "
            f"{100 * (steps.max() / steps.min() - 1):.3g} %; make these equal, or keep w_min..w_max on one "
            f"side of 0"
        )
    return float(np.median(steps))


def rule_registers(
    edge: Edges, lsb: float, units: TraceUnits, params: ArrayParams, dt: float, report: ReportBuilder
) -> RuleRegisters:
    """Return the learning rule of a projection as integers, and report its quantisation errors.

    Parameters
    ----------
    edge : Edges
        The projection.
    lsb : float
        The unit of its weights, by `weight_unit_of`.
    units : TraceUnits
        The units of the traces.
    params : ArrayParams
        The array.
    dt : float
        Time step, ms.
    report : ReportBuilder
        Takes the rows and remarks.

    Raises
    ------
    ParameterError
        If an offset is out of the range of the traces.
    """
    rule, label = edge.rule, edge.label
    assert rule is not None
    row, column = _unit_amplitudes(rule, lsb, params, dt)
    bounds = [
        int(np.clip(round(w / lsb), -params.weight_max, params.weight_max)) for w in (rule.w_min, rule.w_max)
    ]
    halves = []
    for wanted, name, amplitude, offset, one, past in (
        (rule.A_pre, "A_pre", row, rule.y0, units[Side.TARGET], dt / rule.tau_post),
        (rule.A_post, "A_post", column, rule.x0, units[Side.SOURCE], -dt / rule.tau_pre),
    ):
        a = min(round(amplitude / one), _A_MAX)
        unit = one * float(np.exp(past))
        t0 = _offset(label, "y0" if name == "A_pre" else "x0", offset, unit, params)
        per = amplitude / one / abs(wanted) if a else 0.0
        half = HalfRule(a, t0 if a else 0, wanted < 0.0, half_info(edge, name, per, unit) if a else None)
        halves.append(half)
        if wanted:
            made = Amplitude(name, a, half.t0, amplitude, one, unit, bounds[1] - bounds[0])
            report_half(edge, made, params, dt, report)
    for name, wanted, got in zip(("w_min", "w_max"), (rule.w_min, rule.w_max), bounds, strict=True):
        report.add(label, f"{name} ({weight_unit(edge)})", wanted, got * lsb)
    if bounds[0] == bounds[1]:
        report.note(f"{label}: w_min and w_max are equal after rounding, so the weights cannot change")
    return RuleRegisters(
        row=halves[0],
        column=halves[1],
        w_min=bounds[0],
        w_max=bounds[1],
        soft=rule.bounds == "soft",
        stochastic=rule.rounding == "stochastic",
        reward=rule.reward,
    )


def _offset(label: str, name: str, spikes: float, unit: float, params: ArrayParams) -> int:
    if spikes * unit > params.trace_max:
        where = " (target of TraceTarget)" if name == "x0" else ""
        raise ParameterError(
            f"projection {label!r}: the trace offset {name}{where} must be at most "
            f"{params.trace_max / unit:g} spikes, not {spikes:g}; use a smaller offset"
        )
    return round(spikes * unit)
