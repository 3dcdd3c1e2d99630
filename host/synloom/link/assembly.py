"""Assembly of record frames into the record stream: in order, without gaps, in whole records."""

from __future__ import annotations

from typing import Final

import numpy as np

from synloom.contract.array_port import Words
from synloom.contract.records import END_WORD, RecordKind

__all__ = ["RecordAssembly"]

_HALF: Final = 0x8000


class RecordAssembly:
    """Collects record frames and returns whole records.

    Words before the expected offset are dropped as duplicates; a frame beyond it reveals a gap.

    Attributes
    ----------
    gap : bool
        Whether a frame is missing, so that the array must rewind.
    """

    def __init__(self) -> None:
        self.gap = False
        self.start(0)

    def start(self, offset: int) -> None:
        """Drop everything and expect the word at `offset` next, which begins a record."""
        self._expected = offset
        self._taken = offset
        self._words = np.zeros(0, dtype=np.uint16)
        self._frames: list[Words] = []
        self.gap = False

    @property
    def taken(self) -> int:
        """Offset up to which `take` has returned all words (excluded), which may be acknowledged."""
        return self._taken

    def add(self, offset: int, data: bytes) -> None:
        """Add a frame: the words from `offset` (modulo 65536) on, two bytes each."""
        known = (self._expected - offset) & 0xFFFF
        if known >= _HALF:
            self.gap = True
            return
        words = np.frombuffer(data, dtype="<u2")[known:].astype(np.uint16)
        if len(words):
            self._frames.append(words)
            self._expected = (self._expected + len(words)) & 0xFFFF

    def take(self) -> Words:
        """Remove and return all whole records, (n,) uint16."""
        words = np.concatenate([self._words, *self._frames])
        self._frames = []
        end = _end_of_records(words)
        whole, self._words = words[:end], words[end:]
        self._taken = (self._taken + end) & 0xFFFF
        return whole


def _end_of_records(words: Words) -> int:
    heads = words.tolist()
    position = 0
    while position < len(heads):
        size = _record_size(heads[position])
        if position + size > len(heads):
            break
        position += size
    return position


def _record_size(head: int) -> int:
    if head == END_WORD:
        return 4
    argument = head & 0x3FFF
    match RecordKind(head >> 14):
        case RecordKind.TIME:
            return 1
        case RecordKind.PROBES:
            return 1 + 2 * argument
        case _:
            return 1 + argument
