"""Regions as words: access by address to the memories and registers of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from synloom.contract.memory import Memory
from synloom.contract.memory_map import WEIGHT_LOW_BYTE

__all__ = ["Bank", "RecordBank", "StateBank", "WeightBank", "WheelBank"]

Words = npt.NDArray[np.uint16]
Int64s = npt.NDArray[np.int64]


class Bank:
    """A region of `size` offsets; by default, every access loads or stores all its words.

    Offsets that do not exist read as 0 and ignore writes.
    """

    def __init__(self, size: int):
        self.size = size

    def _load(self) -> Words:
        """Return all words, (size,) uint16, as a copy."""
        return np.zeros(self.size, dtype=np.uint16)

    def _store(self, words: Words, start: int, stop: int) -> None:
        """Store all words; those from `start` to `stop` (exclusive) were written."""

    def read(self, offset: int, count: int) -> Words:
        """Return `count` words from `offset` on, (count,) uint16."""
        found = self._load()[offset : offset + count]
        words = np.zeros(count, dtype=np.uint16)
        words[: len(found)] = found
        return words

    def write(self, offset: int, values: Words) -> None:
        """Write words from `offset` on, (n,) uint16."""
        stop = min(offset + len(values), self.size)
        if offset < stop:
            words = self._load()
            words[offset:stop] = values[: stop - offset]
            self._store(words, offset, stop)

    def word(self, offset: int) -> int:
        """Return one word."""
        return int(self.read(offset, 1)[0])


class RecordBank(Bank):
    """A memory that only the host writes.

    Parameters
    ----------
    memory : Memory
        The memory.
    on_write : callable
        Called after every write, to discard decoded tables.
    """

    def __init__(self, memory: Memory, on_write: Callable[[], None]):
        super().__init__(memory.size)
        self.words: Words = np.zeros(self.size, dtype=np.uint16)
        self._exists = memory.masks() != 0
        self._on_write = on_write

    def _load(self) -> Words:
        return self.words.copy()

    def _store(self, words: Words, start: int, stop: int) -> None:
        self.words[:] = np.where(self._exists, words, 0)
        self._on_write()


class WheelBank(Bank):
    """WHEEL: a bit for each slot and source id."""

    def __init__(self, memory: Memory, wheel: npt.NDArray[np.bool_]):
        super().__init__(memory.size)
        self._offsets = memory.offsets()
        self._wheel = wheel

    def _load(self) -> Words:
        words = np.zeros(self.size, dtype=np.uint16)
        words[self._offsets] = np.packbits(self._wheel, axis=1, bitorder="little").view("<u2").ravel()
        return words

    def _store(self, words: Words, start: int, stop: int) -> None:
        table = words[self._offsets].astype("<u2").reshape(len(self._wheel), -1)
        self._wheel[:] = np.unpackbits(table.view(np.uint8), axis=1, bitorder="little")


class StateBank(Bank):
    """A memory of state, with a NumPy array for each field of its records."""

    def __init__(self, memory: Memory, arrays: Mapping[str, Int64s]):
        super().__init__(memory.size)
        self._memory = memory
        self._arrays = {name: arrays[name] for name in memory.layout.fields}

    def _load(self) -> Words:
        return self._memory.pack(self._arrays)

    def _store(self, words: Words, start: int, stop: int) -> None:
        for name, values in self._memory.unpack(words).items():
            self._arrays[name][:] = values

    def word(self, offset: int) -> int:
        """Return one word."""
        # Probes read single words in every step; packing all records for each would be slow.
        word = 0
        if offset < self.size:
            (record,), k = self._memory.index(offset)
            for field in self._memory.layout.fields.values():
                if k in field.words:
                    bits = int(self._arrays[field.name][record]) & ((1 << field.width) - 1)
                    word |= bits << field.start >> 16 * k & 0xFFFF
        return word


class WeightBank(Bank):
    """WEIGHTS: one weight per word, two's complement in the low byte; rows are consecutive."""

    def __init__(self, memory: Memory, weights: npt.NDArray[np.int16] | npt.NDArray[np.int8]):
        super().__init__(memory.size)
        self._row = memory.offset(1, 0)
        self._neurons = weights.shape[1]
        self._weights = weights
        self._sign = -memory.layout["weight"].low

    def read(self, offset: int, count: int) -> Words:
        """Return `count` weights from `offset` on, (count,) uint16."""
        index, exists = self._indices(offset, count)
        words = np.zeros(count, dtype=np.uint16)
        places = np.divmod(index[exists], self._neurons)
        words[exists] = self._weights[places].astype(np.uint16) & WEIGHT_LOW_BYTE
        return words

    def write(self, offset: int, values: Words) -> None:
        """Write weights from `offset` on, (n,) uint16."""
        index, exists = self._indices(offset, len(values))
        low_bits = values[exists].astype(np.int16) & (2 * self._sign - 1)
        self._weights[np.divmod(index[exists], self._neurons)] = (low_bits ^ self._sign) - self._sign

    def _indices(self, offset: int, count: int) -> tuple[Int64s, npt.NDArray[np.bool_]]:
        """Return the flat indices of consecutive offsets, and which of them exist."""
        source, target = divmod(offset, self._row)
        # Offsets between the last neuron and the next row do not exist.
        missing = 0 if target < self._neurons else self._row - target
        start = source * self._neurons + target if not missing else (source + 1) * self._neurons
        index = np.arange(count, dtype=np.int64) - missing + start
        exists = (np.arange(count) >= missing) & (index < self._weights.size)
        return index, exists
