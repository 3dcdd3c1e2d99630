"""The readout of the spikes: classes of neurons, votes, accuracy. There is no trained classifier.

The unsupervised form assigns classes to neurons by their response, as Diehl and Cook 2015 do.
"""

from __future__ import annotations

import numpy as np

from synloom.base.checks import FloatArray, IntArray
from synloom.demo.data import CLASSES

__all__ = [
    "accuracy",
    "confusion",
    "log_shares",
    "names_of",
    "nearest_mean",
    "shares_by_response",
    "shares_by_teacher",
    "vote",
]


def shares_by_teacher(classes: IntArray) -> FloatArray:
    """Return the shares of each neuron's vote, (N, 10) float64: all for the class of its teacher."""
    return np.asarray(np.eye(CLASSES)[classes], dtype=np.float64)


def shares_by_response(counts: IntArray, labels: IntArray) -> FloatArray:
    """Return the shares of each neuron's vote, (N, 10) float64: its mean response to each class, normalised.

    Parameters
    ----------
    counts : (images, N) int64
        Spike counts for each image of the training part.
    labels : (images,) int64
        Classes of the images; this is the only use of labels in the unsupervised form.
    """
    response = np.zeros((counts.shape[1], CLASSES))
    for k in range(CLASSES):
        shown = labels == k
        if shown.any():
            response[:, k] = counts[shown].mean(axis=0)
    total = response.sum(axis=1, keepdims=True)
    return response / np.where(total > 0.0, total, 1.0)


def log_shares(counts: IntArray, labels: IntArray, floor: float = 0.01) -> FloatArray:
    """Return votes that weigh evidence, (N, 10) float64: logs of each neuron's part of a class's spikes.

    With them `vote` is naive Bayes for counts (a multinomial model): it chooses the class under which an
    image's spikes are most likely, if each spike falls on the neurons as the spikes of that class do.

    Parameters
    ----------
    counts : (images, N) int64
        Spike counts for each image of the training part.
    labels : (images,) int64
        Classes of the images, 0 to 9.
    floor : float
        Spikes an image, added to each mean response, so that no neuron forbids a class.
    """
    response = np.stack(
        [counts[labels == k].sum(axis=0) / max((labels == k).sum(), 1) for k in range(CLASSES)]
    )
    likely = response + floor
    return np.asarray(np.log(likely / likely.sum(axis=1, keepdims=True)).T, dtype=np.float64)


def names_of(shares: FloatArray) -> IntArray:
    """Return the class of each neuron, (N,) int64: its largest share; -1 if it never spiked."""
    return np.where(shares.any(axis=1), shares.argmax(axis=1), -1).astype(np.int64)


def vote(counts: IntArray, shares: FloatArray, power: float = 1.0) -> IntArray:
    """Return the class with most votes for each image, (images,) int64.

    Parameters
    ----------
    counts : (images, N) int64
        Spikes of each neuron.
    shares : (N, 10) float64
        Shares of each neuron's vote.
    power : float
        A neuron with k spikes has ``k**power`` votes: with 1 every spike is a vote, with less a burst of one
        neuron outvotes fewer others.
    """
    return np.asarray((counts**power @ shares).argmax(axis=1), dtype=np.int64)


def accuracy(predicted: IntArray, labels: IntArray) -> float:
    """Return the share of images that were classified correctly."""
    return float(np.mean(predicted == labels))


def confusion(predicted: IntArray, labels: IntArray) -> IntArray:
    """Return the confusion matrix, (10, 10) int64: true classes in rows, predicted ones in columns."""
    table = np.zeros((CLASSES, CLASSES), dtype=np.int64)
    np.add.at(table, (labels, predicted), 1)
    return table


def nearest_mean(train: FloatArray, labels: IntArray, test: FloatArray) -> IntArray:
    """Return the class whose mean is nearest to each row, (m,) int64: a plain baseline.

    Parameters
    ----------
    train : (n, features) float64
        Rows whose classes are known.
    labels : (n,) int64
        Their classes.
    test : (m, features) float64
        Rows to classify.
    """
    classes = np.unique(labels)
    means = np.array([train[labels == k].mean(axis=0) for k in classes])
    away = np.linalg.norm(test[:, None, :] - means[None, :, :], axis=2)
    return np.asarray(classes[away.argmin(axis=1)], dtype=np.int64)
