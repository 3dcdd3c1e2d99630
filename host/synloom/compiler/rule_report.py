"""What becomes of a learning rule: rows of the report, in the words of the rule that the user gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.compiler.coefficients import decay_coefficients
from synloom.compiler.effective import report_decay
from synloom.compiler.synapses import Edges
from synloom.contract.params import ArrayParams
from synloom.image.places import HalfRuleInfo
from synloom.image.report import ReportBuilder

__all__ = ["SUB_LSB_BITS", "Amplitude", "half_info", "pair_share", "report_half"]

SUB_LSB_BITS: Final = 12
"""Bits of a change below a unit of the weight."""


@dataclass(frozen=True)
class Amplitude:
    """One side of a rule, as the array computes it.

    Parameters
    ----------
    name : str
        ``"A_pre"`` or ``"A_post"``.
    a, t0 : int
        Amplitude and offset of the trace, as a segment holds them.
    exact : float
        The amplitude before rounding, for a trace unit of 1.
    one : int
        What a spike adds to the trace.
    spike : float
        Value of the trace that counts as one spike when it is read.
    room : int
        Units from w_min to w_max.
    """

    name: str
    a: int
    t0: int
    exact: float
    one: int
    spike: float
    room: int

    def share(self, edge: Edges, params: ArrayParams) -> float:
        """Return the amplitude, or the rounded change by one pair, as a share of the wanted one."""
        rule = edge.rule
        assert rule is not None
        if rule.rounding == "stochastic":
            return self.a * self.one / self.exact
        room = self.room if rule.bounds == "soft" else None
        return pair_share(self.a * self.one, self.exact, room, params)


def pair_share(product: int, exact: float, room: int | None, params: ArrayParams) -> float:
    """Return the change by one pair, rounded to whole units of the weight, as a share of the wanted one.

    Parameters
    ----------
    product : int
        Amplitude times the trace of one spike, as the array has them.
    exact : float
        The same before rounding.
    room : int or None
        Units from w_min to w_max with soft bounds, None with additive ones.
    params : ArrayParams
        The array.
    """
    # As `update` in docs/numbers.md: first in 2**-12 of a weight's unit, then in whole units.
    shift = params.trace_bits - 4
    change, ideal = product >> shift, exact / 2.0 ** (shift + SUB_LSB_BITS)
    if room is not None:
        change = change * room >> params.weight_bits - 1
        ideal *= room / 2.0 ** (params.weight_bits - 1)
    rounded = change + (1 << SUB_LSB_BITS - 1) >> SUB_LSB_BITS
    return rounded / ideal if ideal else 1.0


def half_info(edge: Edges, name: str, scale: float, spike: float) -> HalfRuleInfo:
    """Return what the numbers of one side of a rule stand for, in the words of the rule that the user gave.

    Parameters
    ----------
    edge : Edges
        The projection.
    name : str
        ``"A_pre"`` or ``"A_post"``.
    scale, spike : float
        As in `HalfRuleInfo`, for the amplitude of the pair rule.
    """
    names = getattr(edge.projection.plasticity, "names", None)
    offset = "y0" if name == "A_pre" else "x0"
    if names is None:
        return HalfRuleInfo(amplitude=name, offset=offset, scale=scale, spike=spike)
    shown = names.get(name, name)
    wanted = getattr(edge.rule, name)
    same = getattr(edge.projection.plasticity, shown, wanted) == wanted
    return HalfRuleInfo(
        amplitude=shown, offset=names.get(offset), scale=scale if same else -scale, spike=spike
    )


def report_half(edge: Edges, half: Amplitude, params: ArrayParams, dt: float, report: ReportBuilder) -> None:
    """Add the rows of one side of a rule: amplitude, time constant of the trace, offset."""
    rule, label = edge.rule, edge.label
    assert rule is not None
    pre = half.name == "A_pre"
    tau_name, offset_name = ("tau_post", "y0") if pre else ("tau_pre", "x0")
    names = getattr(edge.projection.plasticity, "names", {})
    wanted = getattr(rule, half.name)
    if half.name in names:
        wanted = getattr(edge.projection.plasticity, names[half.name])
    clipped = half.a == 0xFFFF and half.exact > half.one * (half.a + 1)
    report.add(
        label,
        f"{names.get(half.name, half.name)} (of range)",
        wanted,
        wanted * half.share(edge, params),
        "out of range" if clipped or not half.a else "",
        hint=_hint(rule.rounding, clipped, params),
    )
    tau, offset = getattr(rule, tau_name), getattr(rule, offset_name)
    shown = names.get(tau_name, tau_name)
    report.add(label, f"{shown} (ms)", tau, decay_coefficients(np.array([tau]), dt).tau)
    hint = f"traces have {params.trace_bits} bits; an array with more trace_bits is nearer"
    report_decay(label, shown, np.array([tau]), np.array([float(half.one)]), dt, hint, report)
    if offset or offset_name in names:
        report.add(
            label, f"{names.get(offset_name, offset_name)} (spikes)", offset, half.t0 / half.spike, hint=hint
        )


def _hint(rounding: str, clipped: bool, params: ArrayParams) -> str:
    if clipped:
        return (
            f"traces have {params.trace_bits} bits; use an array with more trace_bits or a smaller amplitude"
        )
    if rounding == "nearest":
        return (
            "the change by one pair of spikes, which rounding='nearest' makes whole units of the weight; use "
            "rounding='stochastic', which is right on average"
        )
    return "use an array with more trace_bits"
