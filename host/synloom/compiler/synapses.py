"""Projections expanded into synapses: pairs, weights in SI units, delays in steps."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synloom.base.checks import HUGE, FloatArray, IntArray, reals, steps_of
from synloom.base.errors import NetworkError, ParameterError
from synloom.image.report import ReportBuilder
from synloom.network.network import Network, Population, Projection
from synloom.network.plasticity import PairRule

__all__ = ["Edges", "back_delays", "expand"]


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
    delay : (K,) int64
        Steps until a spike of the source arrives.
    back : (K,) int64
        Steps until a spike of the target reaches the synapse.
    """

    projection: Projection
    pre: IntArray
    post: IntArray
    weights: FloatArray
    delay: IntArray
    back: IntArray

    @property
    def label(self) -> str:
        """Label of the projection."""
        return str(self.projection.label)

    @property
    def rule(self) -> PairRule | None:
        """Learning rule of the projection; None if its weights are static."""
        return self.projection.rule


def expand(network: Network, report: ReportBuilder) -> list[Edges]:
    """Expand all projections of a network into synapses.

    Each projection has a random stream of its own, of the network's seed and its label, so adding or removing
    one does not change what the others draw.

    Raises
    ------
    NetworkError
        If a connector does not fit its populations, weights are missing or given twice, or the delay of a
        neuron is below one step.
    ParameterError
        If weights from a connector or a distribution have the wrong shape or are out of range, or if a weight
        is out of the bounds of its learning rule.
    """
    edges = []
    for projection in network.projections:
        rng = _stream(network.seed, str(projection.label))
        edges.append(_expand_one(projection, network.dt, rng, report))
    return edges


def _stream(seed: int, label: str) -> np.random.Generator:
    name = hashlib.sha256(label.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(name[:16], "little")])


def _expand_one(projection: Projection, dt: float, rng: np.random.Generator, report: ReportBuilder) -> Edges:
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
    delay, back = _delays(projection, made.pre, made.post, dt, rng, report)
    return Edges(projection, made.pre, made.post, weights, delay, back)


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


def _delays(
    projection: Projection,
    pre: IntArray,
    post: IntArray,
    dt: float,
    rng: np.random.Generator,
    report: ReportBuilder,
) -> tuple[IntArray, IntArray]:
    """Return the delay of each synapse, and that of its target's spikes, in steps."""
    label, delay = str(projection.label), projection.delay
    least = int(isinstance(projection.pre, Population))
    name = f"delay of projection {label!r}"
    if delay is None:
        wanted = np.full(len(pre), least * dt)
    elif isinstance(delay, np.ndarray):
        wanted = np.asarray(delay[pre, post], dtype=np.float64)
    else:
        wanted = _drawn_delays(projection, delay.draw(len(pre), rng), len(pre))
    steps = steps_of(name, wanted, dt) if len(pre) else np.zeros(0, dtype=np.int64)
    if (steps < least).any():
        raise NetworkError(
            f"projection {label!r}: a neuron's delay must be at least one step ({dt:g} ms), "
            f"not {wanted.min():g} ms; use a longer delay or a smaller dt"
        )
    if delay is not None and len(steps):
        report.add(label, "delay (ms)", wanted, steps * dt)
    on_dendrite: FloatArray = (2.0 * projection.dendritic * dt) * steps.astype(np.float64)
    back = steps_of(name, on_dendrite, dt) if len(pre) else steps
    if back.any() and projection.rule is not None:
        report.add(label, "dendritic delay (ms)", on_dendrite / 2.0, back * dt / 2.0)
    return steps, back


def _drawn_delays(projection: Projection, drawn: Any, count: int) -> FloatArray:
    """Return the delays of a distribution, checked: (count,) float64."""
    if np.shape(drawn) != (count,):
        raise ParameterError(
            f"projection {projection.label!r}: its distribution must return one delay per synapse, shape "
            f"({count},), not {np.shape(drawn)}"
        )
    return reals(f"delays of projection {projection.label!r}", drawn, low=0.0) if count else np.zeros(0)


def back_delays(network: Network, edges: Sequence[Edges]) -> dict[str, IntArray]:
    """Return how long each neuron's spikes take to its own synapses, in steps: (n,) int64 by label.

    Raises
    ------
    NetworkError
        If plastic synapses of one target have different dendritic delays.
    """
    found = {str(p.label): np.full(p.n, -1, dtype=np.int64) for p in network.populations}
    source: dict[str, str] = {}
    for edge in edges:
        if edge.rule is None:
            continue
        label = str(edge.projection.post.label)
        known, other = found[label], source.get(label, edge.label)
        for value in np.unique(edge.back):
            targets = np.unique(edge.post[edge.back == value])
            wrong = targets[(known[targets] >= 0) & (known[targets] != value)]
            if len(wrong):
                raise NetworkError(
                    f"plastic projections {other!r} and {edge.label!r} give neuron {wrong[0]} of {label!r} "
                    f"different dendritic delays, {known[wrong[0]] / 2 * network.dt:g} and "
                    f"{value / 2 * network.dt:g} ms; its spikes reach all its plastic synapses at one time, "
                    f"so give these projections equal delays, or dendritic=0"
                )
            known[targets] = value
        source[label] = edge.label
    return {label: np.maximum(known, 0) for label, known in found.items()}
