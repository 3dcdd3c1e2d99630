"""Rates of the generators: those that stay, and those of a stimulus that is being presented."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import IntArray
from synloom.contract.array_port import Port, Words
from synloom.contract.regions import Region

__all__ = ["GeneratorRates"]

_UNKNOWN = -1


class GeneratorRates:
    """The words of GEN_RATE: the network's or those of `set_rates`, and what the array holds now.

    Parameters
    ----------
    port : Port
        The array.
    words : (n,) uint16
        The words that were loaded.
    own : (n,) uint16, optional
        The words that were set last, if the array was loaded with others.

    Attributes
    ----------
    touched : bool
        Whether the array may hold other words than those that were set last.
    """

    def __init__(self, port: Port, words: Words, own: Words | None = None):
        self._port = port
        self._own: IntArray = (words if own is None else own).astype(np.int64)
        self._held: IntArray = words.astype(np.int64)
        self.touched = False

    @property
    def own(self) -> Words:
        """The words that were loaded or set last, (n,) uint16."""
        return self._own.astype(np.uint16)

    @property
    def held(self) -> Words:
        """The words that the array holds, (n,) uint16."""
        return self._held.astype(np.uint16)

    def set(self, first: int, words: Words) -> None:
        """Write words from an offset on; they stay until they are set again."""
        self.touched = True
        # What is cut short after this line is finished by the next run.
        self._own[first : first + len(words)] = words
        self.show(first, words)

    def show(self, first: int, words: Words) -> bool:
        """Write words from an offset on, until `restore`; return whether they were others."""
        part = slice(first, first + len(words))
        if np.array_equal(self._held[part], words):
            return False
        self.touched = True
        # A write that is cut short may have done anything.
        self._held[part] = _UNKNOWN
        self._port.write(Region.GEN_RATE, first, words)
        self._held[part] = words
        return True

    def restore(self, first: int, n: int) -> bool:
        """Write the `n` words again that were set last; return whether the array had others."""
        return self.show(first, self._own[first : first + n].astype(np.uint16))
