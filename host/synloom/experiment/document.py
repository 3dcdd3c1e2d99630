"""Reading and checking an experiment file: from TOML text to an `Experiment`."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from synloom.base.checks import whole
from synloom.base.errors import ParameterError
from synloom.base.plain_data import read_bounded
from synloom.base.wording import shown
from synloom.experiment.location import Location, meant
from synloom.experiment.schema import EXPERIMENT

__all__ = ["Experiment", "checked_experiment", "read_experiment"]

MOST_PROBES = 16
"""Most state values per sample, in the largest array."""

MOST_BYTES = 8 << 20
"""Most bytes of an experiment file."""

MOST_SNAPSHOTS = 100_000
"""Most snapshots of a projection's weights."""

_MOST_PARTS = 32

_FILES = ("file", "delay_file")
"""Keys that name a data file."""

MOST_STEPS = 0xFFFFFFFF
"""Largest value of an array's step counter."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """An experiment file that was read and checked; `read_experiment` returns one.

    Parameters
    ----------
    path : Path
        The file.
    text : str
        Its contents.
    tables : dict
        All tables and keys, with defaults filled in (docs/experiments.md).
    duration, dt : float
        Length and time step, ms.
    seed : int
        Seed of all random numbers, on the host and in the array.
    settings : mapping of str to object
        Values that replace the file's, by key (`synloom.experiment.settings`).
    """

    path: Path
    text: str
    tables: dict[str, Any]
    duration: float
    dt: float
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> Location:
        """The file as a location, for error messages."""
        return Location(str(self.path))

    @property
    def title(self) -> str:
        """Title of the figures."""
        return str(self.tables["title"] or self.path.stem.replace("_", " "))

    @property
    def steps(self) -> int:
        """The length in steps."""
        return round(self.duration / self.dt)

    def data_files(self) -> list[str]:
        """Return the data files, relative to the experiment's folder, sorted, each once."""
        parts = (*self.tables["inputs"].values(), *self.tables["projections"].values())
        names = {part.get(key) for part in parts for key in _FILES}
        return sorted(name for name in names if name is not None)

    def changed(
        self, *, duration: float | None = None, steps: int | None = None, seed: int | None = None
    ) -> Experiment:
        """Return the experiment with another length (in ms or in steps) or another seed.

        Raises
        ------
        ExperimentError
            If the length is not a multiple of the time step, or not at least one step.
        """
        if steps is not None:
            duration = whole("steps", steps, 1, MOST_STEPS) * self.dt
        if duration is not None:
            self.check_time(duration, Location(self.where.file, "run.duration"))
        return replace(
            self,
            duration=self.duration if duration is None else duration,
            seed=self.seed if seed is None else whole("seed", seed, 0, 2**63 - 1),
        )

    def check_time(self, time: float, where: Location, least: int = 1) -> None:
        """Check a time in ms.

        Raises
        ------
        ExperimentError
            If it is not a multiple of dt, less than `least` steps, or longer than the longest run.
        """
        if not math.isfinite(time):
            raise where.error(f"must be a finite number of ms, not {time:g}")
        steps = time / self.dt
        if steps > MOST_STEPS:
            raise where.error(f"must be at most {MOST_STEPS} steps of {self.dt:g} ms, not {time:g}")
        if abs(steps - round(steps)) > 1e-6:
            raise where.error(f"must be a multiple of dt ({self.dt:g} ms), not {time:g}")
        if round(steps) < least:
            raise where.error(f"must be at least {least * self.dt:g} ms, not {time:g}")


