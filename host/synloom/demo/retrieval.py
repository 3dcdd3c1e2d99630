"""Recognising places: evidence for each place, sequences, and precision against recall."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import ParameterError

__all__ = [
    "along_sequences",
    "area",
    "confidence",
    "precision_recall",
    "recall_at_full_precision",
    "standardised",
]


def standardised(evidence: FloatArray) -> FloatArray:
    """Return the evidence of each query, (queries, places), with mean 0 and standard deviation 1 in a row.

    A row without any difference becomes 0.
    """
    centred = evidence - evidence.mean(axis=1, keepdims=True)
    spread = evidence.std(axis=1, keepdims=True)
    return np.asarray(centred / np.where(spread > 0.0, spread, 1.0), dtype=np.float64)


def along_sequences(evidence: FloatArray, length: int) -> FloatArray:
    """Return the evidence summed over the last queries, each one place before the next (SeqSLAM).

    Parameters
    ----------
    evidence : (queries, places) float64
        The evidence of single queries.
    length : int
        Queries of a sequence; what lies before the first query or the first place counts 0.

    Raises
    ------
    ParameterError
        If the length is not positive.
    """
    if length < 1:
        raise ParameterError(f"length must be at least 1, not {length}")
    total = evidence.astype(np.float64)
    for back in range(1, min(length, *evidence.shape)):
        total[back:, back:] += evidence[:-back, :-back]
    return total


def confidence(evidence: FloatArray, near: int = 2) -> FloatArray:
    """Return by how much the best place of each query leads all that are not its neighbours, (queries,).

    Parameters
    ----------
    evidence : (queries, places) float64
        The evidence.
    near : int
        Places so near to the best one do not count as rivals.
    """
    best = evidence.argmax(axis=1)
    away = np.abs(np.arange(evidence.shape[1])[None, :] - best[:, None]) > near
    rival = np.where(away, evidence, -np.inf).max(axis=1)
    return np.asarray(evidence.max(axis=1) - rival, dtype=np.float64)


def precision_recall(sure: FloatArray, right: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return precision and recall for each threshold of the confidence, both (n,), from strict to lax.

    Every query has a right answer, so that recall is the share of all queries that are answered, and rightly.
    Of equally confident answers, wrong ones come first.

    Parameters
    ----------
    sure : (queries,) float64
        Confidence of each answer.
    right : (queries,) bool
        Which answers are right.
    """
    order = np.lexsort((right, -sure))
    hits = np.cumsum(right[order])
    return hits / np.arange(1, len(sure) + 1), hits / len(sure)


def recall_at_full_precision(sure: FloatArray, right: IntArray) -> float:
    """Return the share of queries that are answered before the first wrong answer."""
    precision, recall = precision_recall(sure, right)
    return float(recall[precision == 1.0].max(initial=0.0))


def area(sure: FloatArray, right: IntArray) -> float:
    """Return the area below the curve of precision against recall: 1 if every answer is right."""
    precision, recall = precision_recall(sure, right)
    return float(np.sum(precision * np.diff(recall, prepend=0.0)))
