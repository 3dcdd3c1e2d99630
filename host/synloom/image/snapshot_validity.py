"""What holds for every snapshot: its state is one that its image can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from synloom.base.errors import ParameterError
from synloom.base.wording import one_line
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.records import EVENT_SETTING, SETTING, SettingKind
from synloom.contract.regions import Region
from synloom.contract.registers import Mode

if TYPE_CHECKING:
    from synloom.image.snapshot import Snapshot

__all__ = ["check_snapshot"]

_MOST_STEPS: Final = 1 << 33
"""More than the largest step and the longest time from it."""


def check_snapshot(snapshot: Snapshot) -> None:
    """Check all values of a snapshot whose arrays have the right types and shapes, but for its digests.

    Raises
    ------
    ParameterError
        For the first value that is out of range, or does not fit the image.
    """
    _check_registers(snapshot)
    image = snapshot.image
    for name, words in snapshot.memories.items():
        if name != "weights":
            memory = memory_of(image.params, Region[name.upper()])
            if (words & ~memory.masks()).any():
                raise ParameterError(f"{name} has bits outside of its fields")
    _check_weights(snapshot)
    _check_neurons(snapshot)
    _check_wheel(image.params, snapshot.memories["wheel"])
    _check_events(snapshot)
    _check_recorders(snapshot)


def _check_registers(snapshot: Snapshot) -> None:
    registers = snapshot.registers
    if registers["now"] != snapshot.now:
        raise ParameterError(f"register now must be {snapshot.now}, not {registers['now']}")
    for name in ("learn_rng", "gen_rng"):
        if not registers[name]:
            raise ParameterError(f"register {name} must not be 0")
    if registers["mode"] >> len(Mode):
        raise ParameterError(f"register mode must have {len(Mode)} bits, not {registers['mode']:#x}")


def _check_weights(snapshot: Snapshot) -> None:
    params, weights, loaded = snapshot.image.params, snapshot.memories["weights"], snapshot.image.weights
    top, absent = params.weight_max, params.weight_absent
    if weights.min() < -top - 1 or weights.max() > top:
        raise ParameterError(f"weights must be in {-top - 1}..{top}")
    if not np.array_equal(weights == absent, loaded == absent):
        raise ParameterError("weights must be where the image has synapses, and nowhere else")


def _check_neurons(snapshot: Snapshot) -> None:
    """Check that no signed value is the most negative one, which the array never computes with."""
    image = snapshot.image
    for region in (Region.NEURON_PARAMS, Region.NEURON_STATE):
        memory = memory_of(image.params, region)
        for name, values in memory.unpack(snapshot.memories[region.name.lower()]).items():
            if memory.layout[name].signed and (values < -memory.layout[name].high).any():
                raise ParameterError(f"{region.name.lower()}: {name} must be at least -{image.params.state_max}")


def _check_wheel(params: ArrayParams, words: npt.NDArray[np.uint16]) -> None:
    """Check that only ids that exist are on their way."""
    exists = np.zeros(16 * params.wheel_words, dtype=bool)
    for first, count in (
        (params.first_neuron_source, params.neurons),
        (params.first_axon_source, params.axons),
        (params.sources, params.neurons if params.dendritic_delays else 0),
    ):
        exists[first : first + count] = True
    mask = np.packbits(exists, bitorder="little").view("<u2")
    if (words.reshape(params.delay_slots, -1) & ~mask).any():
        raise ParameterError("wheel must have spikes of neurons and axons that exist, and no others")


def _check_events(snapshot: Snapshot) -> None:
    params, events = snapshot.image.params, snapshot.events
    if not len(events):
        return
    step, number = events.T
    if step.min() < snapshot.now or step.max() > _MOST_STEPS:
        raise ParameterError(f"events must have steps of {snapshot.now}..{_MOST_STEPS}")
    known = (number >= 0) & (number < params.inputs)
    if params.teaching:
        neuron = number - params.first_neuron_source
        known |= (neuron >= 0) & (neuron < snapshot.image.registers["sweep_count"])
        setting = (number >= EVENT_SETTING) & (number < 2 * EVENT_SETTING)
        known |= setting & np.isin(SETTING["kind"].decode(number), list(SettingKind))
    if not known.all():
        raise ParameterError(f"events must have ids that exist, not {number[~known][0]}")
    later = (step[1:] > step[:-1]) | ((step[1:] == step[:-1]) & (number[1:] > number[:-1]))
    if not later.all():
        raise ParameterError("events must be sorted by step, then by id, and differ")


def _check_recorders(snapshot: Snapshot) -> None:
    image = snapshot.image
    for label in snapshot.spikes:
        if label not in image.populations:
            raise ParameterError(f"there is no population {one_line(repr(label), 60)} to record")
    if len(set(snapshot.spikes)) < len(snapshot.spikes) or len(set(snapshot.probes)) < len(snapshot.probes):
        raise ParameterError("a recorder is there twice")
    if len(snapshot.probes) > image.params.probes:
        raise ParameterError(f"there must be at most {image.params.probes} probes, not {len(snapshot.probes)}")
    for label, variable, index in snapshot.probes:
        place = image.populations.get(label) or image.inputs.get(label)
        if place is None or not 0 <= index < place.n:
            raise ParameterError(
                f"there is no {one_line(repr(variable), 60)} of {one_line(repr(label), 60)} {index} to record"
            )
