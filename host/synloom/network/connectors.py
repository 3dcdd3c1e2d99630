"""Connectors: which sources connect to which targets. Random ones draw from the network's seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse

from synloom.base.checks import FloatArray, IntArray, real, switch, whole
from synloom.base.errors import NetworkError, ParameterError
from synloom.base.wording import shown

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
    """The synapses that a connector makes: each pair at most once.

    Parameters
    ----------
    pre, post : (K,) int64
        Indices within the two populations.
    weights : (K,) float64 or None
        Weights in the projection's unit; None if the projection gives them.
    """

    pre: IntArray
    post: IntArray
    weights: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.pre)


class Connector(Protocol):
    """Interface of a projection's `connector`."""

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return the synapses between two populations.

        Parameters
        ----------
        n_pre, n_post : int
            Number of sources and of targets.
        rng : numpy.random.Generator
            The projection's random stream.
        recurrent : bool
            Whether sources and targets are the same population.

        Raises
        ------
        NetworkError
            If the connector does not fit these populations.
        """
        ...


def _from_mask(mask: Any) -> Synapses:
    pre, post = np.nonzero(mask)
    return Synapses(pre.astype(np.int64), post.astype(np.int64))


@dataclass(frozen=True, kw_only=True)
class AllToAll:
    """Connect every source to every target.

    Parameters
    ----------
    allow_self_connections : bool
        Whether a neuron connects to itself if sources and targets are the same population.
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
    """Connect source k to target k, for two populations of the same size."""

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return the pairs (k, k)."""
        if n_pre != n_post:
            raise NetworkError(
                f"OneToOne needs populations of the same size, not {n_pre} and {n_post}; try FromList"
            )
        index = np.arange(n_pre, dtype=np.int64)
        return Synapses(index, index)


@dataclass(frozen=True)
class FixedProbability:
    """Connect each pair with probability p, independently of all others.

    Parameters
    ----------
    p : float
        Probability, 0 to 1.
    allow_self_connections : bool
        Whether a neuron may connect to itself if sources and targets are the same population.
    """

    p: float
    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        real("p", self.p, low=0.0, high=1.0)
        switch("allow_self_connections", self.allow_self_connections)

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return a random subset of all pairs."""
        mask = rng.random((n_pre, n_post)) < self.p
        if recurrent and not self.allow_self_connections:
            np.fill_diagonal(mask, False)
        return _from_mask(mask)


def _choose(count: int, n: int, rng: np.random.Generator, without: int | None) -> IntArray:
    """Return `count` different numbers of 0..n-1, ascending; never `without`."""
    candidates = np.arange(n, dtype=np.int64)
    if without is not None:
        candidates = np.delete(candidates, without)
    return np.sort(rng.choice(candidates, count, replace=False))


def _partners(
    connector: FixedInDegree | FixedOutDegree,
    n: int,
    ends: int,
    what: str,
    rng: np.random.Generator,
    recurrent: bool,
) -> IntArray:
    """Return k of n partners for each end, one end after the other; `what` says which in the error."""
    alone = recurrent and not connector.allow_self_connections
    if connector.k > n - alone:
        raise NetworkError(
            f"{type(connector).__name__}: k must be at most {n - alone}, the number of possible {what}, "
            f"not {connector.k}"
        )
    return np.concatenate([_choose(connector.k, n, rng, i if alone else None) for i in range(ends)])


