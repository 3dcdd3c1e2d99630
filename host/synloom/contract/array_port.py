"""The register-level face of a target: what the model and the line both offer to `Device`."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region

__all__ = ["Handed", "OnALine", "Port", "Words"]

Words = npt.NDArray[np.uint16]
_PLAIN = RunFlag(0)


class Handed(NamedTuple):
    """What a port has returned of its records.

    Parameters
    ----------
    end : int
        How many words in all.
    words : (n,) uint16
        The last of them.
    """

    end: int
    words: Words


class Port(Protocol):
    """Access to one array, in words. Weights are two's complement in the low byte of a word."""

    @property
    def params(self) -> ArrayParams:
        """The array's parameters, as discovered."""
        ...

    def read(self, region: Region, offset: int, count: int) -> Words:
        """Read `count` consecutive offsets (see docs/protocol.md); returns (count,) uint16."""
        ...

    def write(self, region: Region, offset: int, values: npt.ArrayLike) -> None:
        """Write consecutive offsets with (n,) uint16."""
        ...

    def fill(self, region: Region, offset: int, count: int, value: int) -> None:
        """Write one value to `count` consecutive offsets."""
        ...

    def run(self, steps: int, flags: RunFlag = _PLAIN) -> None:
        """Start a run of `steps` steps; returns at once. The end is an END record."""
        ...

    def control(self, action: ControlAction) -> None:
        """Pause, resume or abort the run at the next step boundary."""
        ...

    def events(self, words: npt.ArrayLike) -> bool:
        """Append words to the event queue; False (and nothing taken) if they do not all fit now."""
        ...

    def records(self, timeout: float) -> Words:
        """Return the next words of the record stream, in order and whole; empty after `timeout` s."""
        ...

    @property
    def handed(self) -> Handed:
        """What `records` has returned, also if an exception kept its caller from having the last words."""
        ...

    def flush(self) -> None:
        """Ask for all records that are there, even if no frame is full."""
        ...

    def close(self) -> None:
        """Let go of the target; further calls raise LinkError."""
        ...


@runtime_checkable
class OnALine(Protocol):
    """What a port has whose array is at the other end of a line."""

    def line_counters(self) -> dict[str, int]:
        """Return what went wrong on the line, by name: counts of both ends."""
        ...
