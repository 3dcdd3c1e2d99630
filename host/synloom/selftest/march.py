"""The memory test: March C- (Marinescu 1982; van de Goor 1991, *Testing Semiconductor Memories*).

It finds stuck bits, bits that do not change in one direction, coupling between cells, and address faults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.array_port import Port, Words
from synloom.selftest.memories import MemoryUnderTest

__all__ = ["Marched", "march"]

_Element = tuple[bool, int | None, int | None]
"""Whether upwards; the pattern to read and the one to write: 0, 1 (its inverse) or None."""

_MARCH_C: Final[tuple[_Element, ...]] = (
    (True, None, 0),
    (True, 0, 1),
    (True, 1, 0),
    (False, 0, 1),
    (False, 1, 0),
    (True, 0, None),
)
_SHORT: Final[tuple[_Element, ...]] = ((True, None, 0), (True, 0, 1), (False, 1, None))


@dataclass(frozen=True, slots=True)
class Marched:
    """The result of a march test of one memory.

    Attributes
    ----------
    wrong_bits : (size,) uint16
        The bits of each word that were read wrong at least once.
    accesses : int
        Number of words read and written.
    """

    wrong_bits: Words
    accesses: int

    @property
    def wrong(self) -> npt.NDArray[np.int64]:
        """Places of the wrong words, ascending, (K,) int64."""
        return np.flatnonzero(self.wrong_bits)


def march(
    port: Port, memory: MemoryUnderTest, *, seed: int, quick: bool, report: Callable[[float], None]
) -> Marched:
    """Test one memory with March C-, or with a shorter march if `quick`.

    The background is pseudo-random by address instead of 0, so that neighbours differ and two addresses
    that share a cell are found. The contents of the memory are lost.

    Parameters
    ----------
    port : Port
        The array, stopped.
    memory : MemoryUnderTest
        The memory.
    seed : int
        Seed of the background.
    quick : bool
        Four accesses per word instead of ten.
    report : callable
        Called with the share done, 0 to 1.

    Returns
    -------
    Marched
        The wrong bits, and the number of accesses.
    """
    rng = np.random.default_rng([seed, memory.region])
    background = rng.integers(0, 1 << 16, memory.size, dtype=np.uint16)
    patterns = background & memory.masks, ~background & memory.masks
    expected = tuple(map(memory.as_read, patterns))
    wrong_bits = np.zeros(memory.size, dtype=np.uint16)
    elements = _SHORT if quick else _MARCH_C
    accesses, total = 0, memory.size * sum((e[1] is not None) + (e[2] is not None) for e in elements)
    for upwards, reads, writes in elements:
        for block in memory.blocks if upwards else reversed(memory.blocks):
            part = slice(block.place, block.place + block.count)
            if reads is not None:
                wrong_bits[part] |= memory.read(port, block) ^ expected[reads][part]
                accesses += block.count
            if writes is not None:
                memory.write(port, block, patterns[writes][part])
                accesses += block.count
            report(accesses / total)
    return Marched(wrong_bits, accesses)
