"""What every array in this process has: memories, a record stream, and runs that can be interrupted."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from synloom.base.errors import DeviceError
from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.params import ArrayParams
from synloom.contract.records import EndReason
from synloom.contract.regions import Region
from synloom_sim.model.memories import Memories
from synloom_sim.model.recorder import Recorder
from synloom_sim.model.state import ArrayState
from synloom_sim.model.stimulus import EventQueue

__all__ = ["ArrayRuns"]

PLAIN = RunFlag(0)


class ArrayRuns(ABC):
    """An array as docs/protocol.md shows it, observed between steps; a subclass executes the steps.

    Parameters
    ----------
    params : ArrayParams
        Sizes, formats and features.
    state : ArrayState
        All state of the array.
    recorder : Recorder
        The record stream.
    events : EventQueue
        The queue of event words.

    Attributes
    ----------
    params, state, recorder
        The same.
    """

    def __init__(self, params: ArrayParams, state: ArrayState, recorder: Recorder, events: EventQueue):
        self.params = params
        self.state = state
        self.recorder = recorder
        self._events = events
        self._memory = Memories(params, state, self._observed, self._restart_events)
        self._remaining = 0
        self._flags = RunFlag(0)
        self._running = False
        self._paused = False

    # ---- memory --------------------------------------------------------------------------------

    def read(self, region: Region, offset: int, count: int) -> npt.NDArray[np.uint16]:
        """Return `count` consecutive words, (count,) uint16; words that do not exist are 0."""
        return self._memory.read(region, offset, count)

    def write(self, region: Region, offset: int, values: npt.NDArray[np.uint16]) -> None:
        """Write consecutive words, (n,) uint16; words that do not exist are ignored."""
        self._memory.write(region, offset, values)

    def push_events(self, words: list[int]) -> bool:
        """Append event words; return False, and append none, if they do not all fit."""
        return self._events.append(words)

    # ---- runs ----------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a run is going on, paused or not."""
        return self._running

    def start(self, steps: int, flags: RunFlag = PLAIN) -> None:
        """Start a run of `steps` steps; `advance` executes it.

        Raises
        ------
        DeviceError
            If a run is going on.
        """
        if self._running:
            raise DeviceError(
                f"a run is going on, with {self._remaining} steps left; "
                "read its records up to END, or abort it"
            )
        self._remaining, self._flags, self._running = steps, flags, True
        self.recorder.begin(self.state.registers.now)
        self._finish_if_done()

    def control(self, action: ControlAction) -> None:
        """Pause, resume or abort the run before its next step; ignored if it does not apply."""
        now = self.state.registers.now
        if not self._running:
            return
        if action == ControlAction.ABORT:
            self._running = self._paused = False
            self._remaining = 0
            self.recorder.end(now, EndReason.ABORTED)
        elif action == ControlAction.PAUSE and not self._paused:
            self._paused = True
            self.recorder.end(now, EndReason.PAUSED)
        elif action == ControlAction.RESUME and self._paused:
            self._paused = False
            self.recorder.begin(now)

    @abstractmethod
    def advance(self, limit: int) -> int:
        """Execute up to `limit` steps of the run; return the number executed.

        It is smaller at the end of the run, without a run, during a pause, when the record buffer is full,
        and when a gated step waits for its events.
        """

    @abstractmethod
    def step(self) -> npt.NDArray[np.int64]:
        """Execute one step, with or without a run; return the neurons that fired, ascending, (F,) int64."""

    def _finish_if_done(self) -> None:
        if self._remaining == 0:
            self._running = False
            self.recorder.end(self.state.registers.now, EndReason.DONE)

    # ---- callbacks of the memory map -----------------------------------------------------------

    def _observed(self) -> dict[str, int]:
        return {
            "status": self._running | self._paused << 1,
            "event_room": self._events.room,
        }

    def _restart_events(self) -> None:
        self._events.reset(self.state.registers.now)
        # Of a gated step that was aborted while it waited for its last events.
        self.state.forced[:] = False
