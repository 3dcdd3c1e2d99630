"""Connectors: which source meets which target. Random ones draw from the network's seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse

from synloom.base.checks import FloatArray, IntArray, real, switch, whole
from synloom.base.errors import NetworkError, ParameterError

__all__ = [
    "AllToAll",
    "Connector",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedProbability",
    "FromList",
    "FromMatrix",
    "OneToOne",
    "SmallWorld",
    "Synapses",
]


@dataclass(frozen=True, eq=False)
class Synapses:
    """What a connector makes: pairs, each at most once, and weights if the connector brings them.

    Parameters
    ----------
    pre, post : (K,) int64
        Indices within the two populations.
    weights : (K,) float64 or None
        Weights in the projection's unit; None leaves them to the projection.
    """

    pre: IntArray
    post: IntArray
    weights: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.pre)


class Connector(Protocol):
    """What a projection takes as `connector`."""

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return the synapses between populations of these sizes; `recurrent` if both are the same."""
        ...


def _from_mask(mask: Any) -> Synapses:
    pre, post = np.nonzero(mask)
    return Synapses(pre.astype(np.int64), post.astype(np.int64))


@dataclass(frozen=True, kw_only=True)
class AllToAll:
    """Every source meets every target.

    Parameters
    ----------
    allow_self_connections : bool
        Whether a neuron meets itself when the projection's two populations are one.
    """

    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        switch("allow_self_connections", self.allow_self_connections)

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return all pairs."""
        mask = np.ones((n_pre, n_post), dtype=bool)
        if recurrent and not self.allow_self_connections:
            np.fill_diagonal(mask, False)
        return _from_mask(mask)


@dataclass(frozen=True, kw_only=True)
class OneToOne:
    """Source k meets target k; both populations have one size."""

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return the diagonal."""
        if n_pre != n_post:
            raise NetworkError(f"OneToOne needs populations of one size, not {n_pre} and {n_post}")
        index = np.arange(n_pre, dtype=np.int64)
        return Synapses(index, index)


