"""The sweep: the update of all neurons, and the decay of the traces.

Exponential decay on the time grid follows Rotter and Diesmann 1999.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from synloom.contract.dither import DITHER_BITS, INDEX, dither
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom_sim.model.arithmetic import DecayCoefficients
from synloom_sim.model.program import Segment
from synloom_sim.model.state import ArrayState

__all__ = ["NeuronTable", "decay_traces", "sweep"]

Int64s = npt.NDArray[np.int64]

_LOW = (1 << DITHER_BITS) - 1

_DECAYS = ("th", "e", "i", "m")
"""Names of the decay coefficients: of theta, Ie, Ii and V."""


class NeuronTable:
    """NEURON_PARAMS of the first `count` neurons, decoded.

    Decay coefficients are stacked in the order of `_DECAYS`, so that one operation decays all magnitudes.
    """

    def __init__(self, params: ArrayParams, words: npt.NDArray[np.uint16], count: int):
        memory = memory_of(params, Region.NEURON_PARAMS)
        fields = memory.unpack(words[: memory.offset(count)])
        none = np.zeros(count, dtype=np.int64)
        self.count = count
        self.places = np.arange(count, dtype=np.int64) * INDEX
        self.top = params.state_max
        self.thr = fields["thr"]
        self.reset = fields["reset"]
        self.bias = fields["bias"]
        self.th_step = fields.get("th_step", none)
        self.refractory = fields["refractory"]
        self.subtract = fields["subtract"].astype(bool)
        self.integrate = fields["integrate"].astype(bool)
        self.gain = np.stack([fields["g_e"], fields["g_i"]])
        self.decay = DecayCoefficients.of(
            np.stack([fields.get(f"d{part}", none) for part in _DECAYS]),
            np.stack([fields.get(f"exponent_{part}", none) for part in _DECAYS]),
        )


def sweep(state: ArrayState, table: NeuronTable, adapt: bool) -> Int64s:
    """Update the neurons of a table, and clear all accumulators; return who fired, ascending, (F,) int64."""
    n, top = table.count, table.top
    v, refr = state.v[:n], state.refr[:n]

    flowing = state.currents[:, :n] + (state.acc[:, :n] << table.gain)
    clips = _clip(flowing, 0, top)
    magnitudes = np.stack([state.theta[:n], *flowing, np.abs(v)])
    w = (dither(state.registers.now) + table.places) & _LOW
    theta, e_left, i_left, v_left = table.decay.of_magnitude(magnitudes, w)
    if not adapt:
        theta = magnitudes[0]

    u = np.where(v < 0, -v_left, v_left) + flowing[0] - flowing[1] + table.bias
    ready = refr == 0
    forced = state.forced[:n].copy()
    moves = ready | table.integrate | forced
    clips += int(np.count_nonzero(moves & (np.abs(u) > top)))
    u = np.minimum(np.maximum(u, -top), top)
    fired = np.flatnonzero(ready & (u >= table.thr + theta) | forced)
    state.forced[:] = False

    state.currents[0, :n] = e_left
    state.currents[1, :n] = i_left
    state.v[:n] = np.where(moves, u, v)
    state.refr[:n] = np.maximum(refr - 1, 0)
    state.theta[:n] = theta
    state.acc[:] = 0
    if len(fired):
        clips += _fire(state, table, adapt, fired)
    state.counters.count("state_saturations", clips)
    return fired


def _fire(state: ArrayState, table: NeuronTable, adapt: bool, fired: Int64s) -> int:
    """Reset the neurons that fired; return the number of clipped values."""
    top = table.top
    lowered = state.v[fired] - table.reset[fired]
    subtract = table.subtract[fired]
    clips = int(np.count_nonzero(subtract & (np.abs(lowered) > top)))
    state.v[fired] = np.where(subtract, np.minimum(np.maximum(lowered, -top), top), table.reset[fired])
    state.refr[fired] = table.refractory[fired]
    if adapt:
        raised = state.theta[fired] + table.th_step[fired]
        clips += _clip(raised, 0, top)
        state.theta[fired] = raised
    return clips


def _clip(values: Int64s, low: int, high: int) -> int:
    """Clip values in place; return how many were outside."""
    clipped = np.minimum(np.maximum(values, low), high)
    outside = int(np.count_nonzero(clipped != values))
    values[:] = clipped
    return outside


def decay_traces(trace: Int64s, segments: Iterable[Segment], now: int) -> None:
    """Decay the traces of each segment by one step, in place; `now` is that of the sweep."""
    w = dither(now)
    for segment in segments:
        part = trace[segment.lo : segment.hi]
        part[:] = segment.decay.of_magnitude(part, w)
