"""The one comparison of two targets: the same random array on both, and every bit that it left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.array_port import Port, Words
from synloom.contract.frames import RunFlag
from synloom.contract.memory_map import memory_map, memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.records import EVENT_ADVANCE, EVENT_MAX_ADVANCE
from synloom.contract.regions import Region
from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS
from synloom.device.counters import Counters, read_counters
from synloom.device.execution import execute
from synloom.device.loader import read_register, write_register
from synloom.selftest.memories import MemoryUnderTest, clear, under_test
from synloom.selftest.random_array import RandomArray

__all__ = ["Agreement", "EventWords", "Place", "Played", "agreement", "changing", "play"]

_REGISTERS: Final = tuple(name for name, register in CONTROL_REGISTERS.items() if register.live)
_COUNTED: Final = tuple(name for name, counter in COUNTERS.items() if not counter.timed)
_COUNTER_BITS: Final = 32
"""So much of a counter is looked at."""

Place = tuple[Region, int]
"""Region and offset of a word."""
_Bits = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Played:
    """What a run gave.

    Attributes
    ----------
    records : (R,) uint16
        The record stream, word by word.
    spikes : (K, 2) int64
        (step, neuron), in order.
    samples : (T, probes) uint32
        What the probes saw.
    state : mapping of Region to (size,) uint16
        Memories after the run.
    registers : mapping of str to int
        Registers after the run.
    counters : Counters
        Counters after the run.
    """

    records: Words
    spikes: npt.NDArray[np.int64]
    samples: npt.NDArray[np.uint32]
    state: dict[Region, Words]
    registers: dict[str, int]
    counters: Counters


class EventWords:
    """Words of the event queue that are given as they are, for `execute`."""

    def __init__(self, words: npt.NDArray[np.uint16]):
        self._words = words
        advances = words[words >= EVENT_ADVANCE].astype(np.int64) & EVENT_MAX_ADVANCE
        self._gone = int(advances.sum())

    def take(self, end: int) -> npt.NDArray[np.uint16]:
        """Return all words."""
        return self._words

    def advance_to(self, step: int) -> npt.NDArray[np.uint16]:
        """Return a word that moves the cursor beyond the run, whose events were all given."""
        return np.array([EVENT_ADVANCE | EVENT_MAX_ADVANCE], dtype=np.uint16)


def changing(params: ArrayParams) -> Iterator[MemoryUnderTest]:
    """Yield the memories that the steps of a run change."""
    return (under_test(m) for m in memory_map(params).values() if m.exists and m.dynamic)


def play(port: Port, array: RandomArray, probes: Sequence[Place] | None = None) -> Played:
    """Run an array from its start on a target that stands still.

    Parameters
    ----------
    port : Port
        The target; what is in it is lost.
    array : RandomArray
        What to run.
    probes : sequence of (Region, int), optional
        Words to look at after each step, in place of the array's own probes.
    """
    params = array.params
    clear(port)
    for write in array.writes():
        port.write(*write)
    if probes is not None:
        _look_at(port, probes)
    words: list[Words] = []
    events, now = EventWords(array.events), array.registers.get("now", 0)
    decoder = execute(port, events, now, array.steps, RunFlag(0), observe=words.append)
    return Played(
        np.concatenate(words),
        np.stack(decoder.spikes(), axis=1),
        decoder.samples()[1],
        {memory.region: memory.read_all(port) for memory in changing(params)},
        {name: read_register(port, name) for name in _REGISTERS},
        read_counters(port),
    )


def _look_at(port: Port, probes: Sequence[Place]) -> None:
    """Record two words at each place after every step."""
    if probes:
        regions, offsets = zip(*probes, strict=True)
        fields = {"region": regions, "offset": offsets, "wide": [1] * len(probes)}
        port.write(*memory_of(port.params, Region.PROBES).write(fields))
    for name, value in (("probe_count", len(probes)), ("probe_every", 1), ("probe_wait", 0)):
        write_register(port, name, value)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a comparison found.

    Attributes
    ----------
    steps, spikes : int
        What was run.
    learned : int
        Weights that are no longer what they were at the start.
    bits : int
        Bits that were compared, none of which is always 0: of records, memories, registers and counters.
    differing : mapping of str to int
        How many of them differ, for each part that differs at all.
    faults : tuple of str
        The same in words, where somebody asked for them.
    """

    steps: int
    spikes: int
    learned: int
    bits: int
    differing: dict[str, int]
    faults: tuple[str, ...] = ()


def agreement(array: RandomArray, expected: Played, got: Played) -> Agreement:
    """Compare what two targets made of an array, bit by bit."""
    bits, differing = 0, {}
    for name, width, left, right in _parts(array, expected, got):
        bits += width
        if wrong := _differing_bits(left, right):
            differing[name] = wrong
    start = array.memories[Region.WEIGHTS]["weight"]
    weights = memory_map(array.params)[Region.WEIGHTS]
    learned = int(np.count_nonzero(weights.unpack(expected.state[Region.WEIGHTS])["weight"] != start))
    return Agreement(array.steps, len(expected.spikes), learned, bits, differing)


def _parts(array: RandomArray, expected: Played, got: Played) -> Iterator[tuple[str, int, _Bits, _Bits]]:
    """Yield what is compared: name, bits, the first target's, the second's."""
    params = array.params
    yield "records", 16 * len(expected.records), _flat(expected.records), _flat(got.records)
    for memory in changing(params):
        left, right = (_flat(played.state[memory.region]) for played in (expected, got))
        yield memory.region.name, _ones(memory.masks), left, right
    for name, value in expected.registers.items():
        yield name, 16 * CONTROL_REGISTERS[name].words, _flat([value]), _flat([got.registers[name]])
    for name in _COUNTED:
        width = _COUNTER_BITS if COUNTERS[name].wide else params.counter_bits
        left, right = (_flat([played.counters[name] % (1 << _COUNTER_BITS)]) for played in (expected, got))
        yield f"counter {name}", width, left, right


def _ones(words: Words) -> int:
    return int(np.unpackbits(words.view(np.uint8)).sum())


def _flat(values: npt.ArrayLike) -> _Bits:
    return np.asarray(values).astype(np.uint32).ravel()


def _differing_bits(left: _Bits, right: _Bits) -> int:
    if left.size != right.size:
        return 16 * max(left.size, right.size)
    return int(np.unpackbits((left ^ right).view(np.uint8)).sum())
