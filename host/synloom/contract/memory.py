"""One memory of the array: its records, where they lie, and how values become words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synloom.base.errors import ParameterError
from synloom.contract.layout import Layout
from synloom.contract.regions import OFFSETS, Region

__all__ = ["Block", "Memory", "Write"]

Words = npt.NDArray[np.uint16]
Write = tuple[Region, int, Words]
"""What a port's `write` takes: the region, the first offset and the words from there on."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive words: the place of the first among all words of a memory, its offset, how many."""

    place: int
    offset: int
    count: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Memory:
    """One region of an array: records of one layout, in one or two dimensions.

    Parameters
    ----------
    region : Region
    doc : str
        What it holds, for the documentation's tables.
    layout : Layout
        The fields of a record.
    shape : tuple of int
        Number of records along each axis.
    strides : tuple of int
        Offsets from a record to the next along each axis.
    axes : tuple of str
        What each axis counts.
    item : str
        A record in words, with the axes' names in braces.
    names : mapping of str to tuple of str
        For an axis, the name of each index; an axis without names shows numbers.
    exists : bool
        Whether this array has it; a region that does not exist reads 0 and ignores writes.
    feature : str, optional
        The field of ArrayParams that decides that.
    dynamic : bool
        The steps of a run change it.
    cleared : bool
        A reset of the dynamics sets it to 0.
    setting : bool
        It is part of an image.
    byte_wide : bool
        A word is one byte on the line instead of two.
    keeps : bool
        What the host writes is what it reads back.
    empty : int or None
        The word that a load fills it with first; None for registers, which are written one by one.
    continues : bool
        What is read or written beyond the end of a row goes on in the next row (docs/protocol.md).
    """

    region: Region
    doc: str
    layout: Layout
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    axes: tuple[str, ...]
    item: str
    names: Mapping[str, tuple[str, ...]]
    exists: bool = True
    feature: str | None = None
    dynamic: bool = False
    cleared: bool = False
    setting: bool = False
    byte_wide: bool = False
    keeps: bool = True
    empty: int | None = 0
    continues: bool = False

    # ---- where things are ----------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Offsets of the region; beyond it there is nothing."""
        return self.shape[0] * self.strides[0]

    @property
    def count(self) -> int:
        """Number of records."""
        return math.prod(self.shape)

    @property
    def places(self) -> int:
        """Number of words that `blocks` visits: all records with what pads them."""
        return self.count * self.strides[-1]

    def offset(self, *index: int, field: str | None = None) -> int:
        """Return the offset of a record, or of the first word of one of its fields."""
        first = sum(i * stride for i, stride in zip(index, self.strides, strict=True))
        return first if field is None else first + self.layout[field].words[0]

    def offsets(self) -> npt.NDArray[np.int64]:
        """Return the offset of every record, (count,) int64, in the order in which values are given."""
        total = np.zeros(1, dtype=np.int64)
        for size, stride in zip(self.shape, self.strides, strict=True):
            total = (total[:, None] + stride * np.arange(size)).reshape(-1)
        return total

    def span(self, first: int = 0, count: int | None = None) -> tuple[Region, int, int]:
        """Return what a port's `read` takes for consecutive records of a memory without gaps."""
        count = self.count - first if count is None else count
        return self.region, self._offset_of(first * self.strides[-1]), count * self.strides[-1]

    def extent(self) -> tuple[Region, int, int]:
        """Return (region, first offset, number of words) of an access to all of it, gaps included."""
        return self.region, 0, self.places if self.continues else self.size

    def advance(self, offset: int, count: int) -> int:
        """Return the offset that an access reaches `count` words after `offset`."""
        if not self.continues:
            return offset + count
        row, column = divmod(offset, self.strides[0])
        if column >= self._row:
            # Places that do not exist are passed over one by one, up to the next row.
            if count < self.strides[0] - column:
                return offset + count
            count -= self.strides[0] - column
            row, column = row + 1, 0
        rows, column = divmod(column + count, self._row)
        return (row + rows) * self.strides[0] + column

    def pieces(self, offset: int, count: int, most: int) -> Iterator[Block]:
        """Cut an access into pieces of at most `most` words.

        Raises
        ------
        ParameterError
            If an offset or the count is out of range.
        """
        if count < 0:
            raise ParameterError(f"count must be at least 0, not {count}")
        if not 0 <= offset < OFFSETS or self.advance(offset, count) > OFFSETS:
            raise ParameterError(
                f"offsets of {self.region.name} must be in 0..{OFFSETS - 1}; {count} from {offset} are not"
            )
        for place in range(0, count, most):
            yield Block(place, self.advance(offset, place), min(most, count - place))

    def blocks(self, most: int) -> Iterator[Block]:
        """Cut the whole memory into accesses of at most `most` words."""
        run = self.places if self.continues else self._row
        for first in range(0, self.places, run):
            for block in self.pieces(self._offset_of(first), run, most):
                yield Block(first + block.place, block.offset, block.count)

    def index(self, place: int) -> tuple[tuple[int, ...], int]:
        """Return which record the word at a place belongs to, and which word of it that is."""
        record, word = divmod(place, self.strides[-1])
        return tuple(int(i) for i in np.unravel_index(record, self.shape)), word

    def where(self, place: int) -> str:
        """Say in words what the word at a place is."""
        index, word = self.index(place)
        names = {
            axis: self.names[axis][i] if axis in self.names else i
            for axis, i in zip(self.axes, index, strict=True)
        }
        item = self.item.format(**names)
        if self.layout.words == 1:
            return item
        inside = [f.name for f in self.layout.fields.values() if word in f.words]
        return f"word {word} ({', '.join(inside)}) of {item}"

    # ---- values --------------------------------------------------------------------------------

    def pack(self, values: Mapping[str, npt.ArrayLike]) -> Words:
        """Return the words of consecutive records, (n * stride,) uint16, from one array per field.

        Raises
        ------
        ParameterError
            If a name is unknown or a value does not fit its field.
        """
        return self.spread(self.layout.pack(values))

    def unpack(self, words: npt.ArrayLike) -> dict[str, npt.NDArray[np.int64]]:
        """Return one (n,) int64 array per field from the words of consecutive records."""
        return self.layout.unpack(np.asarray(words).reshape(-1, self.strides[-1]))

    def spread(self, words: Words) -> Words:
        """Return packed records (n, words) as they lie in the memory, (n * stride,) uint16."""
        padded = np.zeros((len(words), self.strides[-1]), dtype=np.uint16)
        padded[:, : words.shape[1]] = words
        return padded.reshape(-1)

    def write(self, values: Mapping[str, npt.ArrayLike], first: int = 0) -> Write:
        """Return what a port's `write` takes for consecutive records from `first` on."""
        return self.region, self._offset_of(first * self.strides[-1]), self.pack(values)

    def as_read(self, words: Words) -> Words:
        """Return how words that were written look when they are read back."""
        (field, *others) = self.layout.fields.values()
        if not field.kept or others:
            return words
        sign = 1 << (field.kept - 1)
        value = ((words.astype(np.int64) & (2 * sign - 1)) ^ sign) - sign
        return (value & ((1 << field.width) - 1)).astype(np.uint16)

    def masks(self) -> Words:
        """Return which bits the word at each place has, (places,) uint16."""
        record = np.zeros(self.strides[-1], dtype=np.uint16)
        record[: self.layout.words] = self.layout.masks()
        return np.tile(record, self.count)

    # ---- inside --------------------------------------------------------------------------------

    @property
    def _row(self) -> int:
        """Words of a row."""
        return self.shape[-1] * self.strides[-1]

    def _offset_of(self, place: int) -> int:
        row, rest = divmod(place, self._row)
        return row * self.strides[0] + rest if len(self.shape) > 1 else place
