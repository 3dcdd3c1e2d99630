"""What becomes of a projection's weights: rows and remarks of the report."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import FloatArray
from synloom.compiler.synapses import Edges
from synloom.contract.params import ArrayParams
from synloom.image.report import MOST_CHANGE, ReportBuilder

__all__ = ["has_few_levels", "mean_error", "report_weights", "weight_unit"]

_SMALL = 4.0
"""Weights below the largest divided by this are the small ones."""


def weight_unit(edge: Edges) -> str:
    """Return the unit of a projection's weights."""
    cell = edge.projection.post.cell
    delta = {bool(np.all(tau == 0.0)) for tau in (cell.tau_syn_E, cell.tau_syn_I)}
    return "nA, mV" if len(delta) == 2 else "mV" if delta == {True} else "nA"


def mean_error(edge: Edges, lsb: FloatArray, params: ArrayParams) -> float:
    """Return the mean error of the weights as a part of their mean size.

    Parameters
    ----------
    edge : Edges
        The projection's synapses, at least one.
    lsb : (K,) float64
        One unit of the array for each synapse, nA (mV for delta synapses).
    params : ArrayParams
        The array.
    """
    size = float(np.abs(edge.weights).mean())
    got = np.clip(np.rint(edge.weights / lsb), -params.weight_max, params.weight_max) * lsb
    return float(np.abs(got - edge.weights).mean()) / size if size else 0.0


def has_few_levels(edge: Edges, lsb: FloatArray, params: ArrayParams) -> bool:
    """Return whether the weights use few levels, and are not exact with them; as `mean_error`."""
    # With exact weights few levels are enough.
    exact = edge.rule is None and np.allclose(
        edge.weights / lsb, np.rint(edge.weights / lsb), rtol=0, atol=1e-6
    )
    return 0.0 < _levels(edge, lsb) < params.weight_max // 4 and not exact


def _levels(edge: Edges, lsb: FloatArray) -> float:
    bounds = (0.0, 0.0) if edge.rule is None else (edge.rule.w_min, edge.rule.w_max)
    top = max(float(np.abs(edge.weights).max()), *(abs(bound) for bound in bounds))
    return top / float(lsb.min())


def report_weights(
    edge: Edges,
    wanted: FloatArray,
    got: FloatArray,
    lsb: FloatArray,
    params: ArrayParams,
    report: ReportBuilder,
) -> None:
    """Report the weights of a projection.

    Parameters
    ----------
    edge : Edges
        The projection's synapses.
    wanted, got : (K,) float64
        Weights in units of the array before they were clipped, and in the array.
    lsb : (K,) float64
        That unit for each synapse, nA (mV for delta synapses).
    params : ArrayParams
        The array.
    report : ReportBuilder
        Takes the rows and remarks.
    """
    label, unit = edge.label, weight_unit(edge)
    if not len(got):
        report.note(f"{label}: the connector made no synapses")
        return
    values = got * lsb
    report.add(label, f"weight ({unit})", edge.weights, values, quiet=True)
    report.add(label, f"sum of weights ({unit})", edge.weights.sum(), values.sum(), quiet=True)
    if has_few_levels(edge, lsb, params):
        report.note(
            f"{label}: weights use only {_levels(edge, lsb):.2g} of {params.weight_max} levels: other "
            f"projections onto {edge.projection.post.label!r} are much stronger, or its v_range is too "
            f"large"
        )
    clipped, lost = int((wanted != got).sum()), int(((got == 0) & (edge.weights != 0.0)).sum())
    if clipped:
        report.note(f"{label}: {clipped} of {len(got)} weights clipped")
    if lost:
        report.note(f"{label}: {lost} of {len(got)} weights rounded to zero")
    _report_error(edge, values, lsb, params, report)


def _report_error(
    edge: Edges, values: FloatArray, lsb: FloatArray, params: ArrayParams, report: ReportBuilder
) -> None:
    """Remark on weights that are off on average, or on small ones that a few large ones coarsen."""
    size, error, unit = np.abs(edge.weights), values - edge.weights, weight_unit(edge)
    top = float(size.max())
    small = (size > 0.0) & (size < top / _SMALL)
    share = abs(float((np.sign(edge.weights) * error)[small].sum())) / float(size[small].sum() or 1.0)
    if small.any() and share > MOST_CHANGE:
        report.note(
            f"{edge.label}: the largest weight, {top:.4g} {unit}, sets a step of {float(lsb.max()):.3g}, so "
            f"the sum of the {int(small.sum())} small ones is {100 * share:.1f} % off; put the large ones in "
            f"a projection of their own"
        )
        return
    mean = mean_error(edge, lsb, params)
    if mean > MOST_CHANGE:
        report.note(
            f"{edge.label}: weights are {100 * mean:.1f} % off on average, with steps of "
            f"{float(lsb.max()):.3g} {unit}; give them a common step, or use an array with more weight_bits"
        )
