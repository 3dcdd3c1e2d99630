"""Spikes of sources: exact-time events, generators, and the delay wheel."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from synloom.contract.memory_map import PHASE
from synloom.contract.params import ArrayParams
from synloom.contract.records import EVENT_ADVANCE, EVENT_MAX_ADVANCE, EVENT_SETTING, SettingKind
from synloom_sim.model.program import SourceTable, TargetTable
from synloom_sim.model.random_numbers import GENERATOR_BITS, Jump, Numbers
from synloom_sim.model.registers import Registers
from synloom_sim.model.state import ArrayState

__all__ = [
    "EventQueue",
    "Generators",
    "active_sources",
    "bernoulli",
    "due_columns",
    "follow_chains",
    "schedule",
]

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
        """Process all words up to step `t`: its events act; earlier ones are dropped."""
        params, slot = self._params, state.wheel[t % self._params.delay_slots]
        while self._words and not self.is_beyond(t):
            word = self._words.popleft()
            neuron = word - params.first_neuron_source
            is_setting = bool(word & EVENT_SETTING)
            if word & EVENT_ADVANCE:
                self._cursor = (self._cursor + (word & EVENT_MAX_ADVANCE)) & _MASK32
            elif word >= params.inputs and not (
                params.teaching
                and (_is_known(word) if is_setting else 0 <= neuron < state.registers.sweep_count)
            ):
                state.counters.count("events_invalid", 1)
            elif self._cursor != t:
                state.counters.count("events_late", 1)
            elif is_setting:
                _set(state.registers, word)
            else:
                bits, place = (slot, word) if word < params.inputs else (state.forced, neuron)
                state.counters.count("events_merged", int(bits[place]))
                bits[place] = True


def _is_known(word: int) -> bool:
    """Return whether there is such a setting."""
    return word >> 12 & 3 in iter(SettingKind)


def _set(registers: Registers, word: int) -> None:
    """Change a register as a setting says."""
    kind, value = word >> 12 & 3, word & 0xFF
    if kind == SettingKind.MODE:
        change = value >> 4 & 3
        registers.mode = registers.mode & ~change | value & change
    else:
        low, high = registers.reward & 0xFF, registers.reward >> 8
        low, high = (value, high) if kind == SettingKind.REWARD_LOW else (low, (value ^ 0x80) - 0x80)
        registers.reward = high << 8 | low


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
    slot = state.wheel[state.registers.now % params.delay_slots, : params.sources]
    slot[: len(generated)] |= generated
    active = np.flatnonzero(slot)
    slot[:] = False
    exists = active < params.inputs
    for first, count in (
        (params.first_neuron_source, params.neurons),
        (params.first_axon_source, params.axons),
    ):
        exists |= (active >= first) & (active < first + count)
    return active[exists]


def follow_chains(
    params: ArrayParams, state: ArrayState, active: npt.NDArray[np.int64], sources: SourceTable
) -> list[npt.NDArray[np.int64]]:
    """Return the rows that are served in step `now` in their order, as ascending runs of ids.

    The bits of the rows that follow later are set in the wheel.
    """
    if not sources.chained[active].any():
        return [active]
    served: list[int] = []
    for first in active.tolist():
        row = first
        while True:
            served.append(row)
            if not sources.chained[row]:
                break
            following, hop = int(sources.next[row]), int(sources.hop[row])
            if hop:
                state.wheel[(state.registers.now + hop) % params.delay_slots, following] = True
            if hop or following <= row:
                break
            row = following
    order = np.array(served, dtype=np.int64)
    return np.split(order, np.flatnonzero(np.diff(order) <= 0) + 1)


def schedule(
    params: ArrayParams, state: ArrayState, t: int, fired: npt.NDArray[np.int64], targets: TargetTable
) -> None:
    """Put the spikes of step `t` into the wheel, and their columns; a delay of 0 sends a spike nowhere."""
    steps = targets.delay[fired]
    sent = steps > 0
    slots = (t + steps[sent]) % params.delay_slots
    state.wheel[slots, params.first_neuron_source + fired[sent]] = True
    if params.dendritic_delays:
        slots = (t + targets.back[fired]) % params.delay_slots
        state.wheel[slots, params.sources + fired] = True


def due_columns(
    params: ArrayParams, state: ArrayState, t: int, fired: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the neurons whose columns are due in step `t`, ascending, and clear their bits."""
    if not params.dendritic_delays:
        return fired
    bits = state.wheel[t % params.delay_slots, params.sources :]
    due = np.flatnonzero(bits)
    bits[:] = False
    return due
