"""Contents of an array as fields: what a port must write so that it holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy.typing as npt

from synloom.contract.memory import Write
from synloom.contract.memory_map import memory_map
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import settable_block

__all__ = ["Contents"]


@dataclass(frozen=True, eq=False)
class Contents:
    """Records of the memories, and the registers.

    Attributes
    ----------
    params : ArrayParams
        The array that they are for.
    memories : mapping of Region to mapping of str to (n,) int
        One array for each field of a memory's records, from the first record on; memories that the array
        lacks are left out.
    registers : mapping of str to int
        CTRL registers; the others are as after power-up.
    """

    params: ArrayParams
    memories: Mapping[Region, Mapping[str, npt.ArrayLike]]
    registers: Mapping[str, int]

    def writes(self) -> Iterator[Write]:
        """Yield what a port's `write` takes, the registers last."""
        for memory in memory_map(self.params).values():
            if memory.region in self.memories and memory.exists:
                words = memory.pack(self.memories[memory.region])
                for block in memory.blocks(max(1, len(words))):
                    part = words[block.place : block.place + block.count]
                    if len(part):
                        yield memory.region, block.offset, part
        yield Region.CTRL, 0, settable_block(self.registers)
