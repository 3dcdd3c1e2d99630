"""Record frames become a record stream again: in order, without gaps, cut between records."""

from __future__ import annotations

from typing import Final

import numpy as np

from synloom.contract.array_port import Words
from synloom.contract.records import END_WORD, RecordKind

__all__ = ["RecordAssembly"]

_HALF: Final = 0x8000


class RecordAssembly:
    """Collect record frames; words before the expected one are known, words behind it reveal a gap.

    Attributes
    ----------
    gap : bool
        A frame is missing: a rewind is due.
    """

    def __init__(self) -> None:
        self.gap = False
        self.start(0)

    def start(self, offset: int) -> None:
        """Forget everything; the next word expected is that of `offset`, and begins a record."""
        self._expected = offset
        self._taken = offset
        self._words = np.zeros(0, dtype=np.uint16)
        self._frames: list[Words] = []
        self.gap = False

    @property
    def taken(self) -> int:
        """Offset before which all words were returned by `take`: what may be acknowledged."""
        return self._taken

    def add(self, offset: int, data: bytes) -> None:
        """Add a frame: the words from `offset` (modulo 65536), two bytes each."""
        known = (self._expected - offset) & 0xFFFF
        if known >= _HALF:
            self.gap = True
            return
        words = np.frombuffer(data, dtype="<u2")[known:].astype(np.uint16)
        if len(words):
            self._frames.append(words)
            self._expected = (self._expected + len(words)) & 0xFFFF

    def take(self) -> Words:
        """Return the whole records that are there; (n,) uint16."""
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
