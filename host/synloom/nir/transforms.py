"""Linear nodes of NIR as sparse matrices: what each output is of the inputs, and what is added."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import scipy.sparse

from synloom.base.checks import FloatArray, IntArray
from synloom.base.wording import shown
from synloom.nir.graph import Node

__all__ = ["LINEAR", "Map", "Shape", "linear_map"]

Shape = tuple[int, ...]

LINEAR: Final = ("Affine", "Linear", "Scale", "Flatten", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Pass")
"""Kinds of nodes that are linear maps."""
_MOST_ENTRIES: Final = 1 << 23
"""Most entries of one unrolled map; the largest array has fewer synapses."""


@dataclass(frozen=True, eq=False)
class Map:
    """A linear map.

    Parameters
    ----------
    matrix : (n_out, n_in) sparse matrix
        The factors.
    bias : (n_out,) float64
        What is added.
    shape : tuple of int
        Shape of the outputs.
    """

    matrix: Any
    bias: FloatArray
    shape: Shape


def linear_map(node: Node, shape: Shape) -> Map:
    """Return the map of a linear node.

    Parameters
    ----------
    node : Node
        A node of a kind in `LINEAR`.
    shape : tuple of int
        Shape of its input.

    Raises
    ------
    NetworkError
        If its parameters are wrong, do not fit the input, or it is too large.
    """
    if node.kind == "Pass":
        return _same(shape)
    if node.kind in ("Affine", "Linear"):
        return _dense(node, shape)
    if node.kind == "Scale":
        return _scale(node, shape)
    if node.kind == "Flatten":
        return _flatten(node, shape)
    if node.kind in ("Conv1d", "Conv2d"):
        return _convolution(node, shape)
    return _pool(node, shape)


def _same(shape: Shape) -> Map:
    n = math.prod(shape)
    return Map(scipy.sparse.eye_array(n, format="csr"), np.zeros(n), shape)


def _dense(node: Node, shape: Shape) -> Map:
    weight = node.numbers("weight")
    if weight.ndim != 2:
        raise node.error(f"weight must have two dimensions, not shape {weight.shape}; use one node a block")
    _fits(node, shape, weight.shape[1])
    bias = node.numbers("bias").reshape(-1) if node.kind == "Affine" else np.zeros(weight.shape[0])
    if len(bias) not in (1, weight.shape[0]):
        raise node.error(f"bias must have {weight.shape[0]} values, not {len(bias)}")
    return Map(
        scipy.sparse.csr_array(weight),
        np.broadcast_to(bias, weight.shape[:1]).astype(np.float64),
        (weight.shape[0],),
    )


def _scale(node: Node, shape: Shape) -> Map:
    scale = node.numbers("scale")
    n = math.prod(shape)
    if scale.size not in (1, n):
        raise node.error(f"scale has {scale.size} values for a signal of {n}")
    factors = np.broadcast_to(scale.reshape(-1), (n,))
    return Map(scipy.sparse.diags_array(factors, format="csr"), np.zeros(n), shape)


def _flatten(node: Node, shape: Shape) -> Map:
    first, last = node.whole("start_dim", 1), node.whole("end_dim", -1)
    count = len(shape)
    first, last = first % count if count else 0, last % count if count else 0
    if not 0 <= first <= last < max(count, 1):
        raise node.error(f"cannot flatten dimensions {first} to {last} of the shape {shape}")
    whole = _same(shape)
    flat = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return Map(whole.matrix, whole.bias, flat)


def _fits(node: Node, shape: Shape, wanted: int) -> None:
    if math.prod(shape) != wanted:
        raise node.error(f"takes {wanted} values, but its input has {math.prod(shape)} (shape {shape})")


def _sizes(node: Node, name: str, count: int, default: int | None = None) -> Shape:
    """Return a parameter as `count` whole numbers; one number stands for all."""
    if default is not None and name not in node.fields:
        return (default,) * count
    values = node.numbers(name).reshape(-1)
    if len(values) not in (1, count) or (values != np.rint(values)).any() or (values < 0).any():
        raise node.error(f"{name} must be {count} whole numbers, at least 0, not {shown(node.fields[name])}")
    return tuple(int(v) for v in np.broadcast_to(values, (count,)))


def _spatial(node: Node, shape: Shape, dimensions: int) -> Shape:
    """Return the shape of the input, channels first; the node's own `input_shape` wins over a flat one."""
    if len(shape) == dimensions + 1:
        return shape
    if node.fields.get("input_shape") is not None:
        sides = _sizes(node, "input_shape", dimensions)
        area = math.prod(sides)
        if area and math.prod(shape) % area == 0:
            return (math.prod(shape) // area, *sides)
    raise node.error(
        f"needs an input of {dimensions + 1} dimensions (channels first) or a fitting input_shape, "
        f"not {shape}"
    )


def _padding(node: Node, kernel: Shape, stride: Shape, dilation: Shape) -> list[tuple[int, int]]:
    text = node.fields.get("padding", 0)
    if isinstance(text, str):
        if text == "valid":
            return [(0, 0)] * len(kernel)
        if text != "same" or any(s != 1 for s in stride):
            raise node.error(
                f"padding must be numbers, 'valid', or 'same' with a stride of 1, not {shown(text)}"
            )
        return [
            (d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for k, d in zip(kernel, dilation, strict=True)
        ]
    return [(p, p) for p in _sizes(node, "padding", len(kernel), 0)]


def _windows(
    node: Node, sides: Shape, kernel: Shape, stride: Shape, dilation: Shape
) -> tuple[Shape, list[tuple[int, IntArray, IntArray]]]:
    """Return the sides of the output, and for each tap of the kernel its outputs and inputs.

    An entry is (flat index of the tap, flat outputs, flat inputs), without taps in the padding.
    """
    if 0 in (*kernel, *stride, *dilation):
        raise node.error("kernel, stride and dilation must be at least 1")
    padding = _padding(node, kernel, stride, dilation)
    out = tuple(
        (n + sum(p) - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(sides, padding, dilation, kernel, stride, strict=True)
    )
    if min(out) < 1:
        raise node.error(f"its kernel {kernel} is larger than its input {sides}")
    taps = []
    for flat, tap in enumerate(product(*map(range, kernel))):
        outputs = np.zeros(1, dtype=np.int64)
        inputs = np.zeros(1, dtype=np.int64)
        for n, o, t, s, d, p in zip(sides, out, tap, stride, dilation, padding, strict=True):
            at = np.arange(o) * s + t * d - p[0]
            inside = np.flatnonzero((at >= 0) & (at < n))
            outputs = (outputs[:, None] * o + inside).reshape(-1)
            inputs = (inputs[:, None] * n + at[inside]).reshape(-1)
        taps.append((flat, outputs, inputs))
    return out, taps


def _convolution(node: Node, shape: Shape) -> Map:
    weight = node.numbers("weight")
    dimensions = 1 if node.kind == "Conv1d" else 2
    if weight.ndim != dimensions + 2:
        raise node.error(f"weight must have {dimensions + 2} dimensions, not shape {weight.shape}")
    channels, *rest = _spatial(node, shape, dimensions)
    groups, kernel = node.whole("groups", 1), weight.shape[2:]
    if groups < 1 or channels != weight.shape[1] * groups or weight.shape[0] % groups:
        raise node.error(
            f"weight of shape {weight.shape} in {groups} groups does not fit an input of {channels} channels"
        )
    stride, dilation = _sizes(node, "stride", dimensions, 1), _sizes(node, "dilation", dimensions, 1)
    out, taps = _windows(node, tuple(rest), kernel, stride, dilation)
    _small(node, weight.shape[0] * weight.shape[1] * sum(len(taps_out) for _, taps_out, _ in taps))
    flat = weight.reshape(*weight.shape[:2], -1)
    area_in, area_out = math.prod(rest), math.prod(out)
    rows, columns, values = [], [], []
    for target in range(weight.shape[0]):
        group = target // (weight.shape[0] // groups)
        for part in range(weight.shape[1]):
            source = group * weight.shape[1] + part
            for tap, outputs, inputs in taps:
                rows.append(target * area_out + outputs)
                columns.append(source * area_in + inputs)
                values.append(np.full(len(outputs), flat[target, part, tap]))
    bias = node.numbers("bias").reshape(-1) if node.fields.get("bias") is not None else np.zeros(1)
    if len(bias) not in (1, weight.shape[0]):
        raise node.error(f"bias must have {weight.shape[0]} values, not {len(bias)}")
    matrix = _matrix(rows, columns, values, (weight.shape[0] * area_out, channels * area_in))
    added = np.repeat(np.broadcast_to(bias, weight.shape[:1]), area_out)
    return Map(matrix, added, (weight.shape[0], *out))


def _pool(node: Node, shape: Shape) -> Map:
    channels, *rest = _spatial(node, shape, 2)
    kernel = _sizes(node, "kernel_size", 2)
    stride = _sizes(node, "stride", 2)
    out, taps = _windows(node, tuple(rest), kernel, stride, (1, 1))
    _small(node, channels * sum(len(taps_out) for _, taps_out, _ in taps))
    area_in, area_out = math.prod(rest), math.prod(out)
    value = 1.0 if node.kind == "SumPool2d" else 1.0 / math.prod(kernel)
    rows = [c * area_out + outputs for c in range(channels) for _, outputs, _ in taps]
    columns = [c * area_in + inputs for c in range(channels) for _, _, inputs in taps]
    values = [np.full(len(part), value) for part in rows]
    matrix = _matrix(rows, columns, values, (channels * area_out, channels * area_in))
    return Map(matrix, np.zeros(channels * area_out), (channels, *out))


def _small(node: Node, entries: int) -> None:
    if entries > _MOST_ENTRIES:
        raise node.error(
            f"unrolled it has {entries:,} synapses; at most {_MOST_ENTRIES:,}: use a smaller layer"
        )


def _matrix(rows: list[IntArray], columns: list[IntArray], values: list[FloatArray], shape: Shape) -> Any:
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return scipy.sparse.csr_array(scipy.sparse.coo_array(entries, shape=shape))
