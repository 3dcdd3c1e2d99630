"""Assembly of record frames into the record stream: in order, without gaps, in whole records."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from synloom.contract.array_port import Handed, Words
from synloom.contract.records import END_WORD, RecordKind

__all__ = ["RecordAssembly"]

_HALF: Final = 0x8000
_MOST: Final = 0x8000
"""Most words that any array holds until they are acknowledged; none sends more before that."""


class _State(NamedTuple):
    """All that an assembly knows; replaced as a whole, so that no interruption leaves a part of it."""

    taken: int
    expected: int
    words: tuple[Words, ...]
    handed: Handed


class RecordAssembly:
    """Collects record frames and returns whole records.

    Words before the expected offset are dropped as duplicates; a frame beyond it reveals a gap.

    Attributes
    ----------
    gap : bool
        Whether a frame is missing, so that the array must rewind.
    frames : int
        Frames with new words so far.
    """

    def __init__(self) -> None:
        self.gap = False
        self.frames = 0
        nothing = np.zeros(0, dtype=np.uint16)
        self._state = _State(0, 0, (nothing,), Handed(0, nothing))

    def start(self, offset: int) -> None:
        """Drop everything and expect the word at `offset` next, which begins a record."""
        self.gap = False
        self._state = _State(offset, offset, (np.zeros(0, dtype=np.uint16),), self._state.handed)

    @property
    def handed(self) -> Handed:
        """What `take` has returned since the beginning."""
        return self._state.handed

    @property
    def taken(self) -> int:
        """Offset up to which `take` has returned all words (excluded), which may be acknowledged."""
        return self._state.taken

    def add(self, offset: int, data: bytes) -> None:
        """Add a frame: the words from `offset` (modulo 65536) on, two bytes each."""
        state = self._state
        known = (state.expected - offset) & 0xFFFF
        if known >= _HALF:
            self.gap = True
            return
        words = np.frombuffer(data, dtype="<u2")[known:].astype(np.uint16)
        if (state.expected + len(words) - state.taken) & 0xFFFF > _MOST:
            return
        if len(words):
            expected = (state.expected + len(words)) & 0xFFFF
            self._state = state._replace(expected=expected, words=(*state.words, words))
            self.frames += 1

    def take(self) -> Words:
        """Remove and return all whole records, (n,) uint16."""
        state = self._state
        words = np.concatenate(state.words)
        end = _end_of_records(words)
        handed = Handed(state.handed.end + end, words[:end])
        self._state = _State((state.taken + end) & 0xFFFF, state.expected, (words[end:],), handed)
        return handed.words


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
