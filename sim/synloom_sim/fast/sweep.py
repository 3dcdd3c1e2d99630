"""The sweep in the compiled loop: the update of all neurons, and the decay of the traces.

Exponential decay on the time grid follows Rotter and Diesmann 1999.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.dither import DITHER, DITHER_BITS, INDEX
from synloom.contract.registers import LIST_VALID, Mode
from synloom_sim.fast import places
from synloom_sim.fast.compiled import compiled, inlined
from synloom_sim.fast.state import Sizes, State, Work

__all__ = ["decay_trace", "sweep"]

Int32s = npt.NDArray[np.int32]

_LOW: Final = (1 << DITHER_BITS) - 1
_ADAPT: Final = int(Mode.ADAPT)
_LIST_FIRST: Final = 0xFF
_SHORT: Final = 16
"""The shift of the coarse unit: 32 bits hold the product and the dither."""


@compiled
def _left(a: int, m: int, shift: int, w: int) -> int:
    """Return a magnitude after one step of decay."""
    return a - ((a * m + (w & ((1 << shift) - 1))) >> shift)


@inlined
def sweep(sizes: Sizes, state: State, neurons: Int32s, work: Work) -> int:
    """Update the neurons in use, and clear all sums; return how many fired."""
    control = state.control
    count = min(control[places.SWEEP_COUNT], sizes.neurons)
    adapt = control[places.MODE] >> _ADAPT & 1
    state.counted[places.STATE_SATURATIONS] += _update(
        count, sizes.state_max, adapt, control[places.NOW] * DITHER & _LOW, state, neurons, work
    )
    state.acc[:] = 0
    state.forced[:] = 0
    fired = 0
    for word in range((count + 7) >> 3):
        if work.fires_words[word]:
            for n in range(8 * word, min(8 * word + 8, count)):
                if work.fires[n]:
                    work.fired[fired] = n
                    _fire(n, adapt, sizes.state_max, state, neurons)
                    fired += 1
    control[places.FIRED] = fired
    return fired


@inlined
def _update(count: int, top: int, adapt: int, dither: int, state: State, neurons: Int32s, work: Work) -> int:
    """Update neurons up to their reset; return how many values were clipped."""
    v, refr, theta, forced = state.v, state.refr, state.theta, state.forced
    currents_e, currents_i, acc_e, acc_i = state.currents[0], state.currents[1], state.acc[0], state.acc[1]
    thr, bias, integrate = neurons[places.THR], neurons[places.BIAS], neurons[places.INTEGRATE]
    g_e, g_i = neurons[places.GAIN], neurons[places.GAIN + 1]
    m_th, m_e, m_i, m_v = (
        neurons[places.NEURON_M],
        neurons[places.NEURON_M + 1],
        neurons[places.NEURON_M + 2],
        neurons[places.NEURON_M + 3],
    )
    s_th, s_e, s_i, s_v = (
        neurons[places.NEURON_SHIFT],
        neurons[places.NEURON_SHIFT + 1],
        neurons[places.NEURON_SHIFT + 2],
        neurons[places.NEURON_SHIFT + 3],
    )
    fires, clips = work.fires, 0
    for n in range(count):
        w = (dither + n * INDEX) & _LOW
        e_exact = currents_e[n] + (acc_e[n] << g_e[n])
        i_exact = currents_i[n] + (acc_i[n] << g_i[n])
        e, i = min(e_exact, top), min(i_exact, top)
        old = v[n]
        left = _left(abs(old), m_v[n], s_v[n], w)
        u_exact = (-left if old < 0 else left) + e - i + bias[n]
        u = min(max(u_exact, -top), top)
        raised = _left(theta[n], m_th[n], s_th[n], w) if adapt else theta[n]
        ready = refr[n] == 0
        moves = ready | (integrate[n] != 0) | (forced[n] != 0)
        clips += (e_exact > top) + (i_exact > top) + (moves & (u != u_exact))
        fires[n] = (ready & (u >= thr[n] + raised)) | (forced[n] != 0)
        currents_e[n] = _left(e, m_e[n], s_e[n], w)
        currents_i[n] = _left(i, m_i[n], s_i[n], w)
        v[n] = u if moves else old
        refr[n] = max(refr[n] - 1, 0)
        theta[n] = raised
    return clips


@inlined
def _fire(n: int, adapt: int, top: int, state: State, neurons: Int32s) -> None:
    """Reset a neuron that fires."""
    clips = 0
    reset = neurons[places.RESET, n]
    if neurons[places.SUBTRACT, n]:
        exact = state.v[n] - reset
        state.v[n] = min(max(exact, -top), top)
        clips += exact != state.v[n]
    else:
        state.v[n] = reset
    state.refr[n] = neurons[places.REFRACTORY, n]
    if adapt:
        exact = state.theta[n] + neurons[places.TH_STEP, n]
        state.theta[n] = min(exact, top)
        clips += exact > top
    state.counted[places.STATE_SATURATIONS] += clips


@inlined
def decay_trace(trace: Int32s, segments: Int32s, register: int, now: int) -> None:
    """Decay the traces of the segments of a list register by one step; `now` is that of the sweep."""
    if not register & LIST_VALID:
        return
    w = now * DITHER & _LOW
    for k in range(register & _LIST_FIRST, len(segments)):
        segment = segments[k]
        part = trace[segment[places.LO] : max(segment[places.LO], segment[places.HI])]
        m, shift = segment[places.DECAY_M], segment[places.DECAY_SHIFT]
        if shift == _SHORT:
            coefficient, low = np.uint32(m), np.uint32(w & 0xFFFF)
            for j in range(len(part)):
                loss = np.uint32(np.uint32(np.uint32(part[j]) * coefficient) + low) >> np.uint32(_SHORT)
                part[j] = np.int32(np.uint32(part[j]) - loss)
        else:
            for j in range(len(part)):
                part[j] = _left(part[j], m, shift, w)
        if segment[places.LAST]:
            break
