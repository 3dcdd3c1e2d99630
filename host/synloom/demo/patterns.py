"""Sparse patterns and their cues, for memories."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import IntArray
from synloom.base.errors import ParameterError

__all__ = ["cue_of", "sparse_patterns"]


def sparse_patterns(rng: np.random.Generator, count: int, size: int, active: int) -> list[IntArray]:
    """Return random patterns: sets of `active` of `size` neurons.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.
    count, size, active : int
        Number of patterns, of neurons, and of neurons in a pattern.

    Returns
    -------
    list of (active,) int64
        The neurons of each pattern, without order.

    Raises
    ------
    ParameterError
        If a pattern would have more neurons than there are.
    """
    if not 1 <= active <= size:
        raise ParameterError(f"active must be in 1..{size}, not {active}")
    return [rng.choice(size, active, replace=False).astype(np.int64) for _ in range(count)]


def cue_of(
    rng: np.random.Generator, pattern: IntArray, right: int, *, wrong: int = 0, among: int = 0
) -> IntArray:
    """Return a cue for a pattern: some of its neurons, and some that are not of it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.
    pattern : (active,) int64
        The neurons of the pattern.
    right : int
        How many of them are in the cue.
    wrong : int
        How many others are in the cue.
    among : int
        Number of all neurons, from which the wrong ones are taken.

    Returns
    -------
    (right + wrong,) int64
        The neurons of the cue.

    Raises
    ------
    ParameterError
        If there are not so many neurons of either kind.
    """
    others = np.setdiff1d(np.arange(among), pattern)
    if not 0 <= right <= len(pattern):
        raise ParameterError(f"right must be in 0..{len(pattern)}, not {right}")
    if not 0 <= wrong <= len(others):
        raise ParameterError(f"wrong must be in 0..{len(others)}, not {wrong}; `among` is all neurons")
    parts = rng.choice(pattern, right, replace=False), rng.choice(others, wrong, replace=False)
    return np.concatenate(parts).astype(np.int64)
