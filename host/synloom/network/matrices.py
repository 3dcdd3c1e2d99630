"""Networks of plain weight matrices."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from synloom.base.checks import HUGE, FloatArray, choice, per_item, real, reals
from synloom.base.errors import ParameterError
from synloom.base.wording import shown
from synloom.network.cells import LIF
from synloom.network.connectors import FromMatrix
from synloom.network.inputs import InputPopulation
from synloom.network.network import Network, Population, Projection

__all__ = ["from_weights"]


def from_weights(
    weights: Sequence[Any],
    *,
    biases: Sequence[Any] | None = None,
    thresholds: Any = 1.0,
    tau_m: float = float("inf"),
    reset: str = "subtract",
    v_range: Any = None,
    dt: float = 1.0,
    seed: int = 0,
) -> Network:
    """Make a feed-forward network of weight matrices, such as 64-100-10, ready to compile.

    Each step adds ``weight`` to the potential for each spike and ``bias``, multiplies what was there by
    ``exp(-dt / tau_m)``, and fires where the threshold is reached. Potentials, weights, biases and thresholds
    have one unit of the user's own; 1 of it is 1 mV.

    Parameters
    ----------
    weights : sequence of (n_in, n_out) arrays
        One matrix for each layer, rows are sources (PyTorch has the transpose); NaN is no synapse.
    biases : sequence of (n_out,) arrays or None, optional
        What each step adds, one array for each layer; None for none.
    thresholds : float or sequence of float or (n_out,) arrays
        Thresholds, above 0: one number for all, or one entry for each layer.
    tau_m : float
        Membrane time constant, ms, above 0; ``inf`` is no leak.
    reset : str
        ``"subtract"`` lowers the potential by the threshold, ``"to_value"`` sets it to 0.
    v_range : float, or sequence of float or None, optional
        How far potentials can go from 0 before they are clipped, for all layers or for each.
    dt, seed : float, int
        Time step, ms, and seed of the network.

    Returns
    -------
    Network
        Inputs ``input``, populations ``layer1``, ``layer2``, ..., projections ``weights1``, ...

    Raises
    ------
    ParameterError
        If a matrix, bias, threshold or range has the wrong shape or values, or another argument is wrong.
    """
    choice("reset", reset, ("subtract", "to_value"))
    real("tau_m", tau_m, low=0.0, above=True, infinite=True)
    matrices = _matrices(weights)
    network = Network(dt=dt, seed=seed)
    before: Any = network.add(InputPopulation(len(matrices[0]), label="input"))
    for k, (matrix, v_most) in enumerate(zip(matrices, _ranges(v_range, len(matrices)), strict=True)):
        n = matrix.shape[1]
        bias = _of_layer("biases", biases, k, len(matrices), n)
        threshold = _of_layer("thresholds", thresholds, k, len(matrices), n)
        if (threshold <= 0.0).any():
            raise ParameterError(f"thresholds of layer {k + 1} must be above 0, not {threshold.min():g}")
        cell = _cell(tau_m, network.dt, threshold, bias, reset)
        layer = network.add(Population(n, cell, label=f"layer{k + 1}", v_range=v_most))
        network.add(Projection(before, layer, FromMatrix(matrix), label=f"weights{k + 1}"))
        before = layer
    return network


def _cell(tau_m: float, dt: float, threshold: FloatArray, bias: FloatArray, reset: str) -> LIF:
    # A constant current of 1 nA adds dt / cm without leak, (1 - exp(-dt / tau_m)) tau_m / cm with it.
    cm = dt if np.isinf(tau_m) else -tau_m * np.expm1(-dt / tau_m)
    return LIF(
        tau_m=tau_m,
        cm=cm,
        v_rest=0.0,
        v_reset=0.0,
        v_thresh=threshold,
        i_offset=bias,
        tau_syn_E=0.0,
        tau_syn_I=0.0,
        reset_mode=reset,
    )


def _matrices(weights: Any) -> list[FloatArray]:
    if isinstance(weights, np.ndarray) and weights.ndim == 2:
        raise ParameterError("weights must be a list of matrices, one for each layer; write [matrix]")
    try:
        matrices = [np.asarray(matrix, dtype=np.float64) for matrix in weights]
    except (TypeError, ValueError):
        raise ParameterError(f"weights must be a list of matrices of numbers, not {shown(weights)}") from None
    if not matrices:
        raise ParameterError("weights must have at least one matrix")
    for k, matrix in enumerate(matrices):
        if matrix.ndim != 2 or not matrix.size:
            raise ParameterError(f"weights[{k}] must have shape (n_in, n_out), not {matrix.shape}")
        if k and len(matrix) != matrices[k - 1].shape[1]:
            turned = matrices[k - 1].shape[0] == matrix.shape[1]
            raise ParameterError(
                f"weights[{k}] must have {matrices[k - 1].shape[1]} rows, one for each neuron of the layer "
                f"before, not {len(matrix)}" + ("; give the transposes" if turned else "")
            )
        known = matrix[~np.isnan(matrix)]
        if (np.abs(known) > HUGE).any():
            raise ParameterError(
                f"weights[{k}] must be within {HUGE:g}, not {known[np.argmax(np.abs(known))]:g}"
            )
    return matrices


def _of_layer(name: str, values: Any, k: int, layers: int, n: int) -> FloatArray:
    """Return what belongs to layer k, (n,) float64."""
    if values is None:
        return np.zeros(n)
    if isinstance(values, numbers.Real):
        return per_item(name, reals(name, values, low=-HUGE, high=HUGE), n)
    _check_layers(name, values, layers)
    value = values[k]
    if value is None:
        return np.zeros(n)
    return per_item(f"{name}[{k}]", reals(f"{name}[{k}]", value, low=-HUGE, high=HUGE), n)


def _ranges(values: Any, layers: int) -> list[float | None]:
    """Return the range of each layer's potentials, None where the compiler chooses."""
    if values is None or isinstance(values, numbers.Real):
        name, each = "v_range", [values] * layers
    else:
        _check_layers("v_range", values, layers)
        name, each = "v_range[{}]", list(values)
    return [
        None if value is None else real(name.format(k), value, low=0.0, high=HUGE, above=True)
        for k, value in enumerate(each)
    ]


def _check_layers(name: str, values: Any, layers: int) -> None:
    listed = isinstance(values, Sequence) and not isinstance(values, (str, bytes))
    arrayed = isinstance(values, np.ndarray) and values.ndim > 0
    if not (listed or arrayed) or len(values) != layers:
        raise ParameterError(
            f"{name} must have one entry for each of the {layers} layers, not {shown(values)}"
        )
