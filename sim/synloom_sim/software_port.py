"""An array in this process behind the port interface that all targets share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from synloom.base import signals
from synloom.base.errors import ArrayLostError, LinkError, ParameterError, SynloomError
from synloom.contract.array_port import Handed
from synloom.contract.frames import RECORD_FRAME_WORDS, ControlAction, RunFlag
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom_sim.model.runs import ArrayRuns

__all__ = ["SoftwarePort"]

Words = npt.NDArray[np.uint16]
_PLAIN = RunFlag(0)
_P = ParamSpec("_P")
_R = TypeVar("_R")
_SLICE = 16
"""Steps executed between two checks for the requested records."""


class SoftwarePort:
    """A `synloom.contract.array_port.Port` to an array in the same process.

    The array has no time of its own. Calls that would wait for a run (`records`) or that are made during
    one (`read`, `write` and `events`) execute slices of it: a program that polls always sees progress, and
    every call acts between two steps. Paced runs go as fast as they can.

    Parameters
    ----------
    make : callable
        Makes the array.

    Attributes
    ----------
    model : ArrayRuns
        The array itself.
    """

    def __init__(self, make: Callable[[], ArrayRuns]):
        self.model = make()
        self._make = make
        self._open = True
        self._handed = Handed(0, np.zeros(0, dtype=np.uint16))
        # Whether the array is being changed: a change that is cut short leaves what no array could be.
        self._within = False
        self._cut_by = ""

    @property
    def params(self) -> ArrayParams:
        """The array's parameters."""
        return self.model.params

    def read(self, region: Region, offset: int, count: int) -> Words:
        """Read `count` consecutive offsets; return (count,) uint16.

        Raises
        ------
        LinkError
            If the port is closed.
        ParameterError
            If the offset or the count is out of range.
        """
        self._check()
        _check_range("offset", offset)
        _check_range("count", count)
        self._advance(_SLICE)
        return self.model.read(Region(region), offset, count)

    def write(self, region: Region, offset: int, values: npt.ArrayLike) -> None:
        """Write (n,) uint16 to consecutive offsets.

        Raises
        ------
        LinkError
            If the port is closed.
        ParameterError
            If the offset or a value is out of range.
        """
        self._check()
        _check_range("offset", offset)
        words = _as_words(values)
        self._advance(_SLICE)
        self._whole(self.model.write, Region(region), offset, words)

    def fill(self, region: Region, offset: int, count: int, value: int) -> None:
        """Write one value to `count` consecutive offsets."""
        _check_range("count", count)
        self.write(region, offset, np.full(count, _as_words([value])[0]))

    def run(self, steps: int, flags: RunFlag = _PLAIN) -> None:
        """Start a run of `steps` steps, and return at once. An END record marks its end.

        Raises
        ------
        LinkError
            If the port is closed.
        ParameterError
            If `steps` is out of range.
        DeviceError
            If another run is going on.
        """
        self._check()
        if not 0 <= steps <= 0xFFFFFFFF:
            raise ParameterError(f"steps must be in 0..{0xFFFFFFFF}, not {steps}")
        self._whole(self.model.start, steps, flags)

    def control(self, action: ControlAction) -> None:
        """Pause, resume or abort the run before its next step."""
        self._check()
        self._whole(self.model.control, ControlAction(action))

    def events(self, words: npt.ArrayLike) -> bool:
        """Append words to the event queue; return False, and append none, if they do not all fit now."""
        self._check()
        wanted = _as_words(words).tolist()
        if self._whole(self.model.push_events, wanted):
            return True
        self._advance(_SLICE)
        return self._whole(self.model.push_events, wanted)

    def records(self, timeout: float) -> Words:
        """Return the next words of the record stream, (n,) uint16; empty after `timeout` s.

        Returns at once, with all available words, when no step can be executed: without a run, during a
        pause, or when a gated step waits for events.
        """
        self._check()
        recorder = self.model.recorder
        deadline = time.monotonic() + timeout
        while recorder.waiting < RECORD_FRAME_WORDS:
            if self._advance(_SLICE) < _SLICE or time.monotonic() > deadline:
                break
        return self._whole(self._take)

    @property
    def handed(self) -> Handed:
        """What `records` has returned, also if an exception kept its caller from having the last words."""
        return self._handed

    def flush(self) -> None:
        """Ask for all records; does nothing, since the array holds none back."""
        self._check()

    def close(self) -> None:
        """Close the port; further calls raise LinkError."""
        self._open = False

    def _advance(self, limit: int) -> int:
        return self._whole(self.model.advance, limit)

    def _take(self) -> Words:
        words = self.model.recorder.take()
        self._handed = Handed(self._handed.end + len(words), words)
        return words

    def _whole(self, change: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Change the array, before signals act; any other exception leaves it marked as cut short."""
        try:
            signals.begin_change()
            self._within, self._cut_by = True, ""
            result = change(*args, **kwargs)
            self._within = False
            return result
        except SynloomError:
            # The array has refused it, and has not changed.
            self._within = False
            raise
        except BaseException as error:
            self._cut_by = f" by {type(error).__name__}"
            raise
        finally:
            signals.end_change()

    def _check(self) -> None:
        """Raise an error if the port is closed, or the array was cut short: it then starts anew.

        Raises
        ------
        ArrayLostError
            If a change was cut short.
        LinkError
            If the port is closed.
        """
        if not self._open:
            raise LinkError("this array is closed; connect again")
        if self._within:
            self.model, self._within = self._make(), False
            raise ArrayLostError(
                f"the array was interrupted{self._cut_by} while it changed and is empty now; call "
                f"device.load(image)"
            )


def _check_range(name: str, value: int) -> None:
    if not 0 <= value < 1 << 24:
        raise ParameterError(f"{name} must be in 0..{(1 << 24) - 1}, not {value}")


def _as_words(values: npt.ArrayLike) -> Words:
    """Convert values to (n,) uint16 without truncation."""
    words = np.asarray(values)
    if words.dtype == np.uint16 and words.ndim:
        return words
    words = np.atleast_1d(words)
    if words.size and not np.issubdtype(words.dtype, np.integer):
        raise ParameterError(f"words must be whole numbers in 0..65535, not of type {words.dtype}")
    outside = (words < 0) | (words > 0xFFFF)
    if outside.any():
        raise ParameterError(f"a word must be in 0..65535, not {words[outside][0]}")
    return words.astype(np.uint16)
