"""The digit images, their split, and their conversion to rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import BuildError, ParameterError

__all__ = ["CLASSES", "PIXELS", "SIDE", "Digits", "contrast_rates", "load_digits", "validation_split"]

CLASSES: Final = 10
SIDE: Final = 8
PIXELS: Final = SIDE * SIDE
_TEST_SHARE: Final = 0.33
_SPLIT_SEED: Final = 42
_WHITE: Final = 16.0


@dataclass(frozen=True, eq=False)
class Digits:
    """Images and labels, in two parts.

    Parameters
    ----------
    train, test : (n, 64) float64
        Pixels in 0..1, row by row.
    train_labels, test_labels : (n,) int64
        Digits, 0..9.
    """

    train: FloatArray
    train_labels: IntArray
    test: FloatArray
    test_labels: IntArray

    @property
    def mean(self) -> FloatArray:
        """The mean training image, (64,) float64."""
        return np.asarray(self.train.mean(axis=0), dtype=np.float64)

    def first(self, train: int, test: int) -> Digits:
        """Return a smaller set: the first images of each part."""
        return Digits(
            self.train[:train], self.train_labels[:train], self.test[:test], self.test_labels[:test]
        )


def load_digits() -> Digits:
    """Return scikit-learn's 1,797 digits: 1,203 to train, 594 to test.

    The split is ``train_test_split(test_size=0.33, random_state=42)``, which others used too.

    Raises
    ------
    BuildError
        If scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits as load
    except ImportError as error:
        raise BuildError(
            "the digits come with scikit-learn, which is not installed; try: pip install 'synloom[demo]'"
        ) from error

    images, labels = load(return_X_y=True)
    return _split(images / _WHITE, labels.astype(np.int64), _TEST_SHARE, _SPLIT_SEED)


def validation_split(digits: Digits, seed: int) -> Digits:
    """Return the training part, with a random quarter of it as test part, for choosing parameters."""
    return _split(digits.train, digits.train_labels, 0.25, seed)


def _split(images: FloatArray, labels: IntArray, test_share: float, seed: int) -> Digits:
    from sklearn.model_selection import train_test_split

    parts = train_test_split(images, labels, test_size=test_share, random_state=seed)
    train, test, train_labels, test_labels = parts
    return Digits(train, train_labels, test, test_labels)


def contrast_rates(images: FloatArray, mean: FloatArray, strength_hz: float) -> FloatArray:
    """Return the rates of an on channel and an off channel per pixel.

    A pixel that is brighter than in the mean image drives its on channel, a darker one its off channel, in
    proportion to the difference. The rates of each image are scaled to the Euclidean length `strength_hz`.

    Parameters
    ----------
    images : (n, 64) float64
        Pixels in 0..1.
    mean : (64,) float64
        The mean image.
    strength_hz : float
        Euclidean length of an image's rates, Hz. Single rates are limited to 1000 Hz.

    Returns
    -------
    (n, 128) float64
        Rates in Hz: 64 on channels, then 64 off channels.

    Raises
    ------
    ParameterError
        If the shape of `images` does not fit `mean`.
    """
    if images.ndim != 2 or images.shape[1:] != mean.shape:
        raise ParameterError(f"images must have shape (n, {len(mean)}), not {images.shape}")
    difference = images - mean
    both = np.concatenate([np.maximum(difference, 0.0), np.maximum(-difference, 0.0)], axis=1)
    length = np.linalg.norm(both, axis=1, keepdims=True)
    rates = np.minimum(strength_hz * both / np.maximum(length, 1e-9), 1000.0)
    return np.asarray(rates, dtype=np.float64)
