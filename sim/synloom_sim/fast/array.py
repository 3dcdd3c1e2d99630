"""The array of the fast engine: the model's memories and runs around the compiled loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.contract.frames import RunFlag
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom_sim.fast import places
from synloom_sim.fast.buffers import EventWords, FastRecorder
from synloom_sim.fast.compiled import called_first, called_quickly
from synloom_sim.fast.loop import advance
from synloom_sim.fast.probes import probes_of
from synloom_sim.fast.state import FastState, sizes_of, state_of, work_of
from synloom_sim.fast.tables import TABLES, fill, tables_of
from synloom_sim.model.runs import ArrayRuns

__all__ = ["FastArray"]

_ONE_STEP: Final = 1
_GATED: Final = int(RunFlag.GATED)


class FastArray(ArrayRuns):
    """A neuron array with the bits of `synloom_sim.model.ArrayModel`, some hundred times faster.

    Parameters
    ----------
    params : ArrayParams
        Sizes, formats and features.
    """

    def __init__(self, params: ArrayParams):
        control = np.zeros(places.CONTROL_WORDS, dtype=np.int64)
        recorder, events = FastRecorder(params, control), EventWords(params, control)
        state = FastState(params, control)
        super().__init__(params, state, recorder, events)
        self._buffer = recorder.buffer
        self._control = control
        self._woven = state.woven
        self._sizes = sizes_of(params)
        self._tables = tables_of(params)
        self._arrays = state_of(state, events.words, self._buffer.words)
        self._work = work_of(params)
        self._probes = probes_of(params, self._words_of(Region.PROBES))
        self._stale: set[Region] = set()
        self._loop = advance

    def compile(self, tell: Callable[[bool, float], None] = lambda kept, share: None) -> None:
        """Compile the loop, or load it from disk.

        Parameters
        ----------
        tell : callable, optional
            As of `called_first`.
        """
        called_first(advance, self._arguments(0, 0, 0), tell)
        self._loop = called_quickly(advance)

    def write(self, region: Region, offset: int, values: npt.NDArray[np.uint16]) -> None:
        """Write consecutive words, (n,) uint16; words that do not exist are ignored."""
        super().write(region, offset, values)
        if region in TABLES or region is Region.PROBES:
            self._stale.add(region)

    def advance(self, limit: int) -> int:
        """Execute up to `limit` steps of the run; return the number executed."""
        done = 0
        room = self.params.record_words - self.params.record_worst_case
        while done < limit and self._running and not self._paused:
            now = self._execute(min(limit - done, self._remaining), self._flags, room)
            self._remaining -= now
            done += now
            probes = self._record_waiting_probes()
            if now:
                self._finish_if_done()
            if not probes:
                break
        return done

    def step(self) -> npt.NDArray[np.int64]:
        """Execute one step, with or without a run; return the neurons that fired, ascending, (F,) int64."""
        room = self._buffer.reserve(self.params.record_worst_case)
        self._execute(_ONE_STEP, RunFlag(0), room)
        self._record_waiting_probes()
        return self._work.fired[: self._control[places.FIRED]].astype(np.int64)

    def _execute(self, limit: int, flags: RunFlag, room: int) -> int:
        """Execute up to `limit` steps in the compiled loop."""
        return self._loop(*self._arguments(limit, int(flags) & _GATED, room))

    def _arguments(self, limit: int, gated: int, room: int) -> tuple[Any, ...]:
        """Return the arguments of the compiled loop, which then sees all that was written."""
        if self._stale:
            self._decode()
        arrays = self._arrays
        if arrays.records is not self._buffer.words:
            arrays = self._arrays = arrays._replace(records=self._buffer.words)
        return limit, gated, room, self._sizes, self._tables, self._probes, arrays, self._work

    def _record_waiting_probes(self) -> bool:
        """Record the probes of a step that the loop could not read; return whether there were any."""
        if not self._control[places.WAITING_PROBES]:
            return False
        self._control[places.WAITING_PROBES] = 0
        registers = self.state.registers
        t = (registers.now - 1) & 0xFFFFFFFF
        self.recorder.probes(t, self._memory.probe_values())
        registers.probe_wait = (registers.probe_every - 1) & 0xFFFF
        self.recorder.end_step(t)
        return True

    def _decode(self) -> None:
        """Decode the memories that were written."""
        for region in self._stale:
            words = self._words_of(region)
            if region is Region.PROBES:
                self._probes = probes_of(self.params, words)
            else:
                fill(self.params, self._tables, region, words)
        self._woven.weave(learns=bool((self._tables.targets[:, places.LIST] >= 0).any()))
        self._stale.clear()

    def _words_of(self, region: Region) -> npt.NDArray[np.uint16]:
        return self.read(region, 0, memory_of(self.params, region).size)
