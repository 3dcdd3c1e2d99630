"""The CTRL registers and the counters, as plain integers."""

from __future__ import annotations

from dataclasses import dataclass

from synloom.contract.params import ArrayParams
from synloom.contract.regions import WIDE_COUNTERS
from synloom.contract.registers import COUNTERS, Mode

__all__ = ["Counters", "Registers"]


@dataclass(slots=True)
class Registers:
    """The writable registers of CTRL, by the contract's names; `reward` is signed."""

    now: int = 0
    learn_rng: int = 1
    gen_rng: int = 1
    period: int = 0
    sweep_count: int = 0
    gen_words: int = 0
    x_list: int = 0
    y_list: int = 0
    one_x: int = 0
    one_y: int = 0
    reward: int = 0
    mode: int = 0
    probe_count: int = 0
    probe_every: int = 1
    probe_wait: int = 0

    def is_set(self, bit: Mode) -> bool:
        """Return whether a bit of `mode` is set."""
        return bool(self.mode >> bit & 1)


class Counters:
    """Saturating counters, by the contract's names.

    `busy_clocks`, `stall_clocks` and `late_steps` stay 0: a model has no clock.
    """

    def __init__(self, params: ArrayParams):
        self._top = {
            name: (1 << (48 if name in WIDE_COUNTERS else params.counter_bits)) - 1 for name, _ in COUNTERS
        }
        self._values = dict.fromkeys(self._top, 0)

    def __getitem__(self, name: str) -> int:
        return self._values[name]

    def __setitem__(self, name: str, value: int) -> None:
        self._values[name] = min(value, self._top[name])

    def count(self, name: str, events: int) -> None:
        """Raise a counter by a number of events, up to its largest value."""
        if events:
            self[name] = self._values[name] + events
