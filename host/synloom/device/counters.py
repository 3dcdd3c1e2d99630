"""The device's counters: what it did, and what it could not keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from synloom.contract.array_port import Port
from synloom.contract.regions import COUNTER_STRIDE, Region
from synloom.contract.registers import COUNTERS

__all__ = ["LOSSES", "Counters", "read_counters"]

LOSSES: Final = (
    "late_steps",
    "acc_saturations",
    "state_saturations",
    "trace_saturations",
    "events_late",
    "events_merged",
    "events_invalid",
)
"""Counters that tell of something lost or limited. `weight_clips` is not one: bounds are part of a rule."""

_MEANING: Final = dict(COUNTERS)


class Counters(Mapping[str, int]):
    """All counters by name, since the image was loaded or they were cleared; `print` it."""

    def __init__(self, values: Mapping[str, int]):
        self._values = dict(values)

    def __getitem__(self, name: str) -> int:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def losses(self) -> dict[str, int]:
        """The counters of LOSSES that are not 0: empty if nothing was lost or limited."""
        return {name: self._values[name] for name in LOSSES if self._values[name]}

    def __str__(self) -> str:
        width = max(map(len, self._values))
        lines = [f"{name.ljust(width)}  {value:>14,}" for name, value in self._values.items()]
        lines += [f"- {value:,} {name}: {_MEANING[name]}" for name, value in self.losses.items()]
        return "\n".join(lines if self.losses else [*lines, "- nothing was lost"])

    def __repr__(self) -> str:
        return f"<Counters: {self['steps']} steps, losses {self.losses or 'none'}>"


def read_counters(port: Port) -> Counters:
    """Read all counters of an array."""
    words = np.asarray(port.read(Region.COUNTERS, 0, COUNTER_STRIDE * len(COUNTERS)), dtype=np.int64)
    parts = words.reshape(-1, COUNTER_STRIDE)
    values = sum(parts[:, k] << (16 * k) for k in range(COUNTER_STRIDE - 1))
    return Counters(dict(zip((name for name, _ in COUNTERS), np.asarray(values).tolist(), strict=True)))
