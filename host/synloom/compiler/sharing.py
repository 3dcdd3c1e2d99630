"""Sharing: which projections between the same populations may have synapses in the same rows of weights.

A row has one segment for each population of targets, with one shift and one learning rule. So projections of
one rule can share it, at the price of one unit for the weights of both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synloom.base.checks import FloatArray, IntArray
from synloom.compiler.rules import weight_units
from synloom.compiler.scales import Scale, choose_scale
from synloom.compiler.synapses import Edges
from synloom.compiler.weight_report import has_few_levels, mean_error
from synloom.contract.params import ArrayParams
from synloom.image.report import MOST_CHANGE
from synloom.network.network import Network, Population

__all__ = ["share"]


def share(
    network: Network, edges: Sequence[Edges], params: ArrayParams
) -> tuple[list[int], dict[str, Scale]]:
    """Return the kind of each projection, and the scales of the populations by label.

    Projections of one kind may have synapses in the same rows. They join the same populations, have one rule
    or none, and save rows together. A common unit must leave their weights within 2 % on average, or as they
    are without it.

    Parameters
    ----------
    network : Network
        The network.
    edges : sequence of Edges
        The synapses of its projections.
    params : ArrayParams
        The array's number formats.
    """
    kinds = list(range(len(edges)))
    scales: dict[str, Scale] = {}
    for population in network.populations:
        mine = [k for k, edge in enumerate(edges) if edge.projection.post is population]
        scale = _scale(population, edges, mine, kinds, params, network.dt)
        for k in mine:
            for kind in dict.fromkeys(kinds[j] for j in mine if j < k):
                members = [j for j in mine if kinds[j] == kind]
                if not any(_saves_rows(edges[j], edges[k]) for j in members):
                    continue
                tried = [kind if j == k else old for j, old in enumerate(kinds)]
                joined = _scale(population, edges, mine, tried, params, network.dt)
                together = [edges[j] for j in (*members, k)]
                if _have_one_unit(together, joined) and all(
                    _is_as_good(edges[j], scale, joined, params) for j in mine
                ):
                    kinds, scale = tried, joined
                    break
        scales[str(population.label)] = scale
    return kinds, scales


def _scale(
    population: Population,
    edges: Sequence[Edges],
    mine: Sequence[int],
    kinds: Sequence[int],
    params: ArrayParams,
    dt: float,
) -> Scale:
    groups: dict[int, list[Edges]] = {}
    for k in mine:
        groups.setdefault(kinds[k], []).append(edges[k])
    return choose_scale(population, list(groups.values()), params, dt)


def _saves_rows(one: Edges, other: Edges) -> bool:
    """Return whether a source has synapses of one delay in both projections, and no pair of both."""
    if one.projection.pre is not other.projection.pre or one.rule != other.rule:
        return False
    common = np.intersect1d(_rows(one), _rows(other))
    if not len(common):
        return False
    n = one.projection.post.n
    twice = np.intersect1d(_rows(one) * n + one.post, _rows(other) * n + other.post)
    return len(np.setdiff1d(common, twice // n)) > 0


def _rows(edge: Edges) -> IntArray:
    """Return a number for the source and the delay of each synapse, (K,) int64."""
    return np.asarray(edge.delay * edge.projection.pre.n + edge.pre, dtype=np.int64)


def _have_one_unit(edges: Sequence[Edges], scale: Scale) -> bool:
    """Return whether the weights of projections that learn together have one unit."""
    if edges[0].rule is None:
        return True
    units = weight_units(edges, scale)
    return bool(units.max() <= 1.01 * units.min())


def _is_as_good(edge: Edges, before: Scale, after: Scale, params: ArrayParams) -> bool:
    """Return whether other scales leave the weights of a projection near enough, without another remark."""
    if not len(edge.weights):
        return True
    old, new = (_lsb(edge, scale) for scale in (before, after))
    near = mean_error(edge, new, params) <= max(MOST_CHANGE, mean_error(edge, old, params))
    return near and (has_few_levels(edge, old, params) or not has_few_levels(edge, new, params))


def _lsb(edge: Edges, scale: Scale) -> FloatArray:
    exc, inh = scale.weight_lsb(edge.label)
    return np.where(edge.weights >= 0.0, exc[edge.post], inh[edge.post])
