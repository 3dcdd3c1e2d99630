"""Probes: where the words are that the loop records after a step."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.memory import Memory
from synloom.contract.memory_map import memory_map
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom_sim.fast.compiled import compiled
from synloom_sim.fast.state import State
from synloom_sim.fast.woven import weight_at

__all__ = ["SLOW", "probed", "probes_of"]

Int32s = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint16]

_PARTS: Final = 4
"""Most fields that share a word."""

SLOW: Final = -2
"""A word that the loop cannot read, of a register or the wheel."""
_END: Final = -1
_V: Final = 0
_REFR: Final = 1
_IE: Final = 2
_II: Final = 3
_THETA: Final = 4
_X: Final = 5
_Y: Final = 6
_COUNT: Final = 7
_PHASE: Final = 8
_WEIGHT: Final = 9
_NEURON_BITS: Final = 16
"""Of the index of a weight; the source is above them."""
_KINDS: Final = {
    (Region.NEURON_STATE, "v"): _V,
    (Region.NEURON_STATE, "refr"): _REFR,
    (Region.NEURON_STATE, "ie"): _IE,
    (Region.NEURON_STATE, "ii"): _II,
    (Region.NEURON_STATE, "theta"): _THETA,
    (Region.X_TRACE, "trace"): _X,
    (Region.Y_TRACE, "trace"): _Y,
    (Region.SPIKE_COUNTS, "count"): _COUNT,
    (Region.GEN_PHASE, "phase"): _PHASE,
    (Region.WEIGHTS, "weight"): _WEIGHT,
}
"""The arrays of the state, by region and field."""


def probes_of(params: ArrayParams, words: Words) -> Int32s:
    """Decode PROBES: (probes, 2, parts, 4) int32.

    A part of a low or high word is a field's array, index, mask and left shift; an array of -1 ends a word.
    A probe whose first array is `SLOW` is left to the caller of the loop.
    """
    memories = {int(region): memory for region, memory in memory_map(params).items()}
    fields = memories[Region.PROBES].unpack(words)
    probes = np.full((params.probes, 2, _PARTS, 4), _END, dtype=np.int32)
    for k, probe in enumerate(probes):
        memory = memories.get(int(fields["region"][k]))
        if memory is None or not memory.exists:
            continue
        offset = int(fields["offset"][k])
        low = _parts(memory, offset)
        high = _parts(memory, memory.advance(offset, 1)) if fields["wide"][k] else []
        if low is None or high is None:
            probe[0, 0, 0] = SLOW
            continue
        for word, parts in zip(probe, (low, high), strict=True):
            for part, values in zip(word, parts, strict=False):
                part[:] = values
    return probes


def _parts(memory: Memory, offset: int) -> list[tuple[int, int, int, int]] | None:
    """Return the parts of a word; None if the loop cannot read it."""
    if memory.region not in {region for region, _ in _KINDS}:
        return None
    if offset >= memory.size:
        return []
    if memory.region is Region.WEIGHTS:
        source, neuron = divmod(offset, memory.offset(1, 0))
        if neuron >= memory.shape[1]:
            return []
        index, word = source << _NEURON_BITS | neuron, 0
    else:
        (index,), word = memory.index(offset)
    parts = [
        (_KINDS[memory.region, field.name], index, (1 << field.width) - 1, field.start - 16 * word)
        for field in memory.layout.fields.values()
        if word in field.words
    ]
    return parts if len(parts) <= _PARTS else None


@compiled
def probed(parts: Int32s, state: State) -> int:
    """Return the present value of a word."""
    word = 0
    for k in range(len(parts)):
        kind, index, mask, shift = parts[k]
        if kind < 0:
            break
        bits = _value(kind, index, state) & mask
        word |= bits << shift if shift >= 0 else bits >> -shift
    return word


@compiled
def _value(kind: int, index: int, state: State) -> int:
    """Return a value of the state."""
    if kind == _V:
        value = state.v[index]
    elif kind == _REFR:
        value = state.refr[index]
    elif kind == _IE:
        value = state.currents[0, index]
    elif kind == _II:
        value = state.currents[1, index]
    elif kind == _THETA:
        value = state.theta[index]
    elif kind == _X:
        value = state.x[index]
    elif kind == _Y:
        value = state.y[index]
    elif kind == _COUNT:
        value = state.counts[index]
    elif kind == _PHASE:
        value = state.phase[index]
    else:
        source, neuron = index >> _NEURON_BITS, index & (1 << _NEURON_BITS) - 1
        value = weight_at(state.weights, state.steps, source, neuron)
    return int(value)
