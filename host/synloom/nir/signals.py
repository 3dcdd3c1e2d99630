"""What reaches a node of a NIR graph: through which matrices from which neurons and inputs, how late."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import scipy.sparse

from synloom.base.checks import FloatArray
from synloom.base.errors import NetworkError
from synloom.nir.graph import Graph, Node
from synloom.nir.metadata import projection_of
from synloom.nir.transforms import LINEAR, Map, Shape, linear_map

__all__ = ["GRADED", "SPIKING", "Signal", "Term", "Tracer"]

SPIKING: Final = ("LIF", "CubaLIF", "IF", "Threshold")
"""Kinds of nodes that send spikes."""
GRADED: Final = ("LI", "CubaLI", "I")
"""Kinds of nodes that send their potential."""
_PARAMETERS: Final = {
    "LIF": "v_threshold",
    "CubaLIF": "v_threshold",
    "IF": "v_threshold",
    "Threshold": "threshold",
    "LI": "r",
    "CubaLI": "r",
    "I": "r",
}
"""The parameter that has a node's shape."""
_MOST_DELAYS: Final = 1024
_TRIVIAL: Final = ("Scale", "Flatten", "Pass")


@dataclass(frozen=True, eq=False)
class Term:
    """The part of a signal that comes from one source after one delay.

    Parameters
    ----------
    source : str
        Name of the input or the neurons.
    delay : float
        What Delay nodes add up to, ms.
    matrix : (n, n_source) sparse matrix
        The factors.
    through : str
        The last node with weights on the way, or the projection that `to_nir` wrote; empty if there is none.
    apart : bool
        Whether `through` is such a projection.
    """

    source: str
    delay: float
    matrix: Any
    through: str
    apart: bool = False


@dataclass(frozen=True, eq=False)
class Signal:
    """A sum of terms and of a constant.

    Parameters
    ----------
    terms : tuple of Term
        One for each source and delay.
    bias : (n,) float64
        The constant.
    shape : tuple of int
        Shape of the n values.
    """

    terms: tuple[Term, ...]
    bias: FloatArray
    shape: Shape

    @property
    def plain(self) -> bool:
        """Whether this is one source as it is, without weights, delay and constant."""
        if len(self.terms) != 1 or self.bias.any() or self.terms[0].delay or self.terms[0].through:
            return False
        matrix = self.terms[0].matrix
        same = matrix.shape[0] == matrix.shape[1]
        return bool(same and abs(matrix - scipy.sparse.eye_array(matrix.shape[0])).sum() == 0.0)


class Tracer:
    """Follows the signals of a graph back to their sources.

    Parameters
    ----------
    graph : Graph
        The graph.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self._known: dict[str, Signal] = {}
        self._way: list[str] = []

    def shape(self, node: Node) -> Shape:
        """Return the shape of an input or of neurons.

        Raises
        ------
        NetworkError
            If it is empty or not known.
        """
        if node.kind == "Input":
            sides = node.numbers("shape").reshape(-1)
            shape = tuple(int(side) for side in sides)
        else:
            shape = node.numbers(_PARAMETERS[node.kind]).shape
            if math.prod(shape) == 1:
                # One value for all: the weights before it tell how many.
                before = [self.graph.nodes[name] for name in self.graph.before[node.name]]
                rows = [len(b.numbers("weight")) for b in before if b.kind in ("Linear", "Affine")]
                shape = (max(rows),) if max(rows, default=1) > 1 else shape
        if math.prod(shape) < 1:
            raise node.error(f"is empty: its shape is {shape}")
        return shape

    def into(self, node: Node) -> Signal:
        """Return the sum of all signals that lead to a node.

        Raises
        ------
        NetworkError
            If their sizes differ, or they come round without neurons between.
        """
        parts = [self._out(self.graph.nodes[name]) for name in self.graph.before[node.name]]
        if not parts:
            raise node.error("nothing leads to it; connect it or leave it out")
        sizes = sorted({len(part.bias) for part in parts})
        if len(sizes) > 1:
            named = ", ".join(
                f"{name!r}: {len(part.bias)}"
                for name, part in zip(self.graph.before[node.name], parts, strict=True)
            )
            raise node.error(f"adds up signals of different sizes ({named})")
        terms = [term for part in parts for term in part.terms]
        return Signal(_merged(terms), np.sum([part.bias for part in parts], axis=0), parts[0].shape)

    def _out(self, node: Node) -> Signal:
        if node.name not in self._known:
            if node.name in self._way:
                loop = " -> ".join([*self._way[self._way.index(node.name) :], node.name])
                raise NetworkError(f"nodes {loop}: a loop without neurons, which has no defined value")
            self._way.append(node.name)
            self._known[node.name] = self._computed(node)
            self._way.pop()
        return self._known[node.name]

    def _computed(self, node: Node) -> Signal:
        if node.kind == "Output":
            raise node.error("an Output leads nowhere, but an edge begins at it")
        if node.kind == "Delay":
            return _delayed(node, self.into(node))
        if node.kind in LINEAR:
            signal = self.into(node)
            through = "" if node.kind in _TRIVIAL else projection_of(node)
            return _mapped(
                linear_map(node, signal.shape), signal, through, "synloom_projection" in node.extra
            )
        shape = self.shape(node)
        n = math.prod(shape)
        return Signal(
            (Term(node.name, 0.0, scipy.sparse.eye_array(n, format="csr"), ""),), np.zeros(n), shape
        )


def _mapped(by: Map, signal: Signal, through: str, apart: bool) -> Signal:
    terms = [
        Term(t.source, t.delay, by.matrix @ t.matrix, through or t.through, apart or t.apart)
        for t in signal.terms
    ]
    return Signal(_merged(terms), by.matrix @ signal.bias + by.bias, by.shape)


def _delayed(node: Node, signal: Signal) -> Signal:
    delays = 1000.0 * node.numbers("delay").reshape(-1)
    n = len(signal.bias)
    if len(delays) not in (1, n):
        raise node.error(f"delay has {len(delays)} values for a signal of {n}")
    if (delays < 0.0).any():
        raise node.error(f"delay must be at least 0, not {delays.min() / 1000:g} s")
    delays = np.broadcast_to(delays, (n,))
    different = np.unique(delays)
    if len(different) * len(signal.terms) > _MOST_DELAYS:
        raise node.error(
            f"{len(different)} delays of {len(signal.terms)} signals are too many; at most {_MOST_DELAYS}"
        )
    terms = []
    for delay in different:
        mask = scipy.sparse.diags_array((delays == delay).astype(np.float64), format="csr")
        terms += [replace(t, delay=t.delay + float(delay), matrix=mask @ t.matrix) for t in signal.terms]
    return Signal(_merged(terms), signal.bias, signal.shape)


def _merged(terms: list[Term]) -> tuple[Term, ...]:
    """Return the terms with those of one source and delay added up; projections of `to_nir` stay apart."""
    sums: dict[tuple[str, float, str], Term] = {}
    for term in terms:
        key = (term.source, term.delay, term.through if term.apart else "")
        known = sums.get(key)
        if known is not None:
            both = known.matrix + term.matrix
            term = replace(term, matrix=both, through=known.through or term.through)
        sums[key] = term
    return tuple(sums.values())
