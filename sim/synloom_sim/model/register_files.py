"""Register files as words: INFO, CTRL, COUNTERS and LINK."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from synloom.contract.info import encode_info
from synloom.contract.memory_map import memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS, LINK_REGISTERS
from synloom_sim.model.banks import Bank
from synloom_sim.model.registers import Counters, Registers

__all__ = ["ControlFile", "CounterFile", "InfoFile", "LinkFile"]

Words = npt.NDArray[np.uint16]


class InfoFile(Bank):
    """INFO: the description of the array; read-only."""

    def __init__(self, params: ArrayParams):
        super().__init__(memory_of(params, Region.INFO).size)
        self._info = encode_info(params)

    def _load(self) -> Words:
        return np.array(self._info + [0] * (self.size - len(self._info)), dtype=np.uint16)


class ControlFile(Bank):
    """CTRL: control registers.

    Parameters
    ----------
    registers : Registers
        The writable registers.
    observed : callable
        Returns the read-only registers by name: `status`, `event_room`.
    on_now : callable
        Called after a write to `now`.
    """

    def __init__(
        self,
        params: ArrayParams,
        registers: Registers,
        observed: Callable[[], dict[str, int]],
        on_now: Callable[[], None],
    ):
        super().__init__(memory_of(params, Region.CTRL).size)
        self._registers = registers
        self._observed = observed
        self._on_now = on_now

    def _load(self) -> Words:
        observed = self._observed()
        words = np.zeros(self.size, dtype=np.uint16)
        for name, register in CONTROL_REGISTERS.items():
            value = getattr(self._registers, name) if register.writable else observed[name]
            words[register.offset : register.offset + register.words] = register.pack(value)
        return words

    def _store(self, words: Words, start: int, stop: int) -> None:
        for name, register in CONTROL_REGISTERS.items():
            end = register.offset + register.words
            if not register.writable or end <= start or stop <= register.offset:
                continue
            value = register.unpack(words[register.offset : end])
            if register.signed and value >> (16 * register.words - 1):
                value -= 1 << 16 * register.words
            setattr(self._registers, name, value)
            if name == "now":
                self._on_now()


class CounterFile(Bank):
    """COUNTERS: writing any word of a counter clears it."""

    def __init__(self, params: ArrayParams, counters: Counters):
        self._memory = memory_of(params, Region.COUNTERS)
        super().__init__(self._memory.size)
        self._counters = counters

    def _load(self) -> Words:
        return self._memory.pack({"count": [self._counters[name] for name in COUNTERS]})

    def _store(self, words: Words, start: int, stop: int) -> None:
        for k, name in enumerate(COUNTERS):
            if self._memory.offset(k) < stop and start < self._memory.offset(k + 1):
                self._counters[name] = 0


class LinkFile(Bank):
    """LINK without a line: `divisor` and `scratch` keep written values, and no errors are counted."""

    def __init__(self, params: ArrayParams):
        super().__init__(memory_of(params, Region.LINK).size)
        self._kept = np.zeros(self.size, dtype=bool)
        self._kept[[LINK_REGISTERS[name].offset for name in ("divisor", "scratch")]] = True
        self._words: Words = np.zeros(self.size, dtype=np.uint16)
        self._words[LINK_REGISTERS["divisor"].offset] = round(params.clock_hz / params.baud)

    def _load(self) -> Words:
        return self._words.copy()

    def _store(self, words: Words, start: int, stop: int) -> None:
        self._words[:] = np.where(self._kept, words, 0)
