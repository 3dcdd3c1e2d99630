"""Placement: which source ids and neurons each population gets, and how large the array must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from synloom.base.errors import CapacityError, NetworkError, ParameterError
from synloom.contract.params import ArrayParams
from synloom.network.network import Network

__all__ = ["Placement", "fit", "place"]

LARGEST: Final = 2048
_WORD: Final = 16


@dataclass(frozen=True)
class Placement:
    """The place of every population.

    Parameters
    ----------
    inputs : tuple of int
        First source id of each input population, in the network's order.
    neurons : tuple of int
        First neuron of each population, in the network's order.
    input_count, neuron_count : int
        Input ids and neurons in use, gaps included.
    gen_words : int
        Bitmap words of the inputs with generators; these populations come first.
    """

    inputs: tuple[int, ...]
    neurons: tuple[int, ...]
    input_count: int
    neuron_count: int
    gen_words: int


def place(network: Network, params: ArrayParams | None) -> Placement:
    """Place the populations of a network, at multiples of 16 if they fit that way.

    Raises
    ------
    NetworkError
        If the network has no population of neurons.
    """
    if not network.populations:
        raise NetworkError(
            "the network has no population of neurons; add one with network.add(Population(...))"
        )
    order = sorted(range(len(network.inputs)), key=lambda k: network.inputs[k].generator is None)
    limits = (LARGEST, LARGEST) if params is None else (params.inputs, params.neurons)
    sorted_first, input_count = _ranges([network.inputs[k].n for k in order], limits[0])
    neurons, neuron_count = _ranges([p.n for p in network.populations], limits[1])
    inputs = [0] * len(order)
    generated = 0
    for first, k in zip(sorted_first, order, strict=True):
        inputs[k] = first
        if network.inputs[k].generator is not None:
            generated = first + network.inputs[k].n
    return Placement(tuple(inputs), tuple(neurons), input_count, neuron_count, -(-generated // _WORD))


def _ranges(sizes: Sequence[int], limit: int) -> tuple[list[int], int]:
    for step in (_WORD, 1):
        first, end = [], 0
        for size in sizes:
            begin = -(-end // step) * step
            first.append(begin)
            end = begin + size
        if end <= limit:
            break
    return first, end


def fit(params: ArrayParams | None, needs: dict[str, int | bool]) -> ArrayParams:
    """Return the array for a network: the given one if it is sufficient, or else the smallest standard one.

    Parameters
    ----------
    params : ArrayParams or None
        The given array; None makes one.
    needs : dict
        Smallest sufficient value of each size, and True for each feature, by field of ArrayParams.

    Raises
    ------
    CapacityError
        If the given array is too small or lacks a feature, or if no array is large enough; the message says
        what is missing and which array would hold the network.
    """
    if params is None:
        base = ArrayParams().to_dict()
        sizes = {"inputs": _rounded(needs["inputs"]), "neurons": _rounded(needs["neurons"])}
        wanted = {name: max(value, base[name]) for name, value in needs.items()} | sizes
        return _make(ArrayParams(), wanted, "it needs more than the largest has")
    have = params.to_dict()
    short = {name: value for name, value in needs.items() if have[name] < value}
    if not short:
        return params
    reasons = "; ".join(_shortfall(name, value, have[name]) for name, value in short.items())
    changes = ", ".join(f"{name}={value}" for name, value in short.items())
    _make(params, dict(short), reasons)
    raise CapacityError(
        f"the network does not fit the array: {reasons}; an array of params.replace({changes}) would hold it"
    )


def _rounded(size: int | bool) -> int:
    return min(-(-max(int(size), 1) // _WORD) * _WORD, max(int(size), LARGEST))


def _shortfall(name: str, needed: int | bool, have: int | bool) -> str:
    if isinstance(have, bool):
        return f"it needs the feature {name!r}"
    missing = f"it needs {name}={needed}, {int(needed) - have} more than the array's {have}"
    if name == "axons":
        missing += " (a row for each further delay of a source, or synapse of a pair)"
    return missing


def _make(params: ArrayParams, changes: dict[str, int | bool], reason: str) -> ArrayParams:
    try:
        changed = dict(changes)
        words = params.record_words
        while True:
            try:
                return params.replace(**{**changed, "record_words": words})
            except ParameterError:
                if words >= 32768:
                    raise
                words *= 2
    except ParameterError as error:
        raise CapacityError(f"no array of this kind can hold the network: {reason}; {error}") from None
