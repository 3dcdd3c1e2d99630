"""The principal subspace of activity, by Hebbian learning, and what a learner of several tasks forgets."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import ParameterError

__all__ = ["change_of_earlier", "principal_subspace", "share_outside"]

_SETTLING = 300.0
"""After so many examples the learning rate has fallen to a half."""


def principal_subspace(
    activity: FloatArray, size: int, rng: np.random.Generator, *, passes: int = 8, rate: float = 0.5
) -> FloatArray:
    """Return lateral weights that span the principal subspace of activity, learned by Oja's subspace rule.

    For each example x the cells answer y = H x, and H changes by ``rate * y (x - H' y)'``: a Hebbian part,
    and an anti-Hebbian one for what the cells explain already. The rate falls with the examples seen.

    Parameters
    ----------
    activity : (n, features) float64
        Examples; their mean is not subtracted.
    size : int
        Cells, at most as many as features.
    rng : numpy.random.Generator
        Where it begins, and the order of the examples.
    passes : int
        Passes over all examples.
    rate : float
        The learning rate at the beginning, for examples of mean square length 1.

    Returns
    -------
    (size, features) float64
        Rows that are almost orthonormal.

    Raises
    ------
    ParameterError
        If there are more cells than features.
    """
    examples, features = activity.shape
    if not 1 <= size <= features:
        raise ParameterError(f"size must be in 1..{features}, not {size}")
    length = np.sqrt((activity**2).sum(axis=1).mean())
    weights = np.linalg.qr(rng.normal(size=(features, size)))[0].T
    order = np.concatenate([rng.permutation(examples) for _ in range(passes)])
    for seen, index in enumerate(order):
        x = activity[index] / length
        y = weights @ x
        weights += rate / (1.0 + seen / _SETTLING) * np.outer(y, x - weights.T @ y)
    return np.asarray(weights, dtype=np.float64)


def share_outside(activity: FloatArray, weights: FloatArray) -> float:
    """Return the part of the activity's energy that a projection by lateral weights leaves over, 0 to 1.

    Parameters
    ----------
    activity : (n, features) float64
        Examples.
    weights : (size, features) float64
        Lateral weights.
    """
    left = activity - activity @ weights.T @ weights
    return float((left**2).sum() / (activity**2).sum())


def change_of_earlier(right: FloatArray) -> float:
    """Return how much accuracy on earlier tasks has changed at the end: backward transfer, BWT.

    Parameters
    ----------
    right : (tasks, tasks) float64
        Accuracy after each task, in rows, on each task, in columns.

    Returns
    -------
    float
        The mean, over all tasks but the last, of the accuracy after the last task less that after the task
        itself; negative if something was forgotten.
    """
    return float(np.mean((right[-1] - np.diag(right))[:-1]))
