"""The counters of a device: the work it did, and what it lost or limited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from synloom.contract.array_port import Port
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.registers import COUNTERS

__all__ = ["LOSSES", "Counters", "read_counters"]

LOSSES: Final = tuple(name for name, counter in COUNTERS.items() if counter.loss)
"""Names of the counters of lost events and limited values."""


class Counters(Mapping[str, int]):
    """All counters by name, since the image was loaded or they were cleared; `print` shows them as a table.

    Parameters
    ----------
    values : mapping of str to int
        The value of every counter of the COUNTERS region.
    """

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
        """The counters of `LOSSES` that are not 0; empty if nothing was lost or limited."""
        return {name: self._values[name] for name in LOSSES if self._values[name]}

    def __str__(self) -> str:
        width = max(map(len, self._values))
        lines = [f"{name.ljust(width)}  {value:>14,}" for name, value in self._values.items()]
        lines += [f"- {value:,} {name}: {COUNTERS[name].doc}" for name, value in self.losses.items()]
        return "\n".join(lines if self.losses else [*lines, "- nothing was lost"])

    def __repr__(self) -> str:
        return f"<Counters: {self['steps']} steps, losses {self.losses or 'none'}>"


def read_counters(port: Port) -> Counters:
    """Read all counters of an array."""
    memory = memory_of(port.params, Region.COUNTERS)
    counts = memory.unpack(port.read(*memory.span()))["count"].tolist()
    return Counters(dict(zip(COUNTERS, counts, strict=True)))
