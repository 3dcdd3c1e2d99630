"""Spikes of sources in the compiled loop: exact-time events, generators, and the delay wheel."""

from __future__ import annotations

from typing import Final

from synloom.contract.memory_map import GENERATOR, PHASE
from synloom.contract.records import EVENT_ADVANCE, EVENT_MAX_ADVANCE, EVENT_SETTING, SETTING, SettingKind
from synloom_sim.fast import places
from synloom_sim.fast.compiled import inlined
from synloom_sim.fast.random_numbers import generator_numbers
from synloom_sim.fast.state import Sizes, State, Work
from synloom_sim.fast.tables import Tables

__all__ = ["active_sources", "deliver", "draw", "due_columns", "is_beyond", "schedule"]

_MASK32: Final = 0xFFFFFFFF
_MANTISSA: Final = GENERATOR["mantissa"].high
_PHASE: Final = PHASE["phase"].high
_KIND: Final = SETTING["kind"].start
_KINDS: Final = 1 << SETTING["kind"].width
_VALUES: Final = 1 << SETTING["value"].width
_MODE: Final = int(SettingKind.MODE)
_REWARD_LOW: Final = int(SettingKind.REWARD_LOW)
_REWARD_HIGH: Final = int(SettingKind.REWARD_HIGH)


@inlined
def is_beyond(state: State) -> bool:
    """Return whether the cursor of the events is beyond the next step."""
    ahead = (state.control[places.CURSOR] - state.control[places.NOW]) & _MASK32
    return bool(0 < ahead < 1 << 31)


@inlined
def deliver(sizes: Sizes, state: State) -> None:
    """Process all words of the queue up to the next step: its events act; earlier ones are dropped."""
    control, counted = state.control, state.counted
    now = control[places.NOW]
    slot = now & (sizes.delay_slots - 1)
    while control[places.WAITING_EVENTS] > 0 and not is_beyond(state):
        word = int(state.events[control[places.FIRST_EVENT]])
        control[places.FIRST_EVENT] += 1
        control[places.WAITING_EVENTS] -= 1
        if word & EVENT_ADVANCE:
            control[places.CURSOR] = (control[places.CURSOR] + (word & EVENT_MAX_ADVANCE)) & _MASK32
        elif not _is_valid(sizes, state, word):
            counted[places.EVENTS_INVALID] += 1
        elif control[places.CURSOR] != now:
            counted[places.EVENTS_LATE] += 1
        elif word & EVENT_SETTING:
            _set(state, word)
        elif word < sizes.inputs:
            counted[places.EVENTS_MERGED] += state.wheel[slot, word]
            state.wheel[slot, word] = 1
        else:
            counted[places.EVENTS_MERGED] += state.forced[word - sizes.first_neuron]
            state.forced[word - sizes.first_neuron] = 1


@inlined
def _is_valid(sizes: Sizes, state: State, word: int) -> bool:
    """Return whether there is such an input, neuron or setting."""
    if word < sizes.inputs:
        return True
    if not sizes.teaching:
        return False
    if word & EVENT_SETTING:
        kind = (word >> _KIND) & (_KINDS - 1)
        return kind in (_MODE, _REWARD_LOW, _REWARD_HIGH)
    used = min(state.control[places.SWEEP_COUNT], sizes.neurons)
    return bool(0 <= word - sizes.first_neuron < used)


@inlined
def _set(state: State, word: int) -> None:
    """Change a register as a setting says."""
    control = state.control
    kind, value = (word >> _KIND) & (_KINDS - 1), word & (_VALUES - 1)
    if kind == _MODE:
        change = value >> 4 & 3
        control[places.MODE] = control[places.MODE] & ~change | value & change
    elif kind == _REWARD_LOW:
        control[places.REWARD] = control[places.REWARD] & ~0xFF | value
    else:
        control[places.REWARD] = 256 * ((value ^ 0x80) - 0x80) + (control[places.REWARD] & 0xFF)


