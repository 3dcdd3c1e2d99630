"""The timeline of a run, cut into pieces at changes, weight snapshots and progress reports."""

from __future__ import annotations

from typing import Any

import numpy as np

from synloom.device.device import Device
from synloom.experiment.document import Experiment
from synloom.experiment.location import Location
from synloom.experiment.network_builder import random_of
from synloom.experiment.stimulus import check_rates
from synloom.experiment.values import spread

__all__ = ["Change", "changes_of", "pieces", "snapshot_steps"]

PIECES = 50
"""Least number of pieces, for the progress line. Cuts do not change the results."""


class Change:
    """A table ``[[changes]]`` with its numbers drawn.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    table : dict
        The checked table.
    where : Location
        Its location in the file.

    Attributes
    ----------
    step : int
        The step before which it is applied.
    """

    def __init__(self, experiment: Experiment, table: dict[str, Any], where: Location):
        self.step = round(table["at"] / experiment.dt)
        self._switches = {key: table[key] for key in ("learning", "adaptation", "reward")}
        self._rates = self._spread(experiment, table["rates"], "inputs", where.key("rates"))
        self._offsets = self._spread(experiment, table["offsets"], "populations", where.key("offsets"))
        for name, rate in self._rates.items():
            check_rates(rate, experiment, where.key("rates").key(name))

    @staticmethod
    def _spread(experiment: Experiment, values: dict[str, Any], kind: str, where: Location) -> dict[str, Any]:
        sizes = {name: table["n"] for name, table in experiment.tables[kind].items()}
        return {
            name: spread(value, sizes[name], random_of(experiment, where.key(name)), where.key(name))
            for name, value in values.items()
        }

    def apply(self, device: Device) -> None:
        """Apply the change to a device."""
        for name, rate in self._rates.items():
            device.set_rates(name, rate)
        for name, offset in self._offsets.items():
            device.set_offset(name, offset)
        setters = {
            "learning": device.set_learning,
            "adaptation": device.set_adaptation,
            "reward": device.set_reward,
        }
        for key, value in self._switches.items():
            if value is not None:
                setters[key](value)


def changes_of(experiment: Experiment) -> list[Change]:
    """Return all changes before the end, sorted by time, then by their order in the file."""
    where = experiment.where.key("changes")
    changes = [
        Change(experiment, table, where.item(index))
        for index, table in enumerate(experiment.tables["changes"])
    ]
    return sorted((change for change in changes if change.step < experiment.steps), key=lambda c: c.step)


def snapshot_steps(experiment: Experiment) -> dict[str, list[int]]:
    """Return, by projection, the steps before which its weights are read, including the end."""
    steps: dict[str, set[int]] = {}
    for table in experiment.tables["record"]["weights"]:
        every = experiment.steps if table["every"] is None else round(table["every"] / experiment.dt)
        mine = steps.setdefault(table["of"], set())
        mine |= {*range(0, experiment.steps, every), experiment.steps}
    return {name: sorted(mine) for name, mine in steps.items()}


def pieces(experiment: Experiment, changes: list[Change], snapshots: dict[str, list[int]]) -> list[int]:
    """Return the steps at which a run is cut, including 0 and the end."""
    cuts = {change.step for change in changes}.union(*snapshots.values())
    cuts |= set(np.linspace(0, experiment.steps, PIECES + 1).round().astype(int).tolist())
    return sorted(cuts)
