"""Regions as words: how each memory and register file of the model looks through an address."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from synloom.contract.layout import Layout, neuron_state_layout
from synloom.contract.params import ArrayParams
from synloom.contract.regions import NEURON_STATE_STRIDE, weight_offset
from synloom_sim.model.state import ArrayState

__all__ = ["Bank", "NumberBank", "RecordBank", "StateBank", "WeightBank", "WheelBank", "record_mask"]

Words = npt.NDArray[np.uint16]
Int64s = npt.NDArray[np.int64]


class Bank:
    """A region of `size` offsets, by default one whose words are loaded and stored all at once.

    Offsets that do not exist read as 0 and ignore writes.
    """

    def __init__(self, size: int):
        self.size = size

    def _load(self) -> Words:
        """Return all words, (size,) uint16, as a copy."""
        return np.zeros(self.size, dtype=np.uint16)

    def _store(self, words: Words, start: int, stop: int) -> None:
        """Take all words, of which those from `start` to `stop` (exclusive) were written."""

    def read(self, offset: int, count: int) -> Words:
        """Return `count` words from `offset` on."""
        found = self._load()[offset : offset + count]
        words = np.zeros(count, dtype=np.uint16)
        words[: len(found)] = found
        return words

    def write(self, offset: int, values: Words) -> None:
        """Write words from `offset` on."""
        stop = min(offset + len(values), self.size)
        if offset < stop:
            words = self._load()
            words[offset:stop] = values[: stop - offset]
            self._store(words, offset, stop)

    def word(self, offset: int) -> int:
        """Return one word."""
        return int(self.read(offset, 1)[0])


def record_mask(count: int, stride: int, words: int) -> npt.NDArray[np.bool_]:
    """Return which offsets of `count` records of `words` words exist, (count * stride,) bool."""
    return np.tile(np.arange(stride) < words, count)


class RecordBank(Bank):
    """A memory that only the host writes; `on_write` is called after every write.

    Parameters
    ----------
    exists : (size,) bool
        Which offsets there are.
    on_write : callable
        Forgets what was decoded from the words.
    """

    def __init__(self, exists: npt.NDArray[np.bool_], on_write: Callable[[], None]):
        super().__init__(len(exists))
        self.words: Words = np.zeros(self.size, dtype=np.uint16)
        self._exists = exists
        self._on_write = on_write

    def _load(self) -> Words:
        return self.words.copy()

    def _store(self, words: Words, start: int, stop: int) -> None:
        self.words[:] = np.where(self._exists, words, 0)
        self._on_write()


class NumberBank(Bank):
    """An array of unsigned numbers of the state, one a word, with the bits of `mask`."""

    def __init__(self, numbers: Int64s, mask: int):
        super().__init__(len(numbers))
        self._numbers = numbers
        self._mask = mask

    def _load(self) -> Words:
        return self._numbers.astype(np.uint16)

    def _store(self, words: Words, start: int, stop: int) -> None:
        self._numbers[start:stop] = words[start:stop] & self._mask

    def word(self, offset: int) -> int:
        """Return one word."""
        return int(self._numbers[offset]) if offset < self.size else 0


class WheelBank(Bank):
    """The delay wheel, a bit for each slot and source id."""

    def __init__(self, wheel: npt.NDArray[np.bool_]):
        super().__init__(len(wheel) << 8)
        self._wheel = wheel

    def _load(self) -> Words:
        slots, ids = self._wheel.shape
        words = np.zeros((slots, 256), dtype=np.uint16)
        words[:, : ids // 16] = np.packbits(self._wheel, axis=1, bitorder="little").view("<u2")
        return words.ravel()

    def _store(self, words: Words, start: int, stop: int) -> None:
        slots, ids = self._wheel.shape
        table = np.ascontiguousarray(words.reshape(slots, 256)[:, : ids // 16]).astype("<u2")
        self._wheel[:] = np.unpackbits(table.view(np.uint8), axis=1, bitorder="little")


class StateBank(Bank):
    """NEURON_STATE: the packed state of neurons."""

    def __init__(self, params: ArrayParams, state: ArrayState):
        super().__init__(NEURON_STATE_STRIDE * params.neurons)
        self._layout: Layout = neuron_state_layout(params)
        self._arrays: dict[str, Int64s] = {
            "v": state.v,
            "refr": state.refr,
            "ie": state.currents[0],
            "ii": state.currents[1],
            "theta": state.theta,
        }

    def _load(self) -> Words:
        words = np.zeros((self.size // NEURON_STATE_STRIDE, NEURON_STATE_STRIDE), dtype=np.uint16)
        fields = {name: self._arrays[name] for name in self._layout.fields}
        words[:, : self._layout.words] = self._layout.pack(fields)
        return words.ravel()

    def _store(self, words: Words, start: int, stop: int) -> None:
        for name, values in self._layout.unpack(words.reshape(-1, NEURON_STATE_STRIDE)).items():
            self._arrays[name][:] = values

    def word(self, offset: int) -> int:
        """Return one word."""
        # Probes read single words in every step: packing all neurons for one would be slow.
        neuron, k = divmod(offset, NEURON_STATE_STRIDE)
        word = 0
        if offset < self.size:
            for field in self._layout.fields.values():
                if field.start < 16 * (k + 1) and 16 * k < field.start + field.width:
                    bits = int(self._arrays[field.name][neuron]) & ((1 << field.width) - 1)
                    word |= bits << field.start >> 16 * k & 0xFFFF
        return word


class WeightBank(Bank):
    """WEIGHTS: one weight a word, two's complement in the low byte; rows follow one another."""

    def __init__(self, params: ArrayParams, weights: npt.NDArray[np.int16]):
        super().__init__(params.sources << 12)
        self._neurons = params.neurons
        self._weights = weights
        self._sign = 1 << (params.weight_bits - 1)

    def read(self, offset: int, count: int) -> Words:
        """Return `count` weights from `offset` on."""
        index, exists = self._indices(offset, count)
        words = np.zeros(count, dtype=np.uint16)
        words[exists] = self._weights.reshape(-1)[index[exists]] & 0xFF
        return words

    def write(self, offset: int, values: Words) -> None:
        """Write weights from `offset` on."""
        index, exists = self._indices(offset, len(values))
        low_bits = values[exists].astype(np.int16) & (2 * self._sign - 1)
        self._weights.reshape(-1)[index[exists]] = (low_bits ^ self._sign) - self._sign

    def _indices(self, offset: int, count: int) -> tuple[Int64s, npt.NDArray[np.bool_]]:
        """Return the flat indices of consecutive offsets, and which of them exist."""
        source, target = divmod(offset, weight_offset(1, 0))
        # Beyond the last neuron an offset does not exist, and the next row begins at the next 4096.
        missing = 0 if target < self._neurons else weight_offset(1, 0) - target
        start = source * self._neurons + target if not missing else (source + 1) * self._neurons
        index = np.arange(count, dtype=np.int64) - missing + start
        exists = (np.arange(count) >= missing) & (index < self._weights.size)
        return index, exists
