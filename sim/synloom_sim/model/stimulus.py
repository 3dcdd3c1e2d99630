"""Spikes of sources: exact-time events, generators, and the delay wheel."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from synloom.contract.memory_map import PHASE
from synloom.contract.params import ArrayParams
from synloom.contract.records import EVENT_ADVANCE, EVENT_MAX_ADVANCE
from synloom_sim.model.random_numbers import GENERATOR_BITS, Jump, Numbers
from synloom_sim.model.state import ArrayState

__all__ = ["EventQueue", "Generators", "active_sources", "bernoulli", "schedule"]

_MASK32 = 0xFFFFFFFF
_ALWAYS = 0x7FFF
_REGULAR = 0x8000
_MANTISSA_BITS = 12
_MANTISSA = 0xFFF


class EventQueue:
    """The queue of event words, and the cursor: the step of the next events."""

    def __init__(self, params: ArrayParams):
        self._params = params
        self._words: deque[int] = deque()
        self._cursor = 0

    @property
    def room(self) -> int:
        """Number of free words."""
        return self._params.event_words - len(self._words)

    def reset(self, now: int) -> None:
        """Empty the queue, and set the cursor to step `now`."""
        self._words.clear()
        self._cursor = now

    def append(self, words: list[int]) -> bool:
        """Append words; return False, and append none, if they do not all fit."""
        if len(words) > self.room:
            return False
        self._words.extend(words)
        return True

    def is_beyond(self, t: int) -> bool:
        """Return whether the cursor is beyond step `t`, so that all its events have come."""
        return 0 < ((self._cursor - t) & _MASK32) < 1 << 31

    def deliver(self, t: int, state: ArrayState) -> None:
        """Process all words up to step `t`: its events enter the wheel; earlier ones are dropped."""
        slot = state.wheel[t % self._params.delay_slots]
        while self._words and not self.is_beyond(t):
            word = self._words.popleft()
            if word & EVENT_ADVANCE:
                self._cursor = (self._cursor + (word & EVENT_MAX_ADVANCE)) & _MASK32
            elif word >= self._params.inputs:
                state.counters.count("events_invalid", 1)
            elif self._cursor != t:
                state.counters.count("events_late", 1)
            elif slot[word]:
                state.counters.count("events_merged", 1)
            else:
                slot[word] = True


class Generators:
    """The generators of the inputs: Bernoulli spikes from random numbers, or regular ones from phases."""

    def __init__(self, params: ArrayParams):
        self._params = params
        self._numbers = Numbers.of(GENERATOR_BITS)

    def draw(self, rates: npt.NDArray[np.uint16], state: ArrayState) -> npt.NDArray[np.bool_]:
        """Take a step's numbers, advance the phases; return whether ids 0..16*GEN_WORDS-1 spike, bool."""
        registers = state.registers
        count = 16 * min(registers.gen_words, self._params.input_words)
        numbers = self._numbers.at([registers.gen_rng], 0, count)[0]
        registers.gen_rng = Jump.by(GENERATOR_BITS * count)(registers.gen_rng)

        words = rates[:count].astype(np.uint32)
        spikes = bernoulli(words, numbers)
        regular = np.flatnonzero(words & _REGULAR)
        if len(regular):
            spikes[regular] = self._advance(state, regular, words[regular])
        spikes[self._params.inputs :] = False
        return spikes

    def _advance(
        self, state: ArrayState, regular: npt.NDArray[np.int64], words: npt.NDArray[np.uint32]
    ) -> npt.NDArray[np.bool_]:
        """Advance the phases of the regular generators by a step; return which of them spike."""
        period, e = words & _MANTISSA, 7 - (words >> _MANTISSA_BITS & 7).astype(np.int64)
        phase = state.phase[regular]
        spikes = phase >= period
        every = 8 ** np.maximum(e - 3, 0)
        tick = 8 ** np.maximum(3 - e, 0) * ((state.registers.now + 1) % every == 0)
        state.phase[regular] = (phase - np.where(spikes, period, 0) + tick) & PHASE["phase"].high
        return spikes


def bernoulli(words: npt.NDArray[np.uint32], numbers: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Return which random generators spike, (..., n) bool, by their words (n,) and numbers (..., n)."""
    e = np.minimum(7 - (words >> _MANTISSA_BITS & 7), 6)
    zeros = (np.uint32(1) << 3 * e) - 1 << _MANTISSA_BITS
    below = (numbers & _MANTISSA) < (words & _MANTISSA)
    spikes: npt.NDArray[np.bool_] = below & (numbers & zeros == 0) | (words == _ALWAYS)
    return spikes


def active_sources(
    params: ArrayParams, state: ArrayState, generated: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Return the source ids that spike in step `now`, ascending, (A,) int64, and clear their slot.

    `generated` has the spikes of the generators, for the first ids.
    """
    slot = state.wheel[state.registers.now % params.delay_slots]
    slot[: len(generated)] |= generated
    active = np.flatnonzero(slot)
    slot[:] = False
    neuron = active - params.first_neuron_source
    return active[(active < params.inputs) | ((neuron >= 0) & (neuron < params.neurons))]


def schedule(
    params: ArrayParams, state: ArrayState, t: int, fired: npt.NDArray[np.int64], delay: npt.NDArray[np.int64]
) -> None:
    """Put the spikes of step `t` into the wheel; a delay of 0 discards a spike."""
    steps = delay[fired]
    sent = steps > 0
    slots = (t + steps[sent]) % params.delay_slots
    state.wheel[slots, params.first_neuron_source + fired[sent]] = True
