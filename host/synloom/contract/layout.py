"""Bit fields packed into 16-bit words: the number formats of every memory that the host sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synloom.base.errors import ParameterError

__all__ = ["Field", "Layout"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    Parameters
    ----------
    name : str
        Its name; fields called "reserved" mean nothing.
    width : int
        Bits.
    signed : bool
        Two's complement.
    doc : str
        What it means, for the documentation's tables.
    kept : int
        Low bits that the memory keeps; what is read back is extended from them. 0: all of them.
    default : int
        The value of records that do not give one.
    start : int
        First bit, once placed.
    """

    name: str
    width: int
    signed: bool = False
    doc: str = ""
    kept: int = 0
    default: int = 0
    start: int = -1

    @property
    def low(self) -> int:
        """Smallest value."""
        return -(1 << ((self.kept or self.width) - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest value."""
        return (1 << ((self.kept or self.width) - self.signed)) - 1

    @property
    def words(self) -> range:
        """The words of the record that it touches."""
        return range(self.start // 16, (self.start + self.width - 1) // 16 + 1)

    def encode(self, value: Int64s) -> Int64s:
        """Return integers that have the field's bits from `start` modulo 16 on; values must be in range."""
        return (value & ((1 << self.width) - 1)) << (self.start % 16)

    def decode(self, raw: npt.ArrayLike) -> Int64s:
        """Return the values of a field from integers that have its bits from `start` modulo 16 on."""
        value = (np.asarray(raw).astype(np.int64) >> (self.start % 16)) & ((1 << self.width) - 1)
        return value - ((value >> (self.width - 1)) << self.width) if self.signed else value


class Layout:
    """A record of bit fields in 16-bit words, least significant word first.

    Fields follow one another; one that would touch more than two words starts at a new word, so
    that a probe of two consecutive words always sees a whole field.

    Parameters
    ----------
    name : str
        What the record describes, for error messages.
    fields : Field
        The fields in order, unplaced.
    """

    def __init__(self, name: str, *fields: Field):
        self.name = name
        placed: dict[str, Field] = {}
        bit = 0
        for field in fields:
            if (bit + field.width - 1) // 16 > bit // 16 + 1:
                bit = 16 * -(-bit // 16)
            placed[field.name] = replace(field, start=bit)
            bit += field.width
        self.fields = placed
        self.words = -(-bit // 16)

    def __getitem__(self, name: str) -> Field:
        return self.fields[name]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def pack(self, values: Mapping[str, npt.ArrayLike]) -> npt.NDArray[np.uint16]:
        """Pack arrays of equal length, one per field (absent ones: its default), into (n, words) uint16.

        Raises
        ------
        ParameterError
            If a name is unknown or a value does not fit its field; nothing is truncated.
        """
        unknown = sorted(set(values) - set(self.fields))
        if unknown:
            raise ParameterError(f"{self.name} has no field {unknown[0]!r}; it has {', '.join(self.fields)}")
        others = {name: field.default for name, field in self.fields.items() if field.default}
        arrays = {
            name: np.atleast_1d(np.asarray(v, dtype=np.int64)) for name, v in (others | dict(values)).items()
        }
        length = max((len(a) for a in arrays.values()), default=0)
        words = np.zeros((length, self.words), dtype=np.int64)
        for name, array in arrays.items():
            field = self.fields[name]
            if len(array) and not (field.low <= array.min() and array.max() <= field.high):
                value = array[int(np.argmax((array < field.low) | (array > field.high)))]
                raise ParameterError(f"{self.name}.{name} must be in {field.low}..{field.high}, not {value}")
            # No field touches more than two words.
            spread = field.encode(array)
            for k, word in enumerate(field.words):
                words[:, word] |= spread >> 16 * k & 0xFFFF
        return words.astype(np.uint16)

    def unpack(self, words: npt.ArrayLike) -> dict[str, Int64s]:
        """Unpack (n, words) uint16 into one int64 array of length n per field."""
        table = np.atleast_2d(np.asarray(words, dtype=np.uint16)).astype(np.int64)
        if table.shape[1] < self.words:
            raise ParameterError(f"{self.name} has {self.words} words, not {table.shape[1]}")
        return {
            name: field.decode(sum(table[:, word] << (16 * k) for k, word in enumerate(field.words)))
            for name, field in self.fields.items()
        }

    def masks(self) -> npt.NDArray[np.uint16]:
        """Return the bits of each word that a field keeps, (words,) uint16."""
        masks = np.zeros(self.words, dtype=np.uint16)
        for field in self.fields.values():
            if field.name == "reserved":
                continue
            bits = ((1 << (field.kept or field.width)) - 1) << (field.start % 16)
            for k, word in enumerate(field.words):
                masks[word] |= bits >> 16 * k & 0xFFFF
        return masks
