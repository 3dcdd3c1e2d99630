"""What of PyNN runs here, found by running it: ``python -m synloom.pynn.support`` prints the table.

Every class of PyNN's standard models and connectors is tried. Neurons and currents are compared with the
exact solution, connectors with PyNN's mock simulator, sources with what they promise.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple

import pyNN.connectors
from pyNN import errors
from pyNN.standardmodels import base, cells, electrodes, receptors, synapses

import synloom.pynn as sim
from synloom.pynn.support_connectors import CONNECTOR_CHECKS
from synloom.pynn.support_models import (
    CELL_CHECKS,
    CURRENT_CHECKS,
    DT,
    RECORDABLE_CHECKS,
    RULE_CHECKS,
    SYNAPSE_CHECKS,
    Check,
)

__all__ = ["Row", "main", "rows", "table"]

UNSUPPORTED: Final = "unsupported"
_ABSTRACT: Final = ("Connector", "MapConnector", "FixedNumberConnector")


class Row(NamedTuple):
    """One row of the table: what it is, its name, the verdict, and what changes or what to use."""

    kind: str
    name: str
    verdict: str
    note: str


def rows() -> Iterator[Row]:
    """Try everything, and yield the rows of the table."""
    for kind, names, checks in (
        ("cell", _classes(cells, base.StandardCellType, base.StandardCellTypeComponent), CELL_CHECKS),
        ("receptor", _classes(receptors, base.StandardPostSynapticResponse), {}),
        ("synapse", _classes(synapses, base.StandardSynapseType), SYNAPSE_CHECKS),
        ("weight dependence", _classes(synapses, base.STDPWeightDependence), RULE_CHECKS),
        ("timing dependence", _classes(synapses, base.STDPTimingDependence), RULE_CHECKS),
        ("current source", _classes(electrodes, base.StandardCurrentSource), CURRENT_CHECKS),
        ("connector", _classes(pyNN.connectors, pyNN.connectors.Connector), CONNECTOR_CHECKS),
        ("recordable", _recordables(), RECORDABLE_CHECKS),
    ):
        for name in names:
            yield Row(kind, name, *_tried(kind, name, checks.get(name)))


def table() -> str:
    """Return the table in Markdown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(rows())
    # Neighbours that differ only in their names share a line.
    groups = [list(group) for _, group in groupby(found, key=lambda row: (row.kind, row.verdict, row.note))]
    lines = ["| what | name | here | what changes, or what to use |", "|---|---|---|---|"]
    for group in groups:
        names = ", ".join(row.name for row in group)
        lines.append(f"| {group[0].kind} | {names} | {group[0].verdict} | {group[0].note} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table."""
    print(table(), end="")


def _classes(module: Any, *bases: type) -> list[str]:
    return [
        name
        for name, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, bases) and found.__module__ == module.__name__ and name not in _ABSTRACT
    ]


def _recordables() -> list[str]:
    found = {"spikes": 0, "v": 0, "isyn_exc": 0, "isyn_inh": 0}
    for name in _classes(cells, base.StandardCellType):
        recordable = getattr(cells, name).recordable
        if isinstance(recordable, list):
            found |= dict.fromkeys(recordable, 0)
    return list(found)


def _tried(kind: str, name: str, check: Check | None) -> tuple[str, str]:
    """Return the verdict and the note of one thing."""
    if kind == "recordable" and check is None:
        assert "Cannot record" in _refusal(lambda: sim.Population(1, sim.IF_curr_exp()).record(name))
        return UNSUPPORTED, "a variable of cells that do not run here; record v, isyn_exc, isyn_inh or spikes"
    if check is None:
        return UNSUPPORTED, _refusal(getattr(sim, name)).split("; ", 1)[-1]
    sim.setup(timestep=DT, target="model")
    try:
        return check()
    finally:
        sim.end()


def _refusal(make: Callable[[], Any]) -> str:
    """Return what the error says; what is not refused needs a check of its own."""
    sim.setup(timestep=DT, target="model")
    try:
        made = make()
    except (errors.NoModelAvailableError, errors.RecordingError, RuntimeError) as error:
        return str(error)
    raise AssertionError(f"{made!r} is not refused")


if __name__ == "__main__":
    main()