@dataclass(frozen=True)
class FixedProbability:
    """Each pair is connected with probability p, independently.

    Parameters
    ----------
    p : float
        Probability, 0 to 1.
    allow_self_connections : bool
        Whether a neuron may meet itself when the projection's two populations are one.
    """

    p: float
    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        real("p", self.p, low=0.0, high=1.0)
        switch("allow_self_connections", self.allow_self_connections)

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return a random part of all pairs."""
        mask = rng.random((n_pre, n_post)) < self.p
        if recurrent and not self.allow_self_connections:
            np.fill_diagonal(mask, False)
        return _from_mask(mask)


def _choose(count: int, n: int, rng: np.random.Generator, without: int | None) -> IntArray:
    """Return `count` different ones of 0..n-1, ascending, `without` one of them."""
    candidates = np.arange(n, dtype=np.int64)
    if without is not None:
        candidates = np.delete(candidates, without)
    return np.sort(rng.choice(candidates, count, replace=False))


@dataclass(frozen=True)
class FixedInDegree:
    """Every target meets k different sources (PyNN's FixedNumberPreConnector).

    Parameters
    ----------
    k : int
        Sources per target.
    allow_self_connections : bool
        Whether a neuron may meet itself when the projection's two populations are one.
    """

    k: int
    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        whole("k", self.k, 0, 4096)
        switch("allow_self_connections", self.allow_self_connections)

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return k sources for each target."""
        alone = recurrent and not self.allow_self_connections
        if self.k > n_pre - alone:
            raise NetworkError(f"FixedInDegree(k={self.k}): there are only {n_pre - alone} sources")
        pre = [_choose(self.k, n_pre, rng, j if alone else None) for j in range(n_post)]
        return Synapses(np.concatenate(pre), np.repeat(np.arange(n_post, dtype=np.int64), self.k))


@dataclass(frozen=True)
class FixedOutDegree:
    """Every source meets k different targets (PyNN's FixedNumberPostConnector).

    Parameters
    ----------
    k : int
        Targets per source.
    allow_self_connections : bool
        Whether a neuron may meet itself when the projection's two populations are one.
    """

    k: int
    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        whole("k", self.k, 0, 4096)
        switch("allow_self_connections", self.allow_self_connections)

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return k targets for each source."""
        alone = recurrent and not self.allow_self_connections
        if self.k > n_post - alone:
            raise NetworkError(f"FixedOutDegree(k={self.k}): there are only {n_post - alone} targets")
        post = [_choose(self.k, n_post, rng, i if alone else None) for i in range(n_pre)]
        return Synapses(np.repeat(np.arange(n_pre, dtype=np.int64), self.k), np.concatenate(post))


@dataclass(frozen=True)
class SmallWorld:
    """A ring in which every neuron meets its k nearest, each link rewired with probability p.

    Watts and Strogatz (1998), with directed links and no geometry but the index. No neuron meets itself.

    Parameters
    ----------
    k : int
        Targets per source, half of them on each side; even.
    p : float
        Probability that a link goes to a random target instead.
    """

    k: int
    p: float

    def __post_init__(self) -> None:
        if whole("k", self.k, 2, 2046) % 2:
            raise ParameterError(f"k must be even (half of the neighbours on each side), not {self.k}")
        real("p", self.p, low=0.0, high=1.0)

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return the rewired ring."""
        if n_pre != n_post:
            raise NetworkError(f"SmallWorld needs populations of one size, not {n_pre} and {n_post}")
        if self.k >= n_pre:
            raise NetworkError(f"SmallWorld(k={self.k}) needs more than {self.k} neurons, not {n_pre}")
        steps = np.array([d for d in range(-self.k // 2, self.k // 2 + 1) if d])
        mask = np.zeros((n_pre, n_post), dtype=bool)
        for i in range(n_pre):
            mask[i, (i + steps) % n_pre] = True
        for i, j in zip(*np.nonzero(mask), strict=True):
            if rng.random() >= self.p:
                continue
            free = np.flatnonzero(~mask[i])
            free = free[free != i]
            if len(free):
                mask[i, j] = False
                mask[i, rng.choice(free)] = True
        return _from_mask(mask)


class FromList:
    """Pairs from a list.

    Parameters
    ----------
    pairs : sequence of (pre, post) or (pre, post, weight)
        Indices within the two populations; with weights, the projection's `weight` must be left out.
    """

    def __init__(self, pairs: Sequence[Sequence[float]]):
        try:
            table = np.asarray(pairs, dtype=np.float64)
        except (TypeError, ValueError):
            table = np.zeros(0)
        if table.ndim != 2 or table.shape[1] not in (2, 3) or not len(table):
            raise ParameterError(
                "FromList needs a list of (pre, post) or of (pre, post, weight), at least one"
            )
        if not np.isfinite(table).all():
            raise ParameterError("FromList: every number must be finite")
        if (table[:, :2] != np.rint(table[:, :2])).any():
            raise ParameterError("FromList: indices must be whole numbers")
        self.pairs = table[:, :2].astype(np.int64)
        self.weights = table[:, 2].copy() if table.shape[1] == 3 else None

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return the pairs as they are."""
        for column, n, name in ((0, n_pre, "pre"), (1, n_post, "post")):
            index = self.pairs[:, column]
            bad = (index < 0) | (index >= n)
            if bad.any():
                raise NetworkError(f"FromList: {name} must be in 0..{n - 1}, not {index[bad][0]}")
        flat = self.pairs[:, 0] * n_post + self.pairs[:, 1]
        unique, counts = np.unique(flat, return_counts=True)
        if (counts > 1).any():
            i, j = divmod(int(unique[counts > 1][0]), n_post)
            raise NetworkError(f"FromList: the pair ({i}, {j}) is there twice; a pair has one synapse")
        return Synapses(self.pairs[:, 0], self.pairs[:, 1], self.weights)


class FromMatrix:
    """Synapses from a matrix of shape (pre, post).

    Parameters
    ----------
    matrix : (n_pre, n_post) array or scipy.sparse matrix
        Dense numbers are weights, NaN meaning *no synapse* (0 is a synapse of weight 0). Dense booleans say
        which pairs are connected, with the projection's `weight`. Of a sparse matrix the stored entries are
        the synapses.
    """

    def __init__(self, matrix: Any):
        sparse: bool = scipy.sparse.issparse(matrix)
        if sparse:
            coo = matrix.tocoo(copy=True)
            coo.sum_duplicates()
            pre, post, weights = coo.row, coo.col, coo.data
            if weights.dtype.kind not in "biuf":
                raise ParameterError(f"FromMatrix needs a matrix of numbers or booleans, not {weights.dtype}")
            self.shape = (int(coo.shape[0]), int(coo.shape[1]))
        else:
            dense = np.asarray(matrix)
            if dense.ndim != 2 or dense.dtype.kind not in "biuf":
                raise ParameterError(
                    f"FromMatrix needs a 2-D matrix of numbers or booleans, not {dense.dtype} of shape "
                    f"{dense.shape}"
                )
            pre, post = np.nonzero(dense if dense.dtype.kind == "b" else ~np.isnan(dense))
            weights = dense[pre, post]
            self.shape = (int(dense.shape[0]), int(dense.shape[1]))
        self.pre, self.post = pre.astype(np.int64), post.astype(np.int64)
        self.weights = None if weights.dtype.kind == "b" else weights.astype(np.float64)
        if self.weights is not None and not np.isfinite(self.weights).all():
            raise ParameterError(
                "FromMatrix: weights must be finite (NaN in a dense matrix means no synapse)"
            )

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return the matrix's entries."""
        if self.shape != (n_pre, n_post):
            raise NetworkError(
                f"FromMatrix: the matrix has shape {self.shape}, the projection {(n_pre, n_post)}"
            )
        return Synapses(self.pre, self.post, self.weights)
