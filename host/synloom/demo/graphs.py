"""Graphs whose nodes have labels: the karate club, random blocks, and label propagation as a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import BuildError, ParameterError

__all__ = ["LabelledGraph", "harmonic_labels", "karate_club", "placed", "stochastic_blocks"]


@dataclass(frozen=True, eq=False)
class LabelledGraph:
    """An undirected graph with a label for each node.

    Parameters
    ----------
    edges : (nodes, nodes) bool
        Symmetric, without loops.
    labels : (nodes,) int64
        Labels, from 0.
    """

    edges: npt.NDArray[np.bool_]
    labels: IntArray

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.labels)

    @property
    def classes(self) -> int:
        """Number of labels."""
        return int(self.labels.max()) + 1


def _networkx() -> Any:
    try:
        import networkx
    except ImportError as error:
        raise BuildError(
            f"graphs come with networkx ({error}); try: pip install 'synloom[gallery]'"
        ) from error
    return networkx


def karate_club() -> LabelledGraph:
    """Return Zachary's karate club: 34 members, and which of two clubs each joined when it split.

    Raises
    ------
    BuildError
        If networkx is not installed.
    """
    networkx = _networkx()
    club = networkx.karate_club_graph()
    edges = networkx.to_numpy_array(club, weight=None) > 0.0
    labels = [int(club.nodes[node]["club"] != "Mr. Hi") for node in club]
    return LabelledGraph(edges, np.array(labels, dtype=np.int64))


def stochastic_blocks(
    rng: np.random.Generator, blocks: int, size: int, within: float, between: float
) -> LabelledGraph:
    """Return a stochastic block model: blocks of equal size, edges at random.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.
    blocks, size : int
        Number of blocks, and nodes of a block; the labels are the blocks.
    within, between : float
        Probability of an edge within a block, and between two blocks.

    Raises
    ------
    ParameterError
        If a probability is not in 0..1.
    """
    for name, value in (("within", within), ("between", between)):
        if not 0.0 <= value <= 1.0:
            raise ParameterError(f"{name} must be in 0..1, not {value:g}")
    labels = np.repeat(np.arange(blocks), size)
    chance = np.where(labels[:, None] == labels[None, :], within, between)
    upper = np.triu(rng.random(chance.shape) < chance, 1)
    return LabelledGraph(upper | upper.T, labels.astype(np.int64))


def harmonic_labels(graph: LabelledGraph, known: IntArray) -> IntArray:
    """Return the labels that label propagation finds, (nodes,) int64 (Zhu, Ghahramani and Lafferty 2003).

    Known nodes keep their label; each other node has for each label the mean of its neighbours' values.
    A node that no known one reaches has label -1.

    Parameters
    ----------
    graph : LabelledGraph
        The graph; labels of nodes that are not known are not looked at.
    known : (k,) int64
        The nodes whose labels are known.
    """
    rest = np.setdiff1d(np.arange(graph.nodes), known)
    walk = graph.edges / np.maximum(graph.edges.sum(axis=1, keepdims=True), 1)
    given = np.eye(graph.classes)[graph.labels[known]]
    system = np.eye(len(rest)) - walk[np.ix_(rest, rest)]
    values = np.linalg.lstsq(system, walk[np.ix_(rest, known)] @ given, rcond=None)[0]
    found = np.empty(graph.nodes, dtype=np.int64)
    found[known] = graph.labels[known]
    found[rest] = np.where(values.max(axis=1) > 1e-9, values.argmax(axis=1), -1)
    return found


def placed(graph: LabelledGraph, seed: int = 0) -> FloatArray:
    """Return a place for each node, (nodes, 2) float64, by the springs of Fruchterman and Reingold.

    Raises
    ------
    BuildError
        If networkx is not installed.
    """
    networkx = _networkx()
    places = networkx.spring_layout(
        networkx.from_numpy_array(graph.edges.astype(int)), seed=seed, iterations=200
    )
    return np.array([places[node] for node in range(graph.nodes)], dtype=np.float64)
