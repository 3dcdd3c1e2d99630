"""The compiled loop over the steps of a run, in the order of docs/numbers.md."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.registers import Mode
from synloom_sim.fast import places
from synloom_sim.fast.compiled import cached, inlined
from synloom_sim.fast.passes import column, raised, row
from synloom_sim.fast.random_numbers import begin, state_of_sequence
from synloom_sim.fast.records import record
from synloom_sim.fast.state import Sizes, State, Work
from synloom_sim.fast.stimulus import active_sources, deliver, draw, due_columns, is_beyond, schedule
from synloom_sim.fast.sweep import decay_trace, sweep
from synloom_sim.fast.tables import Tables

__all__ = ["advance"]

Int32s = npt.NDArray[np.int32]

_LEARN: Final = int(Mode.LEARN)
_MASK32: Final = 0xFFFFFFFF
_COUNT_TOP: Final = 0xFFFF


@cached
def advance(
    limit: int,
    gated: int,
    room: int,
    sizes: Sizes,
    tables: Tables,
    probes: Int32s,
    state: State,
    work: Work,
) -> int:
    """Execute up to `limit` steps; return the number executed.

    Parameters
    ----------
    limit : int
        Most steps.
    gated : int
        Whether a step waits until the events are beyond it.
    room : int
        A step begins while no more words than this are in the record buffer.
    sizes, tables, probes, state, work
        The array.
    """
    begin(work.rounding, state.rng[places.LEARN_RNG])
    begin(work.generating, state.rng[places.GEN_RNG])
    done = 0
    while done < limit and state.control[places.RECORDED] <= room:
        deliver(sizes, state)
        if gated and not is_beyond(state):
            break
        _step(sizes, tables, probes, state, work)
        done += 1
        if state.control[places.WAITING_PROBES]:
            break
    state.rng[places.LEARN_RNG] = state_of_sequence(work.rounding)
    state.rng[places.GEN_RNG] = state_of_sequence(work.generating)
    return done


@inlined
def _step(sizes: Sizes, tables: Tables, probes: Int32s, state: State, work: Work) -> None:
    """Execute one step whose events have acted."""
    control, counted = state.control, state.counted
    t = control[places.NOW]
    learns = sizes.plasticity != 0 and control[places.MODE] >> _LEARN & 1 != 0
    _rows(sizes, tables, state, work, learns)
    control[places.NOW] = (t + 1) & _MASK32

    fired = sweep(sizes, state, tables.neurons, work)
    decay_trace(state.x, tables.segments, control[places.X_LIST], control[places.NOW])
    decay_trace(state.y, tables.segments, control[places.Y_LIST], control[places.NOW])
    if sizes.spike_counters:
        for k in range(fired):
            neuron = work.fired[k]
            state.counts[neuron] = min(state.counts[neuron] + 1, _COUNT_TOP)
    schedule(sizes, tables, state, work, t)

    # The traces of rows and of columns do not change while these are served, so neither do their changes.
    work.changes_of[0] = -1
    for k in range(due_columns(sizes, state, work, t)):
        neuron = work.due[k]
        if learns and tables.targets[neuron, places.LIST] >= 0:
            column(sizes, tables, state, work, neuron)
        nearest = tables.targets[neuron, places.NEAREST]
        raised(sizes, state, state.y, neuron, control[places.ONE_Y], nearest)

    counted[places.STEPS] += 1
    counted[places.SPIKES] += fired
    record(sizes, probes, state, work, t)


@inlined
def _rows(sizes: Sizes, tables: Tables, state: State, work: Work, learns: bool) -> None:
    """Serve the rows of the next step."""
    if sizes.generators and state.control[places.GEN_WORDS] > 0:
        draw(sizes, tables, state, work)
    work.changes_of[0] = -1
    for k in range(active_sources(sizes, tables, state, work)):
        source = work.served[k]
        if tables.sources[source, places.LIST] >= 0:
            row(sizes, tables, state, work, source, learns)
        nearest = tables.sources[source, places.NEAREST]
        raised(sizes, state, state.x, source, state.control[places.ONE_X], nearest)
