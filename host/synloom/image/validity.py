"""What holds for every image: sizes, ranges, and places that fit each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from synloom.base.checks import real, whole
from synloom.base.errors import ParameterError
from synloom.base.wording import one_line
from synloom.contract.memory_map import memory_map
from synloom.contract.params import ArrayParams
from synloom.contract.registers import CONTROL_REGISTERS

if TYPE_CHECKING:
    from synloom.image.image import Image

__all__ = ["MOST_EVENTS", "check_image", "check_shape", "labelled"]

MOST_EVENTS: Final = 1 << 24
"""Most spikes that an image's file holds itself, 256 MiB."""
_MOST_SEED: Final = 2**63 - 1
_MOST_STEPS: Final = 2**31
_MOST_DT: Final = 1e9
_PIECE: Final = 1 << 18
"""Rows that are looked at together: checks of the longest arrays need little memory."""


def check_shape(params: ArrayParams, name: str, shape: tuple[int, ...]) -> None:
    """Check the shape of an image's array, before it is read.

    Raises
    ------
    ParameterError
        If it is another one than the array's parameters ask for.
    """
    if name == "events":
        wanted, most = (-1, 2), MOST_EVENTS
    elif name == "synapses":
        wanted, most = (-1, 3), params.sources * params.neurons
    else:
        memory = next(m for m in memory_map(params).values() if m.region.name.lower() == name)
        most = memory.shape[0]
        wanted = (-1 if name == "program" else most, memory.layout.words)
        if name == "weights":
            wanted = memory.shape[0], memory.shape[1]
        elif name == "gen_rate":
            wanted = most, 1
            shape = (*shape, 1) if len(shape) == 1 else ()
    if len(shape) != 2 or shape[1] != wanted[1] or shape[0] > most or wanted[0] not in (-1, shape[0]):
        rows = f"at most {most}" if wanted[0] == -1 else str(most)
        raise ParameterError(f"{name} must have {rows} rows of {wanted[1]}, not the shape {shape}")


def labelled(kind: str, values: Any, make: Any) -> dict[str, Any]:
    """Return places by label, made from a list of plain values.

    Raises
    ------
    ParameterError
        If it is not a list, if one is wrong, or if two have the same label.
    """
    if not isinstance(values, list):
        raise ParameterError(f"{kind} must be a list, not {one_line(repr(values), 60)}")
    made: dict[str, Any] = {}
    for index, value in enumerate(values):
        try:
            info = make(value)
        except ParameterError as error:
            raise ParameterError(f"{kind}[{index}]: {one_line(str(error), 300)}") from error
        if info.label in made:
            raise ParameterError(
                f"{kind} must have unique labels; {one_line(info.label, 60)!r} is there twice"
            )
        made[info.label] = info
    return made


def check_image(image: Image) -> None:
    """Check everything that an image's file says, but for its digests.

    Raises
    ------
    ParameterError
        For the first value that is out of range, or does not fit the others.
    """
    real("dt", image.dt, low=0.0, above=True, high=_MOST_DT)
    whole("seed", image.seed, 0, _MOST_SEED)
    _check_registers(image.registers)
    for memory in memory_map(image.params).values():
        if memory.setting:
            name = memory.region.name.lower()
            _check_shape_of(image, name)
            if name != "weights":
                _check_bits(name, getattr(image, name), memory.layout.masks())
    top = image.params.weight_max
    if image.weights.min() < -top - 1 or image.weights.max() > top:
        raise ParameterError(f"weights must be in {-top - 1}..{top}")
    _check_places(image)
    _check_synapses(image)
    _check_events(image)


def _check_shape_of(image: Image, name: str) -> None:
    check_shape(image.params, name, getattr(image, name).shape)


def _check_registers(registers: Mapping[str, int]) -> None:
    for name, value in registers.items():
        register = CONTROL_REGISTERS.get(name)
        if register is None or not register.writable:
            raise ParameterError(f"there is no register {one_line(name, 60)!r} to set")
        bits = 16 * register.words
        low = -(1 << (bits - 1)) if register.signed else 0
        high = (1 << (bits - register.signed)) - 1
        whole(f"register {name}", value, 1 if register.at_first and not register.signed else low, high)


def _check_bits(name: str, array: Any, masks: Any) -> None:
    if (array.reshape(-1, len(masks)) & ~masks).any():
        raise ParameterError(f"{name} has bits outside of its fields")


def _check_places(image: Image) -> None:
    params = image.params
    for label, population in image.populations.items():
        if population.source != params.first_neuron_source + population.first:
            raise ParameterError(
                f"population {one_line(label, 60)!r} has a source that is not its first neuron's"
            )
    neurons = [(info.first, info.n, label) for label, info in image.populations.items()]
    inputs = [(info.source, info.n, label) for label, info in image.inputs.items()]
    _check_ranges("neurons", neurons, params.neurons)
    _check_ranges("inputs", inputs, params.inputs)
    if both := image.populations.keys() & image.inputs.keys():
        raise ParameterError(f"{one_line(min(both), 60)!r} is a population and an input")
    for label, projection in image.projections.items():
        known = projection.pre in image.populations or projection.pre in image.inputs
        if not known or projection.post not in image.populations:
            raise ParameterError(f"projection {one_line(label, 60)!r} joins populations that are not there")


def _check_ranges(what: str, ranges: Iterable[tuple[int, int, str]], limit: int) -> None:
    """Check that ranges (first, count, label) lie within 0..limit-1 and do not overlap."""
    end, before = 0, ""
    for first, count, label in sorted(ranges):
        if first < end:
            raise ParameterError(f"{one_line(before, 60)!r} and {one_line(label, 60)!r} share {what}")
        end, before = first + count, label
        if end > limit:
            raise ParameterError(
                f"{one_line(label, 60)!r} has {what} {first}..{end - 1}; the array has {limit}"
            )


def _check_synapses(image: Image) -> None:
    """Check that each synapse belongs to one projection and lies within its populations."""
    _check_shape_of(image, "synapses")
    end = 0
    for label, info in image.projections.items():
        if info.first != end:
            raise ParameterError(
                f"projection {one_line(label, 60)!r} must begin at synapse {end}, not {info.first}"
            )
        end = info.first + info.count
        pre = image.populations.get(info.pre) or image.inputs[info.pre]
        limits = pre.n, image.params.sources, image.populations[info.post].n
        for first in range(info.first, min(end, len(image.synapses)), _PIECE):
            part = image.synapses[first : min(first + _PIECE, end)]
            if (part.max(axis=0) >= limits).any():
                raise ParameterError(
                    f"projection {one_line(label, 60)!r} has synapses outside of its populations"
                )
    if end != len(image.synapses):
        raise ParameterError(f"the projections have {end} synapses, the file has {len(image.synapses)}")


def _check_events(image: Image) -> None:
    """Check that events are sorted and within the run and the inputs."""
    _check_shape_of(image, "events")
    events, inputs = image.events, image.params.inputs
    for first in range(0, len(events), _PIECE):
        step, channel = events[first : first + _PIECE + 1].T
        if step.min() < 0 or step.max() > _MOST_STEPS or channel.min() < 0 or channel.max() >= inputs:
            raise ParameterError(f"events must have steps of 0..{_MOST_STEPS} and inputs of 0..{inputs - 1}")
        later = (step[1:] > step[:-1]) | ((step[1:] == step[:-1]) & (channel[1:] >= channel[:-1]))
        if not later.all():
            raise ParameterError("events must be sorted by step, then by input")
