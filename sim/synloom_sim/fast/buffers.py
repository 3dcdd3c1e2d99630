"""Events and records in arrays that the compiled loop reads and writes, behind the model's interfaces."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from synloom.contract.params import ArrayParams
from synloom_sim.fast import places
from synloom_sim.model.recorder import Recorder
from synloom_sim.model.stimulus import EventQueue

__all__ = ["EventWords", "FastRecorder", "RecordWords"]

Int64s = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint16]


class EventWords(EventQueue):
    """The queue of event words.

    Parameters
    ----------
    params : ArrayParams
        Its size.
    control : (CONTROL_WORDS,) int64
        Has the place of the first word, their number and the cursor.

    Attributes
    ----------
    words : (event_words,) uint16
        The queue.
    """

    def __init__(self, params: ArrayParams, control: Int64s):
        super().__init__(params)
        self.words: Words = np.zeros(params.event_words, dtype=np.uint16)
        self._control = control

    @property
    def room(self) -> int:
        """Number of free words."""
        return len(self.words) - int(self._control[places.WAITING_EVENTS])

    def reset(self, now: int) -> None:
        """Empty the queue, and set the cursor to step `now`."""
        self._control[[places.FIRST_EVENT, places.WAITING_EVENTS]] = 0
        self._control[places.CURSOR] = now

    def append(self, words: list[int]) -> bool:
        """Append words; return False, and append none, if they do not all fit."""
        if len(words) > self.room:
            return False
        control = self._control
        first, waiting = int(control[places.FIRST_EVENT]), int(control[places.WAITING_EVENTS])
        if first:
            self.words[:waiting] = self.words[first : first + waiting]
            control[places.FIRST_EVENT] = 0
        self.words[waiting : waiting + len(words)] = words
        control[places.WAITING_EVENTS] = waiting + len(words)
        return True


class RecordWords:
    """The words of the record buffer, which the loop and the recorder append to.

    Parameters
    ----------
    size : int
        Words that it has room for at first.
    control : (CONTROL_WORDS,) int64
        Has the number of words.

    Attributes
    ----------
    words : (some,) uint16
        The buffer; another array after it was too small.
    """

    def __init__(self, size: int, control: Int64s):
        self.words: Words = np.zeros(size, dtype=np.uint16)
        self._control = control

    def __len__(self) -> int:
        return int(self._control[places.RECORDED])

    def __iadd__(self, words: list[int]) -> RecordWords:
        count = len(self)
        self.reserve(len(words))
        self.words[count : count + len(words)] = words
        self._control[places.RECORDED] = count + len(words)
        return self

    def append(self, word: int) -> None:
        """Append one word."""
        self += [word & 0xFFFF]

    def reserve(self, more: int) -> int:
        """Make room for more words; return with how many words in it there is just enough."""
        if len(self) + more > len(self.words):
            self.words = np.concatenate([self.words, np.zeros(len(self.words) + more, dtype=np.uint16)])
        return len(self.words) - more

    def take(self) -> Words:
        """Return all words, (n,) uint16, and empty the buffer."""
        words = self.words[: len(self)].copy()
        self._control[places.RECORDED] = 0
        return words


class FastRecorder(Recorder):
    """The record stream, of which the loop writes most.

    Parameters
    ----------
    params : ArrayParams
        Sizes.
    control : (CONTROL_WORDS,) int64
        Has the number of words and the time of the stream.
    """

    def __init__(self, params: ArrayParams, control: Int64s):
        self._control = control
        super().__init__(params)
        self.buffer = RecordWords(params.record_words, control)
        self._words = cast(Any, self.buffer)

    @property
    def _time(self) -> int:
        return int(self._control[places.RECORD_TIME])

    @_time.setter
    def _time(self, time: int) -> None:
        self._control[places.RECORD_TIME] = time

    def take(self) -> Words:
        """Return all words, (n,) uint16, and empty the buffer."""
        return self.buffer.take()