@dataclass(frozen=True)
class FixedInDegree:
    """Connect each target to k different random sources (PyNN's FixedNumberPreConnector).

    Parameters
    ----------
    k : int
        Sources per target, 0 to 4096.
    allow_self_connections : bool
        Whether a neuron may connect to itself if sources and targets are the same population.
    """

    k: int
    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        whole("k", self.k, 0, 4096)
        switch("allow_self_connections", self.allow_self_connections)

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return k sources for each target."""
        pre = _partners(self, n_pre, n_post, "sources of a target", rng, recurrent)
        return Synapses(pre, np.repeat(np.arange(n_post, dtype=np.int64), self.k))


@dataclass(frozen=True)
class FixedOutDegree:
    """Connect each source to k different random targets (PyNN's FixedNumberPostConnector).

    Parameters
    ----------
    k : int
        Targets per source, 0 to 4096.
    allow_self_connections : bool
        Whether a neuron may connect to itself if sources and targets are the same population.
    """

    k: int
    allow_self_connections: bool = True

    def __post_init__(self) -> None:
        whole("k", self.k, 0, 4096)
        switch("allow_self_connections", self.allow_self_connections)

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return k targets for each source."""
        post = _partners(self, n_post, n_pre, "targets of a source", rng, recurrent)
        return Synapses(np.repeat(np.arange(n_pre, dtype=np.int64), self.k), post)


@dataclass(frozen=True)
class SmallWorld:
    """Connect a ring of neurons to their k nearest neighbours, and rewire each link with probability p.

    This is the small-world network of Watts and Strogatz (1998), with directed links; the distance of two
    neurons is that of their indices. No neuron connects to itself.

    Parameters
    ----------
    k : int
        Targets per source, half of them on each side: an even number, 2 to 2046.
    p : float
        Probability, 0 to 1, that a link goes to a random target instead.
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
            raise NetworkError(f"SmallWorld needs populations of the same size, not {n_pre} and {n_post}")
        if self.k >= n_pre:
            raise NetworkError(f"SmallWorld: k must be below the number of neurons ({n_pre}), not {self.k}")
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


def _is_no_list(pairs: Any) -> bool:
    """Return whether this is a mask, or one array for each column, which would be read as other pairs."""
    if isinstance(pairs, np.ndarray):
        return bool(pairs.dtype.kind == "b")
    return isinstance(pairs, tuple) and any(isinstance(part, (np.ndarray, list)) for part in pairs)


class FromList:
    """Connect the pairs of a list.

    Parameters
    ----------
    pairs : sequence of (pre, post) or (pre, post, weight)
        Indices within the two populations, each pair at most once. With weights, leave out the projection's
        `weight`.

    Raises
    ------
    ParameterError
        If the list is empty, or an entry has another form or a number that is not finite.
    """

    def __init__(self, pairs: Sequence[Sequence[float]]):
        try:
            table = np.zeros(0) if _is_no_list(pairs) else np.asarray(pairs, dtype=np.float64)
        except (TypeError, ValueError):
            table = np.zeros(0)
        if table.ndim != 2 or table.shape[1] not in (2, 3) or not len(table):
            raise ParameterError(
                "FromList needs a list of at least one (pre, post) or of at least one (pre, post, weight), "
                f"not {shown(pairs)}; make a list of columns with zip(pre, post), and give a mask to "
                f"FromMatrix"
            )
        if not np.isfinite(table).all():
            raise ParameterError(
                f"FromList: indices and weights must be finite, not {table[~np.isfinite(table)][0]:g}"
            )
        broken = table[:, :2] != np.rint(table[:, :2])
        if broken.any():
            raise ParameterError(f"FromList: indices must be whole numbers, not {table[:, :2][broken][0]:g}")
        self.pairs = table[:, :2].astype(np.int64)
        self.weights = table[:, 2].copy() if table.shape[1] == 3 else None

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return the pairs of the list."""
        for column, n, name in ((0, n_pre, "pre"), (1, n_post, "post")):
            index = self.pairs[:, column]
            bad = (index < 0) | (index >= n)
            if bad.any():
                raise NetworkError(f"FromList: {name} must be in 0..{n - 1}, not {index[bad][0]}")
        flat = self.pairs[:, 0] * n_post + self.pairs[:, 1]
        unique, counts = np.unique(flat, return_counts=True)
        if (counts > 1).any():
            i, j = divmod(int(unique[counts > 1][0]), n_post)
            raise NetworkError(
                f"FromList: the pair ({i}, {j}) is listed {counts[counts > 1][0]} times; list it once, since "
                f"a pair has one synapse"
            )
        return Synapses(self.pairs[:, 0], self.pairs[:, 1], self.weights)


class FromMatrix:
    """Connect the pairs of a matrix.

    Parameters
    ----------
    matrix : (n_pre, n_post) array or scipy.sparse matrix
        Numbers are weights; leave out the projection's `weight`. Booleans mark the connected pairs; the
        projection's `weight` gives their weights. In a dense matrix of numbers NaN is *no synapse* and 0 is a
        synapse of weight 0. Whole numbers that are all 0 or 1 could be either, and are refused. In a sparse
        matrix the stored entries are the synapses.

    Raises
    ------
    ParameterError
        If it is not a matrix of numbers or booleans, or a weight is not finite.
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
            if dense.dtype.kind in "iu" and np.isin(dense, (0, 1)).all():
                raise ParameterError(
                    "FromMatrix: whole numbers that are all 0 or 1 may mark pairs or be weights; give "
                    "matrix.astype(bool) to connect the pairs with 1, or matrix.astype(float) for weights of "
                    "0 and 1"
                )
            pre, post = np.nonzero(dense if dense.dtype.kind == "b" else ~np.isnan(dense))
            weights = dense[pre, post]
            self.shape = (int(dense.shape[0]), int(dense.shape[1]))
        self.pre, self.post = pre.astype(np.int64), post.astype(np.int64)
        self.weights = None if weights.dtype.kind == "b" else weights.astype(np.float64)
        if self.weights is not None and not np.isfinite(self.weights).all():
            raise ParameterError(
                f"FromMatrix: weights must be finite, not {self.weights[~np.isfinite(self.weights)][0]:g} "
                f"(NaN in a dense matrix is no synapse)"
            )

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        """Return the entries of the matrix."""
        if self.shape != (n_pre, n_post):
            raise NetworkError(
                f"FromMatrix: the matrix must have shape {(n_pre, n_post)} (sources, targets), "
                f"not {self.shape}"
            )
        return Synapses(self.pre, self.post, self.weights)