def read_experiment(path: str | Path) -> Experiment:
    """Read and check an experiment file (docs/experiments.md).

    Raises
    ------
    ExperimentError
        If it cannot be read or is wrong; the message gives the file, the key, its value and what is allowed.
    """
    file = Path(path)
    where = Location(str(file))
    try:
        text = read_bounded(file, MOST_BYTES).decode("utf-8")
    except OSError as error:
        raise where.error(f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise where.error("is not a text file in UTF-8") from error
    except ParameterError as error:
        raise where.error(f"{error}; put long lists into data files") from error
    return checked_experiment(file, text, _parsed(text, where))


def checked_experiment(
    file: Path, text: str, values: dict[str, Any], settings: Mapping[str, Any] | None = None
) -> Experiment:
    """Check the values of a file and return its experiment.

    Parameters
    ----------
    file : Path
        Where data files are, and what errors name.
    text : str
        The file's contents.
    values : dict
        What TOML reads from it, with the `settings` applied.
    settings : mapping, optional
        What was changed.

    Raises
    ------
    ExperimentError
        If a value is wrong.
    """
    tables = EXPERIMENT.check(values, Location(str(file)))
    run = tables["run"]
    experiment = Experiment(file, text, tables, run["duration"], run["dt"], run["seed"], dict(settings or {}))
    _References(experiment).check()
    return experiment


def _parsed(text: str, where: Location) -> dict[str, Any]:
    """Return the tables of a TOML text, unchecked."""
    # The parser takes quadratic time for keys of many parts.
    pieces = re.split(r"([\n,={}\[\]])", text)
    if any(
        end in "=]" and key.count(".") > _MOST_PARTS
        for key, end in zip(pieces[::2], pieces[1::2], strict=False)
    ):
        raise where.error(f"has a key of more than {_MOST_PARTS} parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise where.error(f"is not TOML: {error}") from error
    except RecursionError as error:
        raise where.error("is nested too deeply; the format has at most five levels") from error
    except ValueError as error:
        raise where.error("has a whole number of thousands of digits, which is out of every range") from error


class _References:
    """Checks of names, indices and times that refer to other parts of the file."""

    def __init__(self, experiment: Experiment):
        self.experiment = experiment
        self.where = experiment.where
        self.tables = experiment.tables
        self.inputs: dict[str, Any] = self.tables["inputs"]
        self.populations: dict[str, Any] = self.tables["populations"]
        self.projections: dict[str, Any] = self.tables["projections"]

    def check(self) -> None:
        """Raise an error for the first reference that does not fit."""
        self.experiment.check_time(self.experiment.duration, self.where.key("run").key("duration"))
        for name in self.inputs:
            if name in self.populations:
                place = self.where.key("inputs").key(name)
                raise place.error("has the same name as a population; choose a unique name")
        for name, table in self.projections.items():
            place = self.where.key("projections").key(name)
            if name in (*self.inputs, *self.populations):
                raise place.error("has the same name as an input or a population; choose a unique name")
            self._known(table["from"], (*self.inputs, *self.populations), place.key("from"))
            self._known(table["to"], self.populations, place.key("to"))
        for index, change in enumerate(self.tables["changes"]):
            self._change(change, self.where.key("changes").item(index))
        self._record(self.tables["record"], self.where.key("record"))

    def _known(self, name: str, known: Iterable[str], where: Location) -> None:
        if name not in known:
            raise where.error(f"cannot be {name!r}{meant(name, known)}")

    def _multiple(self, time: float | None, where: Location) -> None:
        if time is not None:
            self.experiment.check_time(time, where)

    def _change(self, change: dict[str, Any], where: Location) -> None:
        self.experiment.check_time(change["at"], where.key("at"), least=0)
        if change["at"] >= self.experiment.duration:
            raise where.key("at").error(
                f"must be before the end ({self.experiment.duration:g} ms), not {change['at']:g}"
            )
        generated = [name for name, table in self.inputs.items() if table["kind"] != "spikes"]
        for name in change["rates"]:
            self._known(name, generated, where.key("rates"))
        for name in change["offsets"]:
            self._known(name, self.populations, where.key("offsets"))

    def _record(self, record: dict[str, Any], where: Location) -> None:
        for kind, known in (("spikes", (*self.populations, *self.inputs)), ("counts", self.populations)):
            for index, name in enumerate(record[kind] or ()):
                self._known(name, known, where.key(kind).item(index))
        self._multiple(record["every"], where.key("every"))
        probes = set()
        for index, state in enumerate(record["state"]):
            probes |= self._state(state, where.key("state").item(index))
        if len(probes) > MOST_PROBES:
            raise where.key("state").error(
                f"asks for {len(probes)} values per sample; experiments record at most {MOST_PROBES}; select "
                f"fewer neurons with indices"
            )
        for index, weights in enumerate(record["weights"]):
            place = where.key("weights").item(index)
            self._known(weights["of"], self.projections, place.key("of"))
            self._multiple(weights["every"], place.key("every"))
            count = self.experiment.duration / (weights["every"] or math.inf)
            if count > MOST_SNAPSHOTS:
                raise place.key("every").error(
                    f"asks for {count:.0f} snapshots; at most {MOST_SNAPSHOTS} are allowed; use longer "
                    f"intervals"
                )

    def _state(self, state: dict[str, Any], where: Location) -> set[tuple[str, str, int]]:
        of, variable = state["of"], state["variable"]
        self._known(of, (*self.populations, *self.inputs), where.key("of"))
        if of in self.inputs and variable != "trace":
            raise where.key("variable").error(f"must be 'trace' for an input, not {variable!r}")
        n = (self.populations.get(of) or self.inputs[of])["n"]
        for index in state["indices"] or ():
            if index >= n:
                raise where.key("indices").error(f"must be in 0..{n - 1}, not {index}")
        if len(set(state["indices"] or ())) < len(state["indices"] or ()):
            raise where.key("indices").error(f"must differ, not {shown(state['indices'])}")
        return {(of, variable, index) for index in state["indices"] or range(n)}
