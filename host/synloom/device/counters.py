"""The counters of a device: the work it did, and what it lost or limited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from synloom.contract.array_port import OnALine, Port
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.registers import COUNTERS, WIDE_COUNTER_BITS

__all__ = ["HOST_COUNTERS", "LOSSES", "Counters", "read_counters"]

HOST_COUNTERS: Final = {
    "inputs_merged": "Spikes that the host was given for a step and channel or neuron that had one already.",
}
"""What the host counts itself, with explanations; each is a loss."""

LOSSES: Final = (*(name for name, counter in COUNTERS.items() if counter.loss), *HOST_COUNTERS)
"""Names of the counters of lost events and limited values."""


class Counters(Mapping[str, int]):
    """All counters by name, since the image was loaded or they were cleared; `print` shows them as a table.

    Parameters
    ----------
    values : mapping of str to int
        The value of every counter of the COUNTERS region.
    host : mapping of str to int, optional
        Values of `HOST_COUNTERS`; those that are missing do not appear.
    line : mapping of str to int, optional
        What went wrong on the line to the array.

    Attributes
    ----------
    line : dict of str to int
        What went wrong on the line and was repaired, since the connection was made: ``array_`` and the name
        of a register of LINK (saturating at 255), ``host_`` and a name of `LinkStatistics`. Empty for an
        array in this process. It is no part of the mapping, as it says nothing about the experiment.
    """

    def __init__(
        self,
        values: Mapping[str, int],
        host: Mapping[str, int] | None = None,
        line: Mapping[str, int] | None = None,
    ):
        self._values = {**values, **(host or {})}
        self.line = dict(line or {})

    def __getitem__(self, name: str) -> int:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def losses(self) -> dict[str, int]:
        """The counters of `LOSSES` that are not 0; empty if nothing was lost or limited."""
        return {name: self._values[name] for name in LOSSES if self._values.get(name)}

    def __str__(self) -> str:
        width = max(map(len, self._values))
        lines = [f"{name.ljust(width)}  {value:>14,}" for name, value in self._values.items()]
        lines += [f"- {value:,} {name}: {_doc(name)}" for name, value in self.losses.items()]
        lines += [f"- {value:,} {name} on the line, repaired" for name, value in self.line.items() if value]
        return "\n".join(lines if self.losses else [*lines, "- nothing was lost"])

    def __repr__(self) -> str:
        return f"<Counters: {self['steps']} steps, losses {self.losses or 'none'}>"


def _doc(name: str) -> str:
    return HOST_COUNTERS.get(name) or COUNTERS[name].doc


def read_counters(
    port: Port, host: Mapping[str, int] | None = None, *, before: Mapping[str, int] | None = None
) -> Counters:
    """Read all counters of an array.

    Parameters
    ----------
    port : Port
        The array.
    host : mapping of str to int, optional
        Counters of the host, which are added to the table.
    before : mapping of str to int, optional
        What was counted before the array was restored, which is added to its counters; the sums saturate.
    """
    memory, before = memory_of(port.params, Region.COUNTERS), before or {}
    counts = memory.unpack(port.read(*memory.span()))["count"].tolist()
    values = {}
    for (name, counter), count in zip(COUNTERS.items(), counts, strict=True):
        most = (1 << (WIDE_COUNTER_BITS if counter.wide else port.params.counter_bits)) - 1
        values[name] = min(count + before.get(name, 0), most)
    line = port.line_counters() if isinstance(port, OnALine) else None
    return Counters(values, host, line)
