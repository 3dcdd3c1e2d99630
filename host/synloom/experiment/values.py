"""Numbers for each neuron: one for all, a list, or a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.experiment.location import Location, meant
from synloom.experiment.value_types import Number, shown
from synloom.network.distributions import Normal, Uniform

__all__ = ["Linear", "Numbers", "NumbersByName", "Value", "spread"]


_ANY: Final = Number()


@dataclass(frozen=True)
class Linear:
    """Evenly spaced numbers from `first` to `last`."""

    first: float
    last: float


Value = float | tuple[float, ...] | Uniform | Normal | Linear


@dataclass(frozen=True)
class Numbers:
    """A number, a list, or a table such as ``{uniform = [low, high]}``.

    Parameters
    ----------
    number : Number
        The allowed range of every number.
    forms : tuple of str
        Forms allowed besides a number: "list", "uniform", "normal", "linear".
    """

    number: Number = _ANY
    forms: tuple[str, ...] = ("list", "uniform", "normal", "linear")

    _NAMES: ClassVar[dict[str, tuple[str, str]]] = {
        "uniform": ("low", "high"),
        "normal": ("mean", "sd"),
        "linear": ("first", "last"),
    }

    @property
    def words(self) -> str:
        """The forms in words."""
        return f"{self.number.words} ({'one or many' if 'list' in self.forms else 'or random'})"

    def check(self, value: Any, where: Location) -> Value:
        """Return the number, a tuple of numbers, or a distribution."""
        if isinstance(value, list) and "list" in self.forms:
            if not value:
                raise where.error("must not be an empty list")
            return tuple(self.number.check(entry, where.item(k)) for k, entry in enumerate(value))
        if isinstance(value, dict):
            return self._rule(value, where)
        return self.number.check(value, where)

    def _rule(self, table: dict[str, Any], where: Location) -> Value:
        tables = [form for form in self._NAMES if form in self.forms]
        form = next((form for form in tables if form in table), None)
        if form is None:
            wrong = next(iter(table), "")
            raise where.error(f"cannot be a table with {wrong!r}{meant(wrong, tables)}")
        names = self._NAMES[form]
        pair = table[form]
        if not isinstance(pair, list) or len(pair) != 2:
            raise where.key(form).error(f"must be [{names[0]}, {names[1]}], not {shown(pair)}")
        first, second = (
            (_ANY if form == "normal" else self.number).check(entry, where.key(form).item(k))
            for k, entry in enumerate(pair)
        )
        bounds = self._bounds(table, form, where)
        with where.explains():
            if form == "uniform":
                return Uniform(first, second)
            return Normal(first, second, *bounds) if form == "normal" else Linear(first, second)

    def _bounds(self, table: dict[str, Any], form: str, where: Location) -> tuple[float, float]:
        """Return the limits that clip a normal distribution, within the allowed range."""
        allowed = ("low", "high") if form == "normal" else ()
        for name in table:
            if name != form and name not in allowed:
                raise where.key(name).error(f"cannot be used with {form!r}{meant(name, allowed)}")
        low = self.number.check(table["low"], where.key("low")) if "low" in table else self.number.low
        high = self.number.check(table["high"], where.key("high")) if "high" in table else self.number.high
        return low, high


@dataclass(frozen=True)
class NumbersByName:
    """A table of `Numbers`, with names of parts of the network as keys.

    Parameters
    ----------
    number : Number
        The allowed range of every number.
    words : str
        Short description of the table.
    """

    number: Number
    words: str

    def check(self, value: Any, where: Location) -> dict[str, Value]:
        """Return the values, by name."""
        if not isinstance(value, dict):
            raise where.error(f"must be a {self.words}, not {shown(value)}")
        numbers = Numbers(self.number)
        return {name: numbers.check(entry, where.key(name)) for name, entry in value.items()}


def spread(value: Value, n: int, rng: np.random.Generator, where: Location) -> float | FloatArray:
    """Return a number, or (n,) float64.

    Raises
    ------
    ExperimentError
        If it is a list of the wrong length.
    """
    if isinstance(value, float):
        return value
    if isinstance(value, tuple):
        if len(value) != n:
            raise where.error(f"must be one number or a list of {n}, not a list of {len(value)}")
        return np.array(value)
    if isinstance(value, Linear):
        return np.linspace(value.first, value.last, n)
    return value.draw(n, rng)
