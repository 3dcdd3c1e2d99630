"""The memories of an array as a self-test sees them: elements of so many bits, and where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.contract.array_port import Port, Words
from synloom.contract.layout import (
    Layout,
    neuron_params_layout,
    neuron_state_layout,
    segment_layout,
    source_layout,
    target_layout,
)
from synloom.contract.params import ArrayParams
from synloom.contract.regions import (
    COUNTER_STRIDE,
    NEURON_PARAMS_STRIDE,
    NEURON_STATE_STRIDE,
    PROBE_STRIDE,
    SEGMENT_STRIDE,
    Region,
    region_size,
    weight_offset,
    wheel_offset,
)
from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS
from synloom.link.addresses import pieces

__all__ = ["BLOCK", "Block", "Memory", "clear", "memories"]

BLOCK: Final = 2048
"""Elements that are read or written at once: many commands, few enough that progress is seen."""

_PROBE_MASKS: Final = (0x801F, 0xFFFF, 0x00FF, 0)
_PATTERN_REGISTERS: Final = ("now", "learn_rng", "gen_rng", "period")
"""Registers of whole words that follow one another."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive offsets: the place of the first among the memory's elements, its offset, how many."""

    place: int
    offset: int
    count: int


@dataclass(frozen=True, slots=True)
class Memory:
    """One region's elements, numbered from 0.

    Attributes
    ----------
    region : Region
        Which.
    blocks : tuple of Block
        Where the elements are.
    masks : (size,) uint16
        Which bits each has; others are written as 0 and not looked at.
    sign_bits : int
        Elements are read back extended from so many bits to eight; 0 if not.
    where : callable
        Says in words what an element is.
    """

    region: Region
    blocks: tuple[Block, ...]
    masks: Words
    sign_bits: int
    where: Callable[[int], str]

    @property
    def size(self) -> int:
        """Number of elements."""
        return len(self.masks)

    @property
    def count(self) -> int:
        """Number of elements that have a bit at all."""
        return int(np.count_nonzero(self.masks))

    def read(self, port: Port, block: Block) -> Words:
        """Return the elements of a block, (count,) uint16."""
        words = np.asarray(port.read(self.region, block.offset, block.count), dtype=np.uint16)
        return words if self.sign_bits else words & self.masks[block.place : block.place + block.count]

    def write(self, port: Port, block: Block, values: Words) -> None:
        """Write the elements of a block, (count,) uint16."""
        port.write(self.region, block.offset, values)

    def fill(self, port: Port, value: int) -> None:
        """Write one value to all elements."""
        for block in self.blocks:
            port.fill(self.region, block.offset, block.count, value)

    def as_read(self, values: Words) -> Words:
        """Return how values look when they are read back."""
        if not self.sign_bits:
            return values
        sign = 1 << (self.sign_bits - 1)
        return (((values.astype(np.int64) ^ sign) - sign) & 0xFF).astype(np.uint16)


