"""Synapses that learn, in float64: the pair rule at the times of the array's passes, without its rounding.

A trace is read as in the textbook, decayed to the time of the spike that reads it (Morrison, Diesmann and
Gerstner 2008); a row comes before the column of the same step, as in the array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray
from synloom.compiler.synapses import Edges
from synloom.image.report import ReportRow
from synloom.network.plasticity import PairRule

__all__ = ["LearningSynapses", "learning_of", "rounded_rule"]

Raster = npt.NDArray[np.bool_]
_FIELDS = ("A_pre", "A_post", "tau_pre", "tau_post", "x0", "y0", "w_min", "w_max")


class LearningSynapses:
    """The synapses of one projection with one delay and one dendritic delay.

    Parameters
    ----------
    edge : Edges
        The projection.
    which : (k,) int64
        Its synapses with these delays.
    weights : (K,) float64
        Weights of all its synapses, nA (mV for delta synapses).
    rule : PairRule
        The rule.
    dt : float
        Time step, ms.

    Attributes
    ----------
    pre, post : str
        Labels of the source and the target.
    delay, back : int
        Steps until a spike of the source, and of the target, reaches the synapse.
    """

    def __init__(self, edge: Edges, which: IntArray, weights: FloatArray, rule: PairRule, dt: float):
        pre, post = edge.projection.pre, edge.projection.post
        self.pre, self.post = str(pre.label), str(post.label)
        self.delay, self.back = int(edge.delay[which[0]]), int(edge.back[which[0]])
        self._which, self._places, self._rule = which, (edge.pre[which], edge.post[which]), rule
        self._there = np.zeros((pre.n, post.n), dtype=bool)
        self._there[self._places] = True
        self._weights = np.zeros((pre.n, post.n))
        self._weights[self._places] = weights[which]
        self._x, self._y = np.zeros(pre.n), np.zeros(post.n)
        self._keep_x, self._keep_y = (float(np.exp(-dt / tau)) for tau in (rule.tau_pre, rule.tau_post))

    def rows(self, active: IntArray) -> tuple[FloatArray, FloatArray]:
        """Begin a step in which spikes of these sources arrive; return what the targets get, (n_post,) each.

        The weights are sent, and then changed.
        """
        self._x *= self._keep_x
        self._y *= self._keep_y
        rows = self._weights[active]
        sent = np.maximum(rows, 0.0).sum(axis=0), np.maximum(-rows, 0.0).sum(axis=0)
        if self._rule.A_pre:
            change = self._rule.A_pre * (self._y - self._rule.y0)
            self._weights[active] = self._changed(rows, self._there[active], change)
        self._x[active] = 1.0 + self._x[active] * (self._rule.pairing == "all_to_all")
        return sent

    def columns(self, fired: IntArray) -> None:
        """Change the weights onto targets whose spikes reach the synapses, at the end of the step."""
        if not len(fired):
            return
        if self._rule.A_post:
            change = self._rule.A_post * (self._x - self._rule.x0)
            columns = self._changed(self._weights[:, fired], self._there[:, fired], change[:, None])
            self._weights[:, fired] = columns
        self._y[fired] = 1.0 + self._y[fired] * (self._rule.pairing == "all_to_all")

    def _changed(self, weights: FloatArray, there: Raster, change: FloatArray) -> FloatArray:
        rule = self._rule
        room: Any = rule.w_max - rule.w_min
        if rule.bounds == "soft":
            room = np.where(change > 0.0, rule.w_max - weights, weights - rule.w_min)
        changed = np.clip(weights + change * room, rule.w_min, rule.w_max)
        return np.where(there, changed, weights)

    def put(self, weights: FloatArray) -> None:
        """Write the present weights into those of all synapses of the projection, (K,)."""
        weights[self._which] = self._weights[self._places]


def learning_of(edge: Edges, weights: FloatArray, rule: PairRule, dt: float) -> list[LearningSynapses]:
    """Return the synapses of a projection that learns, an entry for each pair of delays."""
    _, group = np.unique(np.stack([edge.delay, edge.back]), axis=1, return_inverse=True)
    parts = [np.flatnonzero(group.ravel() == k) for k in range(int(group.max()) + 1)]
    return [LearningSynapses(edge, which, weights, rule, dt) for which in parts]


def rounded_rule(edge: Edges, rows: Sequence[ReportRow]) -> PairRule:
    """Return the rule of a projection with its numbers as the array has them, from the report."""
    assert edge.rule is not None
    names: Mapping[str, str] = getattr(edge.projection.plasticity, "names", {})
    ratios = {
        row.parameter.split(" (")[0]: row.got / row.wanted
        for row in rows
        if row.where == edge.label and row.wanted
    }
    return replace(
        edge.rule,
        **{field: getattr(edge.rule, field) * ratios.get(names.get(field, field), 1.0) for field in _FIELDS},
    )
