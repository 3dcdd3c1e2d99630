"""The model of one array: docs/numbers.md, bit for bit, in NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synloom.contract.frames import RunFlag
from synloom.contract.params import ArrayParams
from synloom.contract.registers import Mode
from synloom.contract.traces import TRACES
from synloom_sim.model.passes import Passes
from synloom_sim.model.recorder import Recorder
from synloom_sim.model.runs import ArrayRuns
from synloom_sim.model.state import ArrayState
from synloom_sim.model.stimulus import (
    EventQueue,
    Generators,
    active_sources,
    due_columns,
    follow_chains,
    schedule,
)
from synloom_sim.model.sweep import decay_traces, sweep

__all__ = ["ArrayModel"]

_MASK32 = 0xFFFFFFFF


class ArrayModel(ArrayRuns):
    """A neuron array as specified by docs/numbers.md and docs/protocol.md, observed between steps.

    Parameters
    ----------
    params : ArrayParams
        Sizes, formats and features.

    Attributes
    ----------
    state : ArrayState
        All state of the array.
    recorder : Recorder
        The record stream.
    """

    def __init__(self, params: ArrayParams):
        super().__init__(params, ArrayState(params), Recorder(params), EventQueue(params))
        self._generators = Generators(params)
        self._passes = Passes(params, self.state)

    def advance(self, limit: int) -> int:
        """Execute up to `limit` steps of the run; return the number executed."""
        done = 0
        while done < limit and self._running and not self._paused and self.recorder.has_room:
            now = self.state.registers.now
            self._events.deliver(now, self.state)
            if self._flags & RunFlag.GATED and not self._events.is_beyond(now):
                break
            self.step()
            self._remaining -= 1
            done += 1
            self._finish_if_done()
        return done

    def step(self) -> npt.NDArray[np.int64]:
        """Execute one step, with or without a run; return the neurons that fired, ascending, (F,) int64."""
        params, state, memory = self.params, self.state, self._memory
        registers, counters = state.registers, state.counters
        t = registers.now
        self._events.deliver(t, state)

        generated = np.zeros(0, dtype=bool)
        if params.generators and registers.gen_words > 0:
            generated = self._generators.draw(memory.rates, state)
        active = active_sources(params, state, generated)
        program = memory.program()
        for rows in follow_chains(params, state, active, memory.sources()):
            self._passes.rows(rows, program, memory.sources())
        registers.now = (t + 1) & _MASK32

        fired = sweep(state, memory.neurons(), registers.is_set(Mode.ADAPT))
        for trace in TRACES:
            segments = program.list_of_register(registers.of(trace.decay_list))
            decay_traces(state.traces[trace.name], segments, registers.now)

        targets = memory.targets()
        if len(fired):
            if params.spike_counters:
                state.counts[fired] = np.minimum(state.counts[fired] + 1, 0xFFFF)
            schedule(params, state, t, fired, targets)
        due = due_columns(params, state, t, fired)
        if len(due):
            self._passes.columns(due, program, targets)

        counters.count("steps", 1)
        counters.count("spikes", len(fired))
        self._record(t, fired)
        return fired

    def _record(self, t: int, fired: npt.NDArray[np.int64]) -> None:
        registers = self.state.registers
        if registers.is_set(Mode.RASTER):
            self.recorder.spikes(t, fired)
        if registers.probe_count > 0:
            if registers.probe_wait == 0:
                self.recorder.probes(t, self._memory.probe_values())
                registers.probe_wait = (registers.probe_every - 1) & 0xFFFF
            else:
                registers.probe_wait -= 1
        self.recorder.end_step(t)
