"""Rows and columns in the compiled loop: synaptic input, learning, and the increments of traces.

STDP with traces: Morrison, Diesmann and Gerstner 2008.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synloom_sim.fast import places
from synloom_sim.fast.compiled import compiled, inlined
from synloom_sim.fast.random_numbers import rounding_numbers
from synloom_sim.fast.state import Sizes, State, Work
from synloom_sim.fast.tables import Tables
from synloom_sim.fast.woven import read_column, read_row, write_column, write_row
from synloom_sim.model.random_numbers import ROUNDING_BITS

__all__ = ["column", "raised", "row"]

Int8s = npt.NDArray[np.int8]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]

_FRACTION: Final = np.int32((1 << ROUNDING_BITS) - 1)


@inlined
def row(sizes: Sizes, tables: Tables, state: State, work: Work, source: int, learns: bool) -> None:
    """Serve the row of a connected source."""
    segments, counted = tables.segments, state.counted
    weights, start = work.row, tables.sources[source, places.LIST]
    known, learned = work.changes_of[0] == start, False
    read_row(state.weights, state.steps, source, work.row_words)
    for k in range(start, len(segments)):
        segment = segments[k]
        lo, hi = segment[places.LO], min(segment[places.HI], sizes.neurons)
        counted[places.ROW_PASSES] += 1
        counted[places.CHUNK_COUNT] += segment[places.CHUNKS]
        hi = max(hi, lo)
        counted[places.ACC_SATURATIONS] += _accumulate(
            weights[lo:hi], state.acc[0, lo:hi], state.acc[1, lo:hi], segment[places.SHIFT], sizes
        )
        if learns and segment[places.PLASTIC]:
            _learn(sizes, state, work, segment, known, weights[lo:hi], state.y[lo:hi])
            learned = True
        if segment[places.LAST]:
            break
    if learned:
        write_row(state.weights, state.steps, source, work.row_words)
    work.changes_of[0] = start if learns else -1


@inlined
def column(sizes: Sizes, tables: Tables, state: State, work: Work, neuron: int) -> None:
    """Serve the column of a neuron that learns."""
    segments, counted = tables.segments, state.counted
    start = tables.targets[neuron, places.LIST]
    known = work.changes_of[0] == start
    for k in range(start, len(segments)):
        segment = segments[k]
        counted[places.COLUMN_PASSES] += 1
        counted[places.CHUNK_COUNT] += segment[places.CHUNKS]
        if segment[places.PLASTIC]:
            lo, hi = segment[places.LO], min(segment[places.HI], sizes.sources)
            hi = max(hi, lo)
            weights = work.column[lo:hi]
            read_column(state.weights, state.steps, neuron, lo, weights)
            _learn(sizes, state, work, segment, known, weights, state.x[lo:hi])
            write_column(state.weights, state.steps, neuron, lo, weights)
        if segment[places.LAST]:
            break
    work.changes_of[0] = start


@inlined
def raised(sizes: Sizes, state: State, trace: Int32s, place: int, one: int, nearest: int) -> None:
    """Raise a trace by a spike."""
    value = one if nearest else trace[place] + one
    if value > sizes.trace_max:
        state.counted[places.TRACE_SATURATIONS] += 1
        value = sizes.trace_max
    trace[place] = value


@compiled
def _accumulate(w: Int8s, excitatory: Int32s, inhibitory: Int32s, shift: int, sizes: Sizes) -> int:
    """Add the weights to the sums of their targets; return how many sums were clipped."""
    absent, limit = np.int32(sizes.weight_absent), np.int32(sizes.accumulator_max)
    places_left, clips = np.int32(shift), np.int32(0)
    for k in range(len(w)):
        charge = np.int32(0) if w[k] == absent else np.int32(w[k])
        up = np.int32(excitatory[k] + np.int32(max(charge, np.int32(0)) << places_left))
        down = np.int32(inhibitory[k] + np.int32(max(np.int32(-charge), np.int32(0)) << places_left))
        clips = np.int32(clips + np.int32(up > limit) + np.int32(down > limit))
        excitatory[k] = min(up, limit)
        inhibitory[k] = min(down, limit)
    return int(clips)


@inlined
def _learn(
    sizes: Sizes, state: State, work: Work, segment: Int32s, known: bool, w: Int8s, trace: Int32s
) -> None:
    """Update the weights of a segment, with its random numbers."""
    r, lo = work.half, segment[places.LO]
    if segment[places.GROUPS] > 0:
        first = segment[places.FIRST]
        rounding_numbers(work.rounding, segment[places.GROUPS], first + len(w), work.numbers)
        r = work.numbers[first:]
    gain, falls = int(segment[places.A]), segment[places.A_NEGATIVE] != 0
    if segment[places.REWARDED]:
        reward = state.control[places.REWARD]
        gain = min((gain * abs(reward)) >> 8, 0xFFFF)
        falls = falls != (reward < 0)
    if segment[places.SOFT]:
        state.counted[places.WEIGHT_CLIPS] += _update_soft(segment, w, trace, r, gain, falls, sizes)
    else:
        fraction, whole, sign = work.fraction[lo:], work.whole[lo:], work.sign[lo:]
        if not known:
            _changes(trace, segment[places.T0], gain, falls, sizes.trace_bits, fraction, whole, sign)
        state.counted[places.WEIGHT_CLIPS] += _update(
            w, fraction, whole, sign, r, segment[places.W_MIN], segment[places.W_MAX], sizes.weight_absent
        )


@compiled
def _changes(
    trace: Int32s,
    t0: int,
    gain: int,
    falls: bool,
    trace_bits: int,
    fraction: Int16s,
    whole: Int16s,
    sign: Int16s,
) -> None:
    """Write the changes that the pair rule with hard bounds makes at each position of a trace."""
    offset, amplitude, scale = np.int32(t0), np.uint32(gain), np.uint32(trace_bits - 4)
    # A change at `diff = 0` is 0, so its sign does not matter.
    flip = np.int32(-1 if falls else 0)
    for k in range(len(trace)):
        diff = np.int32(trace[k] - offset)
        # 32 bits hold the product of two numbers below 2**16.
        p = np.int32(np.uint32(amplitude * np.uint32(abs(diff))) >> scale)
        fraction[k] = np.int16(p & _FRACTION)
        whole[k] = np.int16(p >> ROUNDING_BITS)
        sign[k] = np.int16(np.int32(diff >> 31) ^ flip)


@compiled
def _update(
    w: Int8s, fraction: Int16s, whole: Int16s, sign: Int16s, r: Int16s, w_min: int, w_max: int, absent: int
) -> int:
    """Change weights, which 16 bits hold before they are clipped; return how many met a bound."""
    low, high, none, clips = np.int16(w_min), np.int16(w_max), np.int16(absent), np.int16(0)
    for k in range(len(w)):
        d = np.int16(np.int16(np.int16(fraction[k] + r[k]) >> ROUNDING_BITS) + whole[k])
        old = np.int16(w[k])
        exact = np.int16(old + np.int16(np.int16(d ^ sign[k]) - sign[k]))
        new = min(max(exact, low), high)
        present = old != none
        clips = np.int16(clips + np.int16(present and new != exact))
        w[k] = new if present else old
    return int(clips)


@compiled
def _update_soft(
    segment: Int32s, w: Int8s, trace: Int32s, r: Int16s, gain: int, falls: bool, sizes: Sizes
) -> int:
    """Update weights by the pair rule with soft bounds; return how many met a bound."""
    low, high = np.int32(segment[places.W_MIN]), np.int32(segment[places.W_MAX])
    t0, absent = np.int32(segment[places.T0]), np.int32(sizes.weight_absent)
    amplitude, scale = np.uint32(gain), np.uint32(sizes.trace_bits - 4)
    width, clips = np.int32(sizes.weight_bits - 1), np.int32(0)
    for k in range(len(w)):
        diff = np.int32(trace[k] - t0)
        p = np.int32(np.uint32(amplitude * np.uint32(abs(diff))) >> scale)
        old = np.int32(w[k])
        up = (diff > 0) != falls
        room = max(np.int32(high - old) if up else np.int32(old - low), np.int32(0))
        # p < 2**20 and room < 2**8: 32 bits hold the product.
        d = np.int32(np.int32(np.int32(np.int32(p * room) >> width) + r[k]) >> ROUNDING_BITS)
        exact = np.int32(old + d) if up else np.int32(old - d)
        new = min(max(exact, low), high)
        present = old != absent
        clips = np.int32(clips + np.int32(present and new != exact))
        w[k] = new if present else old
    return int(clips)
