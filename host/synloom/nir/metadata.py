"""What only `to_nir` writes: the metadata of nodes, checked, since files are of any origin."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import SynloomError
from synloom.base.wording import shown
from synloom.network.inputs import InputPopulation, PoissonInput, RegularInput
from synloom.nir.graph import Node

__all__ = ["cell_extras", "input_of", "projection_of"]

_CELL: Final = ("tau_refrac", "theta_plus", "tau_theta")
_OPTIONS: Final = ("v_init", "theta_init", "v_range")
_GENERATORS: Final = {"poisson": PoissonInput, "regular": RegularInput}


def cell_extras(node: Node, values: dict[str, Any]) -> dict[str, Any]:
    """Set the parameters of neurons that NIR has no words for; return the options of their population.

    Parameters
    ----------
    node : Node
        The neurons.
    values : dict of str to (n,) float64
        Their other parameters; those of neurons without leak are moved to where they were.

    Raises
    ------
    NetworkError
        If the metadata are not what `to_nir` writes.
    """
    n = len(values["v_rest"])
    for name in _CELL:
        if f"synloom_{name}" in node.extra:
            values[name] = _numbers(node, name, n)
    options: dict[str, Any] = {k: _numbers(node, k, n) for k in _OPTIONS if f"synloom_{k}" in node.extra}
    if "v_range" in options:
        if np.size(node.extra["synloom_v_range"]) != 1:
            raise node.error("metadata: synloom_v_range must be one number")
        options["v_range"] = float(options["v_range"][0])
    if "synloom_v_rest" in node.extra and node.kind == "IF":
        rest = _numbers(node, "v_rest", n)
        for name in ("v_rest", "v_reset", "v_thresh"):
            values[name] = values[name] + rest
        options["v_init"] = options.get("v_init", np.zeros(n)) + rest
    return options


def input_of(node: Node, n: int) -> InputPopulation:
    """Return the input of a node with n channels: with spikes at given times, or with a generator.

    Raises
    ------
    NetworkError
        If the metadata are not what `to_nir` writes.
    """
    word = node.extra.get("synloom_generator")
    try:
        if word is None:
            return InputPopulation(n, label=node.name, spike_times=_spike_times(node, n))
        if not isinstance(word, str) or word not in _GENERATORS:
            known = " or ".join(map(repr, _GENERATORS))
            raise node.error(f"metadata: synloom_generator must be {known}, not {shown(word)}")
        rate = _numbers(node, "rate", n) if "synloom_rate" in node.extra else 0.0
        return _GENERATORS[word](n, rate=rate, label=node.name)
    except SynloomError as error:
        raise error if str(error).startswith("node ") else node.error(str(error)) from error


def projection_of(node: Node) -> str:
    """Return the label of the projection that a node belonged to; of other nodes their own name.

    Raises
    ------
    NetworkError
        If it is no text.
    """
    label = node.extra.get("synloom_projection", node.name)
    if not isinstance(label, str):
        raise node.error(f"metadata: synloom_projection must be a label, not {shown(label)}")
    return label


def _numbers(node: Node, name: str, n: int) -> FloatArray:
    """Return what the metadata have for n neurons or channels, (n,) float64; one number stands for all."""
    value = node.extra[f"synloom_{name}"]
    array = _array(node, name, value)
    if array.ndim > 1 or array.size not in (1, n):
        raise node.error(f"metadata: synloom_{name} must be a number or {n} numbers, not shape {array.shape}")
    return np.broadcast_to(array.reshape(-1), (n,)).astype(np.float64)


def _array(node: Node, name: str, value: Any) -> FloatArray:
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "iuf" or np.isnan(array).any():
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise node.error(f"metadata: synloom_{name} must be numbers, not {shown(value)}") from None


def _spike_times(node: Node, n: int) -> list[FloatArray]:
    table = _array(node, "spike_times", node.extra.get("synloom_spike_times", np.zeros((0, 2))))
    if table.ndim != 2 or table.shape[1] != 2:
        raise node.error(f"metadata: synloom_spike_times must be pairs of (ms, channel), not {table.shape}")
    bad = ~np.isin(table[:, 1], np.arange(n))
    if bad.any():
        raise node.error(
            f"metadata: channels of synloom_spike_times must be in 0..{n - 1}, not {table[bad, 1][0]:g}"
        )
    return [table[table[:, 1] == k, 0] for k in range(n)]
