"""The first difference between two targets: spike, memory and step, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synloom.contract.array_port import Port
from synloom.contract.layout import Field
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.selftest.comparison import Played, changing, play
from synloom.selftest.memories import MemoryUnderTest
from synloom.selftest.random_array import RandomArray

__all__ = ["differences"]

_Spike = tuple[int, int, bool]
"""Step, neuron, and whether the spike was expected."""
_Wrong = tuple[MemoryUnderTest, npt.NDArray[np.int64]]


def differences(array: RandomArray, expected: Played, got: Played, model: Port, target: Port) -> list[str]:
    """Return the differences between a target and the model, one line each; empty if there are none.

    Runs the array once more on both, with a probe at the place that differs first, to find the first step
    with a difference.

    Parameters
    ----------
    array : RandomArray
        The array that was run.
    expected, got : Played
        Results of the model and of the target.
    model, target : Port
        Both, stopped; their contents are lost.
    """
    spike = _first_spike(expected, got)
    places = list(_differing_places(array.params, expected, got))
    lines = []
    if spike is not None:
        step, neuron, wanted = spike
        what = "a spike was expected, none came" if wanted else "a spike came, none was expected"
        lines.append(f"step {step}, neuron {neuron}: {what}")
    suspect = _suspect(array.params, spike, places)
    if suspect is not None:
        lines += _first_step(array, suspect, model, target)
    for memory, wrong in places:
        k = int(wrong[0])
        left, right = (each.state[memory.region][k] for each in (expected, got))
        lines.append(
            f"after {array.steps} steps {len(wrong):,} of {memory.count:,} words of {memory.region.name} "
            f"differ; first {memory.where(k)}: {_shown(array.params, memory, right)}, "
            f"expected {_shown(array.params, memory, left)}"
        )
    lines += [
        f"after {array.steps} steps register {name} is {got.registers[name]:#x}, expected {value:#x}"
        for name, value in expected.registers.items()
        if got.registers[name] != value
    ]
    return lines


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A place to probe in every step."""

    name: str
    region: Region
    offset: int
    field: Field


def _suspect(
    params: ArrayParams, spike: tuple[int, int, bool] | None, places: list[_Wrong]
) -> _Suspect | None:
    if spike is not None:
        return _potential(params, spike[1])
    for memory, wrong in places:
        if memory.region is Region.WHEEL:
            continue
        found = memory_of(params, memory.region)
        index, word = found.index(int(wrong[0]))
        if memory.region is Region.NEURON_STATE and word in found.layout["v"].words:
            return _potential(params, index[0])
        field = next(f for f in found.layout.fields.values() if word in f.words)
        name = memory.where(int(wrong[0]))
        return _Suspect(name, memory.region, found.offset(*index, field=field.name), field)
    return None


def _potential(params: ArrayParams, neuron: int) -> _Suspect:
    memory = memory_of(params, Region.NEURON_STATE)
    offset = memory.offset(neuron, field="v")
    return _Suspect(f"the potential of neuron {neuron}", memory.region, offset, memory.layout["v"])


def _first_step(array: RandomArray, suspect: _Suspect, model: Port, target: Port) -> list[str]:
    probe = ((suspect.region, suspect.offset),)
    samples = (play(port, array, probe).samples[:, 0] for port in (model, target))
    expected, got = (suspect.field.decode(each).tolist() for each in samples)
    for step, (wanted, found) in enumerate(zip(expected, got, strict=False)):
        if wanted != found:
            return [f"step {step}: {suspect.name} is {found}, expected {wanted}"]
    return [f"{suspect.name} does not differ when it is probed in every step"]


def _first_spike(expected: Played, got: Played) -> _Spike | None:
    """Return the first spike that only one of the two runs has."""
    left, right = (set(map(tuple, played.spikes.tolist())) for played in (expected, got))
    if left == right:
        return None
    step, neuron = min(left ^ right)
    return step, neuron, (step, neuron) in left


def _differing_places(params: ArrayParams, expected: Played, got: Played) -> Iterator[_Wrong]:
    for memory in changing(params):
        wrong = np.flatnonzero(expected.state[memory.region] != got.state[memory.region])
        if len(wrong):
            yield memory, wrong


def _shown(params: ArrayParams, memory: MemoryUnderTest, word: int) -> int:
    """Return a word as a number; in a memory with a single field, the value of the field."""
    fields = list(memory_of(params, memory.region).layout.fields.values())
    return int(fields[0].decode(word)) if len(fields) == 1 else int(word)
