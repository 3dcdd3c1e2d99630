"""Random numbers in the compiled loop: the sequence of docs/numbers.md, made ahead in words of 32 bits.

A linear recurrence over GF(2) holds for all distances multiplied by a power of two, because squaring is
linear there (the Frobenius map): ``s[n + 64] = s[n] ^ s[n + 12] ^ s[n + 25] ^ s[n + 31]`` gives the same for
32 times these distances, that is for whole words. So 32 words follow at once from the 64 before them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from synloom_sim.fast.compiled import compiled
from synloom_sim.model.random_numbers import GENERATOR_BITS, GROUP, ROUNDING_BITS

__all__ = ["Sequence", "begin", "generator_numbers", "rounding_numbers", "sequence", "state_of_sequence"]

Int16s = npt.NDArray[np.int16]
Uint32s = npt.NDArray[np.uint32]

_WORD_BITS: Final = 32
_HISTORY: Final = 64
"""Words from which those that follow are made."""
_TAPS: Final = (64, 64 - 12, 64 - 25, 64 - 31)
"""How far back the words are whose xor is the next one."""
_AHEAD: Final = 2048
"""Words that are made at once: more than those of the longest pass or of all generators, with two more."""
_GROUP_WORDS: Final = ROUNDING_BITS * GROUP // _WORD_BITS
_GENERATOR_WORDS: Final = GENERATOR_BITS * GROUP // _WORD_BITS
_LOW_NUMBER: Final = (1 << GENERATOR_BITS) - 1


class Sequence(NamedTuple):
    """A part of the sequence, and the place that has been reached.

    Parameters
    ----------
    words : (_HISTORY + _AHEAD,) uint32
        The part.
    as_bytes : (4 * (_HISTORY + _AHEAD),) uint8
        The same memory.
    place : (1,) int64
        The word at which the state begins.
    """

    words: Uint32s
    as_bytes: npt.NDArray[np.uint8]
    place: npt.NDArray[np.int64]


def sequence() -> Sequence:
    """Return a sequence for `begin`."""
    words = np.zeros(_HISTORY + _AHEAD, dtype="<u4")
    return Sequence(words, words.view(np.uint8), np.zeros(1, dtype=np.int64))


@compiled
def state_of_sequence(sequence: Sequence) -> np.uint64:
    """Return the state: the next 64 bits, the first one lowest."""
    place = sequence.place[0]
    high = np.uint64(sequence.words[place + 1])
    return np.uint64(sequence.words[place]) | high << np.uint64(_WORD_BITS)


@compiled
def begin(sequence: Sequence, state: np.uint64) -> None:
    """Let the sequence go on from a state, if it does not do so already."""
    if state_of_sequence(sequence) == state:
        return
    for k in range(_HISTORY):
        sequence.words[k] = np.uint32(state & np.uint64(0xFFFFFFFF))
        fresh = state ^ state >> np.uint64(12) ^ state >> np.uint64(25) ^ state >> np.uint64(31)
        state = state >> np.uint64(_WORD_BITS) | fresh << np.uint64(_WORD_BITS)
    sequence.place[0] = 0
    _extend(sequence)


@compiled
def _extend(sequence: Sequence) -> None:
    """Make the words behind the history."""
    words = sequence.words
    for k in range(_HISTORY, _HISTORY + _AHEAD):
        words[k] = words[k - _TAPS[0]] ^ words[k - _TAPS[1]] ^ words[k - _TAPS[2]] ^ words[k - _TAPS[3]]


@compiled
def _ready(sequence: Sequence, count: int) -> int:
    """Make sure that `count` words and the state behind them are there; return the place of the first."""
    place, words = sequence.place[0], sequence.words
    if place + count + 2 > len(words):
        # All from the place on is made once more: a history is needed, and it is seldom.
        start = min(place, len(words) - _HISTORY)
        for k in range(_HISTORY):
            words[k] = words[start + k]
        _extend(sequence)
        place -= start
        sequence.place[0] = place
    return int(place)


@compiled
def rounding_numbers(sequence: Sequence, groups: int, count: int, numbers: Int16s) -> None:
    """Take some groups of numbers, and write the first `count` of them, rounded up to pairs."""
    needed = (count + GROUP - 1) // GROUP
    first = 4 * _ready(sequence, needed * _GROUP_WORDS)
    pairs = sequence.as_bytes[first : first + 3 * GROUP // 2 * needed]
    for k in range((count + 1) >> 1):
        low, middle, high = np.int16(pairs[3 * k]), np.int16(pairs[3 * k + 1]), np.int16(pairs[3 * k + 2])
        numbers[2 * k] = np.int16(low | np.int16(np.int16(middle & np.int16(15)) << 8))
        numbers[2 * k + 1] = np.int16(np.int16(middle >> 4) | np.int16(high << 4))
    left = groups * _GROUP_WORDS
    while left > 0:
        step = min(left, _AHEAD // 2)
        _ready(sequence, step)
        sequence.place[0] += step
        left -= step


@compiled
def generator_numbers(sequence: Sequence, numbers: Uint32s) -> None:
    """Take the numbers of 16 generators, and write them."""
    place = _ready(sequence, _GENERATOR_WORDS)
    words = sequence.words[place : place + _GENERATOR_WORDS + 1]
    numbers[0] = words[0] & np.uint32(_LOW_NUMBER)
    for k in range(1, GROUP):
        # A number begins two bits earlier in its word than the one before it.
        early = words[k - 1] >> np.uint32(_WORD_BITS - 2 * k)
        numbers[k] = (early | words[k] << np.uint32(2 * k)) & np.uint32(_LOW_NUMBER)
    sequence.place[0] = place + _GENERATOR_WORDS
