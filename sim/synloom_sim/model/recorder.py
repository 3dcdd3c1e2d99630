"""The recorder: spikes and probes as words of the record stream (docs/protocol.md)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synloom.contract.params import ArrayParams
from synloom.contract.records import END_WORD, TIME_MAX, EndReason, RecordKind

__all__ = ["Recorder"]


class Recorder:
    """Writes the record stream.

    Parameters
    ----------
    params : ArrayParams
        Sizes; `record_words` is the depth of the buffer.
    """

    def __init__(self, params: ArrayParams):
        self._params = params
        self._time = 0
        self._words: list[int] = []

    @property
    def has_room(self) -> bool:
        """Whether the buffer has room for the records of one more step."""
        return len(self._words) + self._params.record_worst_case <= self._params.record_words

    @property
    def waiting(self) -> int:
        """Number of words in the buffer."""
        return len(self._words)

    def take(self) -> npt.NDArray[np.uint16]:
        """Return all words, (n,) uint16, and empty the buffer."""
        words = np.array(self._words, dtype=np.uint16)
        self._words.clear()
        return words

    def begin(self, now: int) -> None:
        """Start a run: its first step becomes the time of the stream."""
        self._time = now

    def spikes(self, t: int, fired: npt.NDArray[np.int64]) -> None:
        """Record the neurons that fired in step `t`: as a bitmap if it is not longer, else as a list."""
        count, words = len(fired), self._params.neuron_words
        if count >= words:
            bits = np.zeros(16 * words, dtype=bool)
            bits[fired] = True
            bitmap = np.packbits(bits, bitorder="little").view("<u2")
            self._record(t, RecordKind.BITMAP, words, bitmap.tolist())
        elif count:
            self._record(t, RecordKind.SPIKES, count, fired.tolist())

    def probes(self, t: int, values: list[int]) -> None:
        """Record the values of the probes after step `t`, two words each."""
        self._record(t, RecordKind.PROBES, len(values) // 2, values)

    def end_step(self, t: int) -> None:
        """Close step `t`; write a time word if the time without records reaches its largest value."""
        if (t + 1 - self._time) & 0xFFFFFFFF == TIME_MAX:
            self._advance(t + 1)

    def end(self, now: int, reason: EndReason) -> None:
        """Write the END record of a run that ends or pauses before step `now`."""
        self._words += [END_WORD, now & 0xFFFF, now >> 16, reason]
        self._time = now

    def _record(self, t: int, kind: RecordKind, argument: int, words: list[int]) -> None:
        if t != self._time:
            self._advance(t)
        self._words.append(kind << 14 | argument)
        self._words += words

    def _advance(self, t: int) -> None:
        self._words.append(RecordKind.TIME << 14 | (t - self._time) & 0xFFFFFFFF)
        self._time = t & 0xFFFFFFFF
