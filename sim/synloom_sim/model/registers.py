"""The CTRL registers and the counters, as plain integers."""

from __future__ import annotations

from synloom.contract.params import ArrayParams
from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS, WIDE_COUNTER_BITS, Mode

__all__ = ["Counters", "Registers"]


class Registers:
    """The writable registers of CTRL as attributes, with the contract's names; `reward` is signed."""

    now: int
    learn_rng: int
    gen_rng: int
    sweep_count: int
    gen_words: int
    reward: int
    mode: int
    probe_count: int
    probe_every: int
    probe_wait: int

    def __init__(self) -> None:
        for register in CONTROL_REGISTERS.values():
            if register.writable:
                setattr(self, register.name, register.at_first)

    def of(self, name: str) -> int:
        """Return a register by its name."""
        return int(getattr(self, name))

    def is_set(self, bit: Mode) -> bool:
        """Return whether a bit of `mode` is set."""
        return bool(self.mode >> bit & 1)


class Counters:
    """Saturating counters, with the contract's names.

    `busy_clocks`, `stall_clocks` and `late_steps` stay 0: a model has no clock.
    """

    def __init__(self, params: ArrayParams):
        self._top = {
            name: (1 << (WIDE_COUNTER_BITS if counter.wide else params.counter_bits)) - 1
            for name, counter in COUNTERS.items()
        }
        self._values = dict.fromkeys(self._top, 0)

    def __getitem__(self, name: str) -> int:
        return self._values[name]

    def __setitem__(self, name: str, value: int) -> None:
        self._values[name] = min(value, self._top[name])

    def count(self, name: str, events: int) -> None:
        """Raise a counter by a number of events; it saturates at its largest value."""
        if events:
            self[name] = self._values[name] + events
