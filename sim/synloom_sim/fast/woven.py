"""Weights in words of eight neurons, laid out so that what a network does with them is quick.

Without learning only rows are read, so the words of a row follow each other. With learning the words are
woven: those of a column follow each other, in one plane for eight neurons, and a row takes one word of each
plane. In a plain matrix a column would touch a line of the cache for each synapse.
"""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from synloom_sim.fast.compiled import compiled

__all__ = ["WovenWeights", "read_column", "read_row", "weight_at", "write_column", "write_row"]

Int8s = npt.NDArray[np.int8]
Int64s = npt.NDArray[np.int64]
Uint64s = npt.NDArray[np.uint64]

_WORD: Final = 8
"""Weights of a word."""
_LINE: Final = 64 // _WORD
"""Words of a cache line."""
_BYTE: Final = np.uint64(0xFF)
_PLANE: Final = 0
_SOURCE: Final = 1


class WovenWeights:
    """Weights that are read and written like a matrix, (S, N) int8.

    Parameters
    ----------
    sources, neurons : int
        S and N.

    Attributes
    ----------
    words : (some,) uint64
        The memory.
    steps : (2,) int64
        Words from a plane of eight neurons to the next, and from a source to the next.
    shape : (int, int)
    size : int
        As of a matrix.
    """

    def __init__(self, sources: int, neurons: int):
        self.shape = sources, neurons
        self.size = sources * neurons
        # An odd number of cache lines: the words of a row then lie in all sets of the cache, and not in a few
        # that it soon fills.
        self._woven = _LINE * (-(-sources // _LINE) | 1), 1
        self._plain = 1, -(-neurons // _WORD)
        self.words: Uint64s = np.zeros(self._plain[_SOURCE] * self._woven[_PLANE], dtype="<u8")
        self.steps: Int64s = np.array(self._plain)
        self._bytes = self.words.view(np.int8)

    def weave(self, learns: bool) -> None:
        """Lay the weights out for a network that learns, or for one that does not."""
        steps = self._woven if learns else self._plain
        if tuple(self.steps) != steps:
            everything = np.ogrid[: self.shape[0], : self.shape[1]]
            weights = self[everything[0], everything[1]].copy()
            self.steps[:] = steps
            self[everything[0], everything[1]] = weights

    def __getitem__(self, places: tuple[Any, Any]) -> Int8s:
        """Return the weights at some sources and neurons, which are broadcast against each other."""
        return cast(Int8s, self._bytes[self._places(*places)])

    def __setitem__(self, places: tuple[Any, Any], values: npt.ArrayLike) -> None:
        self._bytes[self._places(*places)] = values

    def _places(self, source: Any, neuron: Any) -> Any:
        word = neuron // _WORD * self.steps[_PLANE] + source * self.steps[_SOURCE]
        return _WORD * word + neuron % _WORD


@compiled
def read_row(words: Uint64s, steps: Int64s, source: int, row: Uint64s) -> None:
    """Copy the row of a source, eight weights to a word."""
    first, step = source * steps[_SOURCE], steps[_PLANE]
    if step == 1:
        plain = words[first : first + len(row)]
        for plane in range(len(row)):
            row[plane] = plain[plane]
        return
    for plane in range(len(row)):
        row[plane] = words[first + plane * step]


@compiled
def write_row(words: Uint64s, steps: Int64s, source: int, row: Uint64s) -> None:
    """Write the row of a source."""
    first, step = source * steps[_SOURCE], steps[_PLANE]
    for plane in range(len(row)):
        words[first + plane * step] = row[plane]


@compiled
def read_column(words: Uint64s, steps: Int64s, neuron: int, lo: int, column: Int8s) -> None:
    """Copy the part of a neuron's column that begins at source `lo`."""
    step, shift = steps[_SOURCE], np.uint64(8 * (neuron & 7))
    first = (neuron >> 3) * steps[_PLANE] + lo * step
    if step == 1:
        plane = words[first : first + len(column)]
        for k in range(len(column)):
            column[k] = np.int8(plane[k] >> shift)
        return
    for k in range(len(column)):
        column[k] = np.int8(words[first + k * step] >> shift)


@compiled
def write_column(words: Uint64s, steps: Int64s, neuron: int, lo: int, column: Int8s) -> None:
    """Write the part of a neuron's column that begins at source `lo`."""
    step, shift = steps[_SOURCE], np.uint64(8 * (neuron & 7))
    first, others = (neuron >> 3) * steps[_PLANE] + lo * step, ~(_BYTE << shift)
    if step == 1:
        plane = words[first : first + len(column)]
        for k in range(len(column)):
            plane[k] = plane[k] & others | np.uint64(np.uint8(column[k])) << shift
        return
    for k in range(len(column)):
        place = first + k * step
        words[place] = words[place] & others | np.uint64(np.uint8(column[k])) << shift


@compiled
def weight_at(words: Uint64s, steps: Int64s, source: int, neuron: int) -> int:
    """Return one weight."""
    word = words[(neuron >> 3) * steps[_PLANE] + source * steps[_SOURCE]]
    return int(np.int8(word >> np.uint64(8 * (neuron & 7))))
