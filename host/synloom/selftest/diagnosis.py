"""Diagnosis of memory faults: stuck bits, and addresses that share a cell."""

from __future__ import annotations

from typing import Final

import numpy as np

from synloom.contract.array_port import Port
from synloom.contract.memory_map import memory_of
from synloom.selftest.march import Marched
from synloom.selftest.memories import MemoryUnderTest

__all__ = ["diagnose"]

_LOOKED_AT: Final = 3
_ALIASES_NAMED: Final = 3


def diagnose(port: Port, memory: MemoryUnderTest, marched: Marched) -> list[str]:
    """Return the faults of a memory that failed the march test, one line each.

    Examines the first few wrong elements: fills the memory with 0, writes ones to the element, and checks
    which of its bits are stuck and which other elements change.

    Parameters
    ----------
    port : Port
        The array, stopped.
    memory : MemoryUnderTest
        The memory; its contents are lost.
    marched : Marched
        Result of the march test.
    """
    places = marched.wrong.tolist()
    lines = [line for place in places[:_LOOKED_AT] for line in _element(port, memory, marched, place)]
    lines = list(dict.fromkeys(lines))
    if len(places) > _LOOKED_AT:
        bits = np.bitwise_or.reduce(marched.wrong_bits)
        lines.append(
            f"{len(places):,} of {memory.count:,} elements of {memory.region.name} are wrong: {_bits(bits)}"
        )
    return lines


def _element(port: Port, memory: MemoryUnderTest, marched: Marched, place: int) -> list[str]:
    mask = int(memory.masks[place])
    name = memory.where(place)
    memory.fill(port, 0)
    low = memory.read_all(port)
    _write_one(port, memory, place, mask)
    marked = memory.read_all(port)
    stuck_high = int(low[place]) & mask
    stuck_low = ~int(marked[place]) & mask
    others = [k for k in np.flatnonzero(marked != low).tolist() if k != place]
    lines = []
    if stuck_high:
        lines.append(f"{name}: {_bits(stuck_high)} stuck at 1")
    if stuck_low:
        lines.append(f"{name}: {_bits(stuck_low)} stuck at 0")
    if others:
        named = ", ".join(memory.where(k) for k in others[:_ALIASES_NAMED])
        more = f" and {len(others) - _ALIASES_NAMED:,} others" if len(others) > _ALIASES_NAMED else ""
        lines.append(f"{name}: a write also changes {named}{more} (addresses that share a cell)")
    if not lines:
        lines.append(f"{name}: {_bits(int(marched.wrong_bits[place]) & mask)} wrong, but not always")
    return lines


def _write_one(port: Port, memory: MemoryUnderTest, place: int, value: int) -> None:
    for block in memory.blocks:
        if block.place <= place < block.place + block.count:
            offset = memory_of(port.params, memory.region).advance(block.offset, place - block.place)
            port.write(memory.region, offset, np.array([value], dtype=np.uint16))


def _bits(bits: int) -> str:
    listed = [str(k) for k in range(16) if bits >> k & 1]
    return f"bit{'s' if len(listed) > 1 else ''} {', '.join(listed)}"
