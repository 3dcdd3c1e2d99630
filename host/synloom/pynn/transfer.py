"""The state of an array, carried from one image to another of the same network with other parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import NetworkError
from synloom.base.warning import warn
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.traces import TRACES
from synloom.device.device import Device
from synloom.image.image import Image
from synloom.image.places import PopulationInfo
from synloom.pynn.builder import Built

__all__ = ["start_from", "transfer"]

_SETTINGS: Final = ("weights", "neuron_params", "program", "gen_rate")
_FIELDS: Final = {"v": "v", "isyn_exc": "ie", "isyn_inh": "ii"}


def start_from(device: Device, built: Built, state: Any) -> None:
    """Give neurons initial currents, which an image does not have."""
    initial: dict[int, dict[str, FloatArray]] = {}
    for k in built.neurons:
        population = state.populations[k]
        for variable in ("isyn_exc", "isyn_inh"):
            if variable in population.celltype.recordable and population.initial(variable).any():
                initial.setdefault(k, {})[variable] = population.initial(variable)
    if initial:
        transfer(device, device.image, built, built, initial)


def transfer(
    device: Device, image: Image, old: Built, new: Built, initial: dict[int, dict[str, FloatArray]]
) -> None:
    """Load an image and go on from the present state.

    Parameters
    ----------
    device : Device
        A device with another image of the same array and synapses.
    image : Image
        The image; its weights count.
    old, new : Built
        The networks of the present image and of the new one.
    initial : dict of int to dict
        Values that replace the present ones, (n,) float64, by population and variable.

    Raises
    ------
    NetworkError
        If the synapses are not those of the present image.
    """
    if not np.array_equal(device.image.synapses, image.synapses):
        raise NetworkError("synapses cannot be added or removed after the first run; call reset() first")
    before = device.snapshot()
    memory = memory_of(image.params, Region.NEURON_STATE)
    fields = memory.unpack(before.memories["neuron_state"])
    for k, label in new.neurons.items():
        info = image.populations[label]
        present = device.read_state(old.neurons[k])
        place = slice(info.first, info.first + info.n)
        for variable, field in _FIELDS.items():
            given = initial.get(k, {}).get(variable)
            values = present[variable] if given is None else given
            raw = _raw(np.abs(values) if variable != "v" else values, variable, info, image)
            held = np.clip(raw, -image.params.state_max, image.params.state_max)
            if given is not None and (held != raw).any():
                _warn_of_clipping(label, variable, given, held != raw)
            fields[field][place] = held.astype(np.int64)
    packed = memory.write(fields)[2]
    traces = _traces(device.image, image, before.memories)
    device.load(image)
    # Parameters, rules, weights and rates are those of the image.
    fresh = device.snapshot().memories
    settings = {name: fresh[name] for name in _SETTINGS if name in fresh}
    memories = {**before.memories, **traces, **settings, "neuron_state": packed}
    device.restore(dataclasses.replace(before, image=image, memories=memories, probes=(), every=1))


def _traces(old: Image, new: Image, memories: Mapping[str, Any]) -> dict[str, Any]:
    """Return the traces, whose unit depends on the learning rules."""
    found = {}
    for trace in TRACES:
        ratio = new.registers[trace.increment] / max(old.registers[trace.increment], 1)
        memory, name = memory_of(new.params, trace.region), trace.region.name.lower()
        values = memory.unpack(memories[name])["trace"]
        scaled = np.minimum(np.rint(values * ratio), new.params.trace_max).astype(np.int64)
        found[name] = memory.write({"trace": scaled})[2]
    return found


def _raw(values: FloatArray, variable: str, info: PopulationInfo, image: Image) -> Any:
    lsb = {"v": info.v_lsb, "isyn_exc": info.i_lsb_exc, "isyn_inh": info.i_lsb_inh}[variable]
    zero = info.v_zero if variable == "v" else 0.0
    return np.rint((values - zero) / lsb)


def _warn_of_clipping(label: str, variable: str, given: FloatArray, is_clipped: Any) -> None:
    warn(
        f"initialize({variable}={given[is_clipped][0]:g}) of {label!r} is beyond the range of the array: "
        f"{int(is_clipped.sum())} of {len(given)} values are clipped; use smaller ones"
    )