def memories(params: ArrayParams) -> Iterator[Memory]:
    """Yield all memories of an array, the weights first."""
    n, s = params.neurons, params.sources
    weights = np.full(s * n, (1 << params.weight_bits) - 1, dtype=np.uint16)
    blocks = tuple(
        Block(*piece) for piece in pieces(Region.WEIGHTS, weight_offset(0, 0), s * n, BLOCK, params.neurons)
    )

    def weight(place: int) -> str:
        return f"the weight of {_source(params, place // n)} to neuron {place % n}"

    yield Memory(Region.WEIGHTS, blocks, weights, params.weight_bits, weight)
    yield _records(params, Region.NEURON_PARAMS, neuron_params_layout(params), NEURON_PARAMS_STRIDE, "neuron")
    yield _records(params, Region.NEURON_STATE, neuron_state_layout(params), NEURON_STATE_STRIDE, "neuron")
    yield _records(params, Region.PROGRAM, segment_layout(), SEGMENT_STRIDE, "segment")
    yield _records(params, Region.SOURCE, source_layout(), 1, "source")
    yield _records(params, Region.TARGET, target_layout(), 1, "neuron")
    yield _words(Region.X_TRACE, s, params.trace_max, lambda k: f"the trace of {_source(params, k)}")
    yield _words(Region.Y_TRACE, n, params.trace_max, lambda k: f"the trace of neuron {k} as a target")
    if params.generators:
        channels = 16 * params.input_words
        yield _words(Region.GEN_RATE, channels, 0xFFFF, lambda k: f"the rate of input {k}")
        yield _words(Region.GEN_PHASE, channels, 0x7FFF, lambda k: f"the phase of input {k}")
    if params.spike_counters:
        yield _words(Region.SPIKE_COUNTS, n, 0xFFFF, lambda k: f"the spike count of neuron {k}")
    yield _wheel(params)
    probes = np.tile(np.array(_PROBE_MASKS, dtype=np.uint16), params.probes)
    yield Memory(
        Region.PROBES,
        (Block(0, 0, len(probes)),),
        probes,
        0,
        lambda k: f"word {k % PROBE_STRIDE} of probe {k // PROBE_STRIDE}",
    )
    names = [name for name in _PATTERN_REGISTERS for _ in range(CONTROL_REGISTERS[name].words)]
    yield _words(Region.CTRL, len(names), 0xFFFF, lambda k: f"register {names[k]}")


def clear(port: Port) -> None:
    """Leave an array that stands still with nothing in it: no synapses, no learning, step 0."""
    params = port.params
    port.write(Region.CTRL, 0, _resting_registers())
    for memory in memories(params):
        if memory.region is not Region.CTRL:
            absent = memory.region is Region.WEIGHTS
            memory.fill(port, params.weight_absent & 0xFF if absent else 0)
    port.fill(Region.COUNTERS, 0, COUNTER_STRIDE * len(COUNTERS), 0)


def _resting_registers() -> Words:
    values = {"learn_rng": 1, "gen_rng": 1, "probe_every": 1}
    words: list[int] = []
    for register in CONTROL_REGISTERS.values():
        if register.writable:
            words += [values.get(register.name, 0), *[0] * (register.words - 1)]
    return np.array(words, dtype=np.uint16)


def _blocks(count: int) -> tuple[Block, ...]:
    return tuple(Block(k, k, min(BLOCK, count - k)) for k in range(0, count, BLOCK))


def _words(region: Region, count: int, mask: int, where: Callable[[int], str]) -> Memory:
    return Memory(region, _blocks(count), np.full(count, mask, dtype=np.uint16), 0, where)


def _records(params: ArrayParams, region: Region, layout: Layout, stride: int, item: str) -> Memory:
    size = region_size(params, region)
    full = {f.name: np.array([(1 << f.width) - 1]) for f in layout.fields.values() if f.name != "reserved"}
    bits = {name: value if not layout[name].signed else np.array([-1]) for name, value in full.items()}
    mask = np.zeros(stride, dtype=np.uint16)
    mask[: layout.words] = layout.pack(bits)[0]

    def where(place: int) -> str:
        index, word = divmod(place, stride)
        inside = [
            f.name for f in layout.fields.values() if f.start // 16 <= word <= _last_word(f.start, f.width)
        ]
        return f"word {word} ({', '.join(inside)}) of {region.name} of {item} {index}"

    return Memory(region, _blocks(size), np.tile(mask, size // stride), 0, where)


def _last_word(start: int, width: int) -> int:
    return (start + width - 1) // 16


def _wheel(params: ArrayParams) -> Memory:
    words = params.source_words
    blocks = tuple(Block(slot * words, wheel_offset(slot, 0), words) for slot in range(params.delay_slots))
    masks = np.full(params.delay_slots * words, 0xFFFF, dtype=np.uint16)
    return Memory(
        Region.WHEEL, blocks, masks, 0, lambda k: f"word {k % words} of slot {k // words} of the delay wheel"
    )


def _source(params: ArrayParams, source: int) -> str:
    first: int = params.first_neuron_source
    if first <= source < first + params.neurons:
        return f"neuron {source - first}"
    return f"input {source}" if source < params.inputs else f"source {source} (unused)"
