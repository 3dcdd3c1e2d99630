"""Kinds of values in an experiment file: how each is checked and described."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Any, Final, Protocol

from synloom.base.wording import one_line
from synloom.experiment.location import Location, meant

__all__ = ["Choice", "Kind", "ListOf", "Number", "Switch", "Text", "Whole", "shown"]

_LARGEST: Final = 1e15
"""Largest magnitude of a number: far beyond all that an array can do, and free of overflow."""
_LARGEST_WHOLE: Final = 1 << 128
"""Largest whole number that is handed on; Python refuses to print those of more than 4,300 digits."""


class Kind(Protocol):
    """A kind of value, which a key accepts."""

    @property
    def words(self) -> str:
        """The kind in a few words, for messages and for the manual."""
        ...

    def check(self, value: Any, where: Location) -> Any:
        """Return the value, converted.

        Raises
        ------
        ExperimentError
            If the value is wrong.
        """
        ...


def shown(value: Any) -> str:
    """Return a value for a message: short, and as in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"a table with {one_line(', '.join(value), 100) or 'no keys'}"
    try:
        text = repr(value)
    except ValueError:  # a hexadecimal number of thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:56]} ..."


@dataclass(frozen=True)
class Text:
    """Non-empty text."""

    words: str = "text"

    def check(self, value: Any, where: Location) -> str:
        """Return the text."""
        if not isinstance(value, str) or not value.strip():
            raise where.error(f"must be {self.words}, not {shown(value)}")
        return value


@dataclass(frozen=True)
class Choice:
    """One of several words."""

    allowed: tuple[str, ...]

    @property
    def words(self) -> str:
        """The allowed words."""
        return ", ".join(f'"{word}"' for word in self.allowed)

    def check(self, value: Any, where: Location) -> str:
        """Return the word."""
        if not isinstance(value, str):
            raise where.error(f"must be one of {self.words}, not {shown(value)}")
        if value not in self.allowed:
            raise where.error(f"cannot be {shown(value)}{meant(value, self.allowed)}")
        return value


@dataclass(frozen=True)
class Switch:
    """True or false."""

    words: str = "true or false"

    def check(self, value: Any, where: Location) -> bool:
        """Return the boolean."""
        if not isinstance(value, bool):
            raise where.error(f"must be true or false, not {shown(value)}")
        return value


@dataclass(frozen=True)
class Number:
    """A number that is not NaN.

    Parameters
    ----------
    low, high : float
        Allowed range, ends included.
    above : bool
        Exclude `low` itself.
    infinite : tuple of float
        Infinities that are allowed, too.
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    infinite: tuple[float, ...] = ()

    @property
    def words(self) -> str:
        """The range in words."""
        parts = ["number"]
        if math.isfinite(self.low) and math.isfinite(self.high):
            parts.append(f"from {self.low:g} to {self.high:g}")
        elif math.isfinite(self.low):
            parts.append(f"{'above' if self.above else 'of at least'} {self.low:g}")
        return " ".join(parts) + "".join(f" or {each:g}" for each in self.infinite)

    def check(self, value: Any, where: Location) -> float:
        """Return the number as float."""
        number = math.nan
        if isinstance(value, int | float) and not isinstance(value, bool):
            with contextlib.suppress(OverflowError):
                number = float(value)
        if _LARGEST < abs(number) < math.inf:
            raise where.error(f"must be a number of at most {_LARGEST:g} in magnitude, not {shown(value)}")
        wrong = math.isnan(number) or (math.isinf(number) and number not in self.infinite)
        if wrong or number < self.low or number > self.high or (self.above and number == self.low):
            raise where.error(f"must be a {self.words}, not {shown(value)}")
        return number


@dataclass(frozen=True)
class Whole:
    """A whole number of at least `low`, and at most `high` if given."""

    low: int = 0
    high: int | None = None

    @property
    def words(self) -> str:
        """The range in words."""
        if self.high is None:
            return f"whole number of at least {self.low}"
        return f"whole number from {self.low} to {self.high}"

    def check(self, value: Any, where: Location) -> int:
        """Return the int."""
        whole = isinstance(value, int) and not isinstance(value, bool)
        high = _LARGEST_WHOLE if self.high is None else self.high
        if not whole or not self.low <= value <= high:
            raise where.error(f"must be a {self.words}, not {shown(value)}")
        return int(value)


@dataclass(frozen=True)
class ListOf:
    """A list whose entries are all of one kind.

    Parameters
    ----------
    kind : Kind
        Kind of the entries.
    words : str
        Short description of the list.
    least, most : int
        Allowed lengths.
    single : bool
        Whether a single entry may replace a list of one.
    """

    kind: Kind
    words: str
    least: int = 0
    most: int = 1 << 20
    single: bool = False

    def check(self, value: Any, where: Location) -> list[Any]:
        """Return the list of checked entries."""
        if self.single and not isinstance(value, list):
            return [self.kind.check(value, where)]
        if not isinstance(value, list):
            raise where.error(f"must be a {self.words}, not {shown(value)}")
        if not self.least <= len(value) <= self.most:
            raise where.error(f"must be a {self.words}, not a list of {len(value)}")
        return [self.kind.check(entry, where.item(k)) for k, entry in enumerate(value)]
