"""Registers and counters that lie in the arrays of the compiled loop: nothing is copied around a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.contract.params import ArrayParams
from synloom_sim.fast import places
from synloom_sim.model.registers import Counters, Registers

__all__ = ["FastCounters", "FastRegisters"]

_RANDOM = {"learn_rng": places.LEARN_RNG, "gen_rng": places.GEN_RNG}


class FastRegisters(Registers):
    """The writable registers of CTRL.

    Parameters
    ----------
    control : (CONTROL_WORDS,) int64
        Has most of them at its beginning.
    rng : (2,) uint64
        Has the random states.
    """

    def __init__(self, control: npt.NDArray[np.int64], rng: npt.NDArray[np.uint64]):
        self.control = control
        self.rng = rng
        super().__init__()


def _in(array: str, place: int) -> property:
    def get(self: Any) -> int:
        return int(getattr(self, array)[place])

    def put(self: Any, value: int) -> None:
        getattr(self, array)[place] = value

    return property(get, put)


for _place, _name in enumerate(places.REGISTERS):
    setattr(FastRegisters, _name, _in("control", _place))
for _name, _place in _RANDOM.items():
    setattr(FastRegisters, _name, _in("rng", _place))


class FastCounters(Counters):
    """The counters; they saturate when they are read.

    Parameters
    ----------
    params : ArrayParams
        Their widths.
    counted : (counters,) int64
        Where the loop counts.
    """

    def __init__(self, params: ArrayParams, counted: npt.NDArray[np.int64]):
        super().__init__(params)
        self._counted = counted

    def __getitem__(self, name: str) -> int:
        return min(int(self._counted[places.COUNTED.index(name)]), self._top[name])

    def __setitem__(self, name: str, value: int) -> None:
        self._counted[places.COUNTED.index(name)] = value

    def count(self, name: str, events: int) -> None:
        """Raise a counter by a number of events."""
        self[name] += events
