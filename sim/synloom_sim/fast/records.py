"""Records in the compiled loop: spikes, and probes of the state (docs/protocol.md)."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.records import TIME_MAX, RecordKind
from synloom.contract.registers import Mode
from synloom_sim.fast import places
from synloom_sim.fast.compiled import inlined
from synloom_sim.fast.probes import SLOW, probed
from synloom_sim.fast.state import Sizes, State, Work

__all__ = ["record"]

Int32s = npt.NDArray[np.int32]

_MASK32: Final = 0xFFFFFFFF
_MASK16: Final = 0xFFFF
_RASTER: Final = int(Mode.RASTER)
_SPIKES: Final = int(RecordKind.SPIKES) << 14
_BITMAP: Final = int(RecordKind.BITMAP) << 14
_PROBES: Final = int(RecordKind.PROBES) << 14
_TIME: Final = int(RecordKind.TIME) << 14


@inlined
def record(sizes: Sizes, probes: Int32s, state: State, work: Work, t: int) -> None:
    """Record what fired in step `t`, and the probes after it, unless they wait for the host."""
    control = state.control
    if control[places.MODE] >> _RASTER & 1 and control[places.FIRED] > 0:
        _spikes(sizes, state, work, t)
    count = min(control[places.PROBE_COUNT], len(probes))
    if control[places.PROBE_COUNT] > 0:
        if control[places.PROBE_WAIT] > 0:
            control[places.PROBE_WAIT] -= 1
        else:
            for k in range(count):
                if probes[k, 0, 0, 0] == SLOW:
                    control[places.WAITING_PROBES] = 1
                    return
            _open(state, t, _PROBES | count)
            for k in range(count):
                _put(state, probed(probes[k, 0], state))
                _put(state, probed(probes[k, 1], state))
            control[places.PROBE_WAIT] = (control[places.PROBE_EVERY] - 1) & _MASK16
    if (t + 1 - control[places.RECORD_TIME]) & _MASK32 == TIME_MAX:
        _advance(state, t + 1)


@inlined
def _spikes(sizes: Sizes, state: State, work: Work, t: int) -> None:
    """Record the neurons that fired: as a bitmap if it is not longer, else as a list."""
    fired = state.control[places.FIRED]
    if fired < sizes.neuron_words:
        _open(state, t, _SPIKES | fired)
        for k in range(fired):
            _put(state, work.fired[k])
        return
    _open(state, t, _BITMAP | sizes.neuron_words)
    k = 0
    for word in range(sizes.neuron_words):
        bits = 0
        while k < fired and work.fired[k] >> 4 == word:
            bits |= 1 << (work.fired[k] & 15)
            k += 1
        _put(state, bits)


@inlined
def _open(state: State, t: int, head: int) -> None:
    """Begin a record of step `t` with its first word."""
    if t != state.control[places.RECORD_TIME]:
        _advance(state, t)
    _put(state, head)


@inlined
def _advance(state: State, t: int) -> None:
    """Let the time of the stream be `t`."""
    _put(state, _TIME | (t - state.control[places.RECORD_TIME]) & _MASK32)
    state.control[places.RECORD_TIME] = t & _MASK32


@inlined
def _put(state: State, word: int) -> None:
    """Append a word to the record buffer."""
    state.records[state.control[places.RECORDED]] = word & _MASK16
    state.control[places.RECORDED] += 1
