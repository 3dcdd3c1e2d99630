"""The memories of an array for the self-test: their words, and the bits that exist in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.contract.array_port import Port, Words
from synloom.contract.memory import Block, Memory
from synloom.contract.memory_map import memory_map
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import control, settable_block
from synloom.device.loader import clear_memories

__all__ = ["BLOCK", "MemoryUnderTest", "clear", "memories", "under_test"]

BLOCK: Final = 2048
"""Words read or written at once: enough for many commands in flight, few enough to show progress."""

_PATTERN_REGISTERS: Final = ("now", "learn_rng", "gen_rng", "period")
"""Consecutive registers that take any value."""


@dataclass(frozen=True, slots=True)
class MemoryUnderTest:
    """Words of one region, numbered from 0.

    Attributes
    ----------
    region : Region
        The region.
    blocks : tuple of Block
        Offsets of the words.
    masks : (size,) uint16
        Bits that exist in each word; others are written as 0 and ignored.
    where : callable
        Describes the word at a place.
    as_read : callable
        Converts written words to the values that are read back.
    """

    region: Region
    blocks: tuple[Block, ...]
    masks: Words
    where: Callable[[int], str]
    as_read: Callable[[Words], Words]

    @property
    def size(self) -> int:
        """Number of words."""
        return len(self.masks)

    @property
    def count(self) -> int:
        """Number of words with at least one bit."""
        return int(np.count_nonzero(self.masks))

    def read(self, port: Port, block: Block) -> Words:
        """Return the words of a block, (count,) uint16; bits that do not exist are 0."""
        words = np.asarray(port.read(self.region, block.offset, block.count), dtype=np.uint16)
        part = slice(block.place, block.place + block.count)
        return words & (self.masks[part] | self.as_read(self.masks[part]))

    def read_all(self, port: Port) -> Words:
        """Return all words, (size,) uint16."""
        return np.concatenate([self.read(port, block) for block in self.blocks])

    def write(self, port: Port, block: Block, values: Words) -> None:
        """Write the words of a block, (count,) uint16."""
        port.write(self.region, block.offset, values)

    def fill(self, port: Port, value: int) -> None:
        """Write one value to all words."""
        for block in self.blocks:
            port.fill(self.region, block.offset, block.count, value)


def memories(params: ArrayParams) -> Iterator[MemoryUnderTest]:
    """Yield all memories of an array, the weights first, and the registers that take any value."""
    for memory in memory_map(params).values():
        if memory.exists and memory.keeps:
            yield under_test(memory)
    yield _registers()


def _registers() -> MemoryUnderTest:
    blocks: list[Block] = []
    names: list[str] = []
    for register in (control(name) for name in _PATTERN_REGISTERS):
        blocks.append(Block(len(names), register.offset, register.words))
        names += [register.name] * register.words
    return MemoryUnderTest(
        Region.CTRL,
        tuple(blocks),
        np.full(len(names), 0xFFFF, dtype=np.uint16),
        lambda place: f"register {names[place]}",
        lambda words: words,
    )


def under_test(memory: Memory) -> MemoryUnderTest:
    """Return the words and masks of a memory."""
    return MemoryUnderTest(
        memory.region, tuple(memory.blocks(BLOCK)), memory.masks(), memory.where, memory.as_read
    )


def clear(port: Port) -> None:
    """Clear a stopped array: no synapses, no learning, step 0."""
    port.write(Region.CTRL, 0, settable_block({}))
    clear_memories(port)
