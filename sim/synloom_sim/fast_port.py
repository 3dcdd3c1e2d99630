"""The fast engine behind the port interface that all targets share."""

from __future__ import annotations

import sys
import time
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.progress import Progress
from synloom.contract.frames import RECORD_FRAME_WORDS
from synloom.contract.params import ArrayParams
from synloom_sim.fast.array import FastArray
from synloom_sim.software_port import SoftwarePort

__all__ = ["FastPort"]

_FEWEST_STEPS: Final = 64
_MOST_STEPS: Final = 1 << 20
_SHORT_S: Final = 0.005
_LONG_S: Final = 0.02
"""A slice of a run takes 5 to 20 ms, so that an interruption (Ctrl-C) acts soon."""
_COMPILING: Final = "compiling the fast engine, once"
_COMPILING_ALWAYS: Final = "compiling the fast engine, which each process does: its cache cannot be written"


class FastPort(SoftwarePort):
    """A port to a `FastArray`.

    Parameters
    ----------
    params : ArrayParams
        The array.
    progress : callable, optional
        Called as ``progress(what, share)`` if the engine must be compiled, which happens once in each
        version if the user's cache can be written; by default a line on the standard error stream says so.
    """

    def __init__(self, params: ArrayParams, progress: Progress | None = None):
        tell = progress or _say

        def make() -> FastArray:
            array = FastArray(params)
            array.compile(lambda kept, share: tell(_COMPILING if kept else _COMPILING_ALWAYS, share))
            return array

        super().__init__(make)
        self._steps = _FEWEST_STEPS

    def records(self, timeout: float) -> npt.NDArray[np.uint16]:
        """Return the next words of the record stream, (n,) uint16; empty after `timeout` s.

        Returns at once, with all available words, when no step can be executed: without a run, during a
        pause, or when a gated step waits for events.
        """
        self._check()
        recorder = self.model.recorder
        started = time.monotonic()
        deadline = started + timeout
        if not recorder.waiting:
            words = self._whole(self._slice)
            if words is not None:
                return words
        while recorder.waiting < RECORD_FRAME_WORDS:
            done, steps, before = self._advance(self._steps), self._steps, started
            # A run of few steps says nothing about how long more of them take.
            if done < steps:
                break
            started = time.monotonic()
            if started - before < _SHORT_S:
                self._steps = min(2 * steps, _MOST_STEPS)
            elif started - before > _LONG_S:
                self._steps = max(steps // 2, _FEWEST_STEPS)
            if started > deadline:
                break
        return self._whole(self._take)

    def _slice(self) -> npt.NDArray[np.uint16] | None:
        """Execute a slice; if the run stops within it, as that of a closed loop does, return its words."""
        return self._take() if self.model.advance(self._steps) < self._steps else None


def _say(what: str, share: float) -> None:
    """Tell of the only thing that takes long."""
    if share == 0.0:
        print(f"synloom: {what} (some seconds)", file=sys.stderr, flush=True)