@inlined
def draw(sizes: Sizes, tables: Tables, state: State, work: Work) -> None:
    """Take a step's numbers of the generators, advance the phases, and put the spikes into the wheel."""
    words = min(state.control[places.GEN_WORDS], sizes.input_words)
    slot = state.wheel[state.control[places.NOW] & (sizes.delay_slots - 1)]
    below, zeros, numbers = tables.rates[0], tables.rates[1], work.generated
    for word in range(words):
        generator_numbers(work.generating, numbers)
        for k in range(min(16, sizes.inputs - 16 * word)):
            place, number = 16 * word + k, numbers[k]
            slot[place] |= ((number & _MANTISSA) < below[place]) & (number & zeros[place] == 0)
    for k in range(len(tables.regular)):
        channel, period, exponent = tables.regular[k]
        if channel < 0 or channel >= 16 * words:
            break
        phase = state.phase[channel]
        spikes = phase >= period
        every = 1 << 3 * max(exponent - 3, 0)
        tick = 1 << 3 * max(3 - exponent, 0) if (state.control[places.NOW] + 1) & (every - 1) == 0 else 0
        state.phase[channel] = (phase - (period if spikes else 0) + tick) & _PHASE
        if spikes and channel < sizes.inputs:
            slot[channel] = 1


@inlined
def active_sources(sizes: Sizes, tables: Tables, state: State, work: Work) -> int:
    """List the rows of the next step in their order, and clear their slot; return how many there are.

    The bits of the rows that follow later are set in the wheel.
    """
    now = state.control[places.NOW]
    slot = now & (sizes.delay_slots - 1)
    bits, words = state.wheel[slot], state.wheel_words[slot]
    served = 0
    for word in range(sizes.sources >> 3):
        if words[word]:
            for source in range(8 * word, 8 * word + 8):
                if bits[source] and tables.sources[source, places.EXISTS]:
                    served = _follow(sizes, tables, state, work, source, served)
            words[word] = 0
    return served


@inlined
def _follow(sizes: Sizes, tables: Tables, state: State, work: Work, source: int, served: int) -> int:
    """List a row and those that follow in the same step; return the length of the list."""
    while served < len(work.served):
        work.served[served] = source
        served += 1
        following, hop = tables.sources[source, places.CHAIN], tables.sources[source, places.HOP]
        if following < 0:
            break
        if hop:
            slot = (state.control[places.NOW] + hop) & (sizes.delay_slots - 1)
            state.wheel[slot, following] = 1
        if hop or following <= source:
            break
        source = following
    return served


@inlined
def schedule(sizes: Sizes, tables: Tables, state: State, work: Work, t: int) -> None:
    """Put the spikes of step `t` into the wheel, and their columns; a delay of 0 sends a spike nowhere."""
    for k in range(state.control[places.FIRED]):
        neuron = work.fired[k]
        delay, back = tables.targets[neuron, places.DELAY], tables.targets[neuron, places.BACK]
        if delay > 0:
            state.wheel[(t + delay) & (sizes.delay_slots - 1), sizes.first_neuron + neuron] = 1
        if sizes.dendritic_delays:
            state.wheel[(t + back) & (sizes.delay_slots - 1), sizes.sources + neuron] = 1


@inlined
def due_columns(sizes: Sizes, state: State, work: Work, t: int) -> int:
    """List the neurons whose columns are due in step `t`, and clear their bits; return how many there are."""
    if not sizes.dendritic_delays:
        for k in range(state.control[places.FIRED]):
            work.due[k] = work.fired[k]
        return int(state.control[places.FIRED])
    bits, due = state.wheel[t & (sizes.delay_slots - 1)], 0
    for neuron in range(16 * sizes.neuron_words):
        if bits[sizes.sources + neuron]:
            bits[sizes.sources + neuron] = 0
            if neuron < sizes.neurons:
                work.due[due] = neuron
                due += 1
    return due
