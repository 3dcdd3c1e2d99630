"""Bit-by-bit comparison of two targets that run the same random array."""

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
"""Low bits of a counter that are compared."""

Place = tuple[Region, int]
"""Region and offset of a word."""
_Bits = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Played:
    """The results of a run.

    Attributes
    ----------
    records : (R,) uint16
        The record stream, word by word.
    spikes : (K, 2) int64
        (step, neuron), in order.
    samples : (T, probes) uint32
        Values of the probes.
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
    """Prepared words of the event queue, all given to `execute` at once."""

    def __init__(self, words: npt.NDArray[np.uint16]):
        self._words = words
        advances = words[words >= EVENT_ADVANCE].astype(np.int64) & EVENT_MAX_ADVANCE
        self._gone = int(advances.sum())

    def take(self, end: int) -> npt.NDArray[np.uint16]:
        """Return all words."""
        return self._words

    def advance_to(self, step: int) -> npt.NDArray[np.uint16]:
        """Return a word that moves the cursor beyond the run, since all its events were given."""
        return np.array([EVENT_ADVANCE | EVENT_MAX_ADVANCE], dtype=np.uint16)


def changing(params: ArrayParams) -> Iterator[MemoryUnderTest]:
    """Yield the memories that a run changes."""
    return (under_test(m) for m in memory_map(params).values() if m.exists and m.dynamic)


def play(port: Port, array: RandomArray, probes: Sequence[Place] | None = None) -> Played:
    """Load an array into a stopped target and run it.

    Parameters
    ----------
    port : Port
        The target; its contents are lost.
    array : RandomArray
        The array and its run.
    probes : sequence of (Region, int), optional
        Words to record after each step, instead of the probes of the array.

    Returns
    -------
    Played
        Records, memories, registers and counters.

    Raises
    ------
    LinkError, DeviceError, ValueError
        If the target does not answer, refuses a command, or sends records that cannot be decoded.
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
    """Set the probes to record two words at each place after every step."""
    if probes:
        regions, offsets = zip(*probes, strict=True)
        fields = {"region": regions, "offset": offsets, "wide": [1] * len(probes)}
        port.write(*memory_of(port.params, Region.PROBES).write(fields))
    for name, value in (("probe_count", len(probes)), ("probe_every", 1), ("probe_wait", 0)):
        write_register(port, name, value)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The result of a comparison.

    Attributes
    ----------
    steps, spikes : int
        Length of the run, and spikes of the first target.
    learned : int
        Weights that changed during the run.
    bits : int
        Bits of records, memories, registers and counters that were compared, without bits that are always 0.
    differing : mapping of str to int
        Bits that differ, by part, for each part that differs.
    faults : tuple of str
        The differences in words, if they were asked for.
    """

    steps: int
    spikes: int
    learned: int
    bits: int
    differing: dict[str, int]
    faults: tuple[str, ...] = ()


def agreement(array: RandomArray, expected: Played, got: Played) -> Agreement:
    """Compare the results of an array on two targets, bit by bit."""
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
    """Yield the parts to compare: name, number of bits, and the values of both targets."""
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
