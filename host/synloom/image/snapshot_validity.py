"""What holds for every snapshot: its state is one that its image can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.base.errors import ParameterError
from synloom.base.wording import one_line
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.records import EVENT_SETTING, SETTING, SettingKind
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.image.image import Image
from synloom.image.places import RULE_FIELDS

if TYPE_CHECKING:
    from synloom.image.snapshot import Snapshot

__all__ = ["check_events", "check_recorders", "check_snapshot"]

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
    _check_program(snapshot)
    _check_wheel(image.params, snapshot.memories["wheel"])
    check_events(image, snapshot.now, snapshot.events)


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
                raise ParameterError(
                    f"{region.name.lower()}: {name} must be at least -{image.params.state_max}"
                )


def _check_program(snapshot: Snapshot) -> None:
    """Check that segments are the image's but for what a rule can change."""
    image = snapshot.image
    memory = memory_of(image.params, Region.PROGRAM)
    segments, loaded = memory.unpack(snapshot.memories["program"]), memory.layout.unpack(image.program)
    count = len(image.program)
    for name, values in segments.items():
        same = values[:count] == loaded[name]
        if name in RULE_FIELDS:
            same |= loaded["plastic"] == 1
        if not same.all() or values[count:].any():
            raise ParameterError(f"program: {name} must be that of the image")


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


def check_events(image: Image, now: int, events: IntArray) -> None:
    """Check events, (E, 2) int64 of step and id, that wait at step `now`.

    Raises
    ------
    ParameterError
        If one is too early or late or does not exist, or if they are not sorted or not different.
    """
    params = image.params
    if not len(events):
        return
    step, number = events.T
    if step.min() < now or step.max() > _MOST_STEPS:
        raise ParameterError(f"events must have steps of {now}..{_MOST_STEPS}")
    known = (number >= 0) & (number < params.inputs)
    if params.teaching:
        neuron = number - params.first_neuron_source
        known |= (neuron >= 0) & (neuron < image.registers["sweep_count"])
        setting = (number >= EVENT_SETTING) & (number < 2 * EVENT_SETTING)
        known |= setting & np.isin(SETTING["kind"].decode(number), list(SettingKind))
    if not known.all():
        raise ParameterError(f"events must have ids that exist, not {number[~known][0]}")
    later = (step[1:] > step[:-1]) | ((step[1:] == step[:-1]) & (number[1:] > number[:-1]))
    if not later.all():
        raise ParameterError("events must be sorted by step, then by id, and differ")


def check_recorders(
    image: Image, spikes: Any, probes: Any
) -> tuple[tuple[str, ...], tuple[tuple[str, str, int], ...]]:
    """Return recorders, checked: labels of populations, and label, variable and index of each probe.

    Raises
    ------
    ParameterError
        If they are something else, or the image has no such populations.
    """
    if not isinstance(spikes, list) or not all(isinstance(label, str) for label in spikes):
        raise ParameterError("spikes must be a list of labels")
    if not isinstance(probes, list):
        raise ParameterError("probes must be a list")
    for label in spikes:
        if label not in image.populations and label not in image.inputs:
            raise ParameterError(f"there is no population {one_line(repr(label), 60)} to record")
    made = []
    for probe in probes:
        if not isinstance(probe, list) or [type(part) for part in probe] != [str, str, int]:
            raise ParameterError("a probe must be a label, a variable and an index")
        label, variable, index = probe
        place = image.populations.get(label) or image.inputs.get(label)
        if place is None or not 0 <= index < place.n:
            raise ParameterError(
                f"there is no {one_line(repr(variable), 60)} of {one_line(repr(label), 60)} {index} to record"
            )
        made.append((label, variable, index))
    if len(set(spikes)) < len(spikes) or len(set(made)) < len(made):
        raise ParameterError("a recorder is there twice")
    if len(made) > image.params.probes:
        raise ParameterError(f"there must be at most {image.params.probes} probes, not {len(made)}")
    return tuple(spikes), tuple(made)
