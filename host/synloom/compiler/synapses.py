"""Projections expanded into synapses: pairs, weights in SI units, delays in steps."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from synloom.base.checks import HUGE, FloatArray, IntArray, reals, steps_of
from synloom.base.errors import NetworkError, ParameterError
from synloom.image.report import ReportBuilder
from synloom.network.inputs import InputPopulation
from synloom.network.network import Network, Population, Projection
from synloom.network.plasticity import PairRule

__all__ = ["Edges", "delays", "expand"]


@dataclass(frozen=True, eq=False)
class Edges:
    """The synapses of one projection.

    Parameters
    ----------
    projection : Projection
        The projection.
    pre, post : (K,) int64
        Source and target of each synapse, as indices within the populations; each pair at most once.
    weights : (K,) float64
        nA, or mV for delta synapses.
    """

    projection: Projection
    pre: IntArray
    post: IntArray
    weights: FloatArray

    @property
    def label(self) -> str:
        """Label of the projection."""
        return str(self.projection.label)

    @property
    def rule(self) -> PairRule | None:
        """Learning rule of the projection; None if its weights are static."""
        return self.projection.rule


def expand(network: Network) -> list[Edges]:
    """Expand all projections of a network into synapses.

    Each projection has a random stream of its own, of the network's seed and its label, so adding or removing
    one does not change what the others draw.

    Raises
    ------
    NetworkError
        If a connector does not fit its populations, weights are missing or given twice, or two projections
        join the same two populations.
    ParameterError
        If weights from a connector or a distribution have the wrong shape or are out of range, or if a weight
        is out of the bounds of its learning rule.
    """
    edges = []
    for projection in network.projections:
        edges.append(_expand_one(projection, _stream(network.seed, str(projection.label))))
    _refuse_twice(edges)
    return edges


def _stream(seed: int, label: str) -> np.random.Generator:
    name = hashlib.sha256(label.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(name[:16], "little")])


def _expand_one(projection: Projection, rng: np.random.Generator) -> Edges:
    made = projection.connector.synapses(
        projection.pre.n, projection.post.n, rng, projection.pre is projection.post
    )
    weight = projection.weight
    if (weight is None) == (made.weights is None):
        raise NetworkError(
            f"projection {projection.label!r} "
            + (
                "has no weights; give a weight=, or weights in the connector"
                if weight is None
                else "has weights twice; leave out weight=, since the connector gives weights"
            )
        )
    if made.weights is not None:
        weights = _in_range(projection, made.weights, len(made))
    elif isinstance(weight, np.ndarray):
        weights = weight[made.pre, made.post]
    elif isinstance(weight, (int, float)):
        weights = np.full(len(made), float(weight))
    else:
        assert weight is not None
        weights = _in_range(projection, weight.draw(len(made), rng), len(made))
    _check_bounds(projection, weights)
    return Edges(projection, made.pre, made.post, weights)


def _in_range(projection: Projection, weights: Any, count: int) -> FloatArray:
    """Return the weights of a connector or a distribution, checked: (count,) float64."""
    if np.shape(weights) != (count,):
        raise ParameterError(
            f"projection {projection.label!r}: its distribution or connector must return one weight per "
            f"synapse, shape ({count},), not {np.shape(weights)}"
        )
    if not count:
        return np.zeros(0)
    return reals(f"weights of projection {projection.label!r}", weights, low=-HUGE, high=HUGE)


def _check_bounds(projection: Projection, weights: FloatArray) -> None:
    rule = projection.rule
    if rule is None or not len(weights):
        return
    bad = (weights < rule.w_min - 1e-9 * abs(rule.w_min)) | (weights > rule.w_max + 1e-9 * abs(rule.w_max))
    if bad.any():
        raise ParameterError(
            f"projection {projection.label!r}: initial weights must be in w_min..w_max of its learning rule, "
            f"{rule.w_min:g}..{rule.w_max:g}, not {weights[bad][0]:g}; change the weights or the bounds"
        )


def _refuse_twice(edges: list[Edges]) -> None:
    seen: dict[tuple[int, int], str] = {}
    for edge in edges:
        ends = (id(edge.projection.pre), id(edge.projection.post))
        if ends in seen:
            raise NetworkError(
                f"projections {seen[ends]!r} and {edge.label!r} join the same two populations, but the array "
                f"has one synapse per source and target; merge them into one projection with FromMatrix"
            )
        seen[ends] = edge.label


def delays(network: Network, report: ReportBuilder) -> dict[str, IntArray]:
    """Return the axonal delay of every source in steps, (n,) int64 by label of its population.

    Raises
    ------
    NetworkError
        If two projections give one source different delays, or the delay of a neuron is below one step.
    ParameterError
        If a delay is 2**31 steps or more.
    """
    found: dict[str, tuple[str, IntArray]] = {}
    for projection in network.projections:
        if projection.delay is None:
            continue
        source, label = str(projection.pre.label), str(projection.label)
        steps = _delay_steps(projection, projection.delay, network.dt)
        if source in found and (found[source][1] != steps).any():
            k = int(np.argmax(found[source][1] != steps))
            raise NetworkError(
                f"projections {found[source][0]!r} and {label!r} give source {k} of {source!r} different "
                f"delays, {found[source][1][k]} and {steps[k]} steps; delays are axonal, so give one delay "
                f"per source, the same in all its projections"
            )
        found[source] = (label, steps)
        report.add(label, "delay (ms)", projection.delay, steps * network.dt)
        if isinstance(projection.pre, InputPopulation) and projection.pre.generator and steps.any():
            report.note(
                f"{label}: the delay is ignored, because generators draw a spike in the step in which it "
                f"arrives"
            )
    result: dict[str, IntArray] = {}
    sources: list[Population | InputPopulation] = [*network.populations, *network.inputs]
    for population in sources:
        default = np.full(population.n, int(isinstance(population, Population)), dtype=np.int64)
        result[str(population.label)] = found.get(str(population.label), ("", default))[1]
    return result


def _delay_steps(projection: Projection, delay: FloatArray, dt: float) -> IntArray:
    steps = steps_of(f"delay of projection {projection.label!r}", delay, dt)
    if isinstance(projection.pre, Population) and (steps < 1).any():
        raise NetworkError(
            f"projection {projection.label!r}: a neuron's delay must be at least one step ({dt:g} ms), "
            f"not {delay.min():g} ms; use a longer delay or a smaller dt"
        )
    return steps
