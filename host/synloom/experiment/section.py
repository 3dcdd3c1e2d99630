"""Tables of an experiment file: fixed keys, keys that depend on a selector, and named tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from synloom.experiment.location import Location, meant
from synloom.experiment.value_types import Kind, shown

__all__ = ["DEFAULTS", "REQUIRED", "Key", "Named", "Section"]

REQUIRED: Final = object()
"""The default of a required key."""

DEFAULTS: Final = object()
"""The default of an optional table: the defaults of its keys."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Key:
    """One key of a table.

    Parameters
    ----------
    name : str
        The key.
    kind : Kind
        What it accepts.
    default : object
        Its value if it is left out; or REQUIRED; or DEFAULTS, for a table.
    unit : str
        Unit of its numbers.
    meaning : str
        One line for the manual.
    only : tuple of str
        Values of the table's selector for which the key is allowed; all if empty.
    """

    name: str
    kind: Kind
    default: Any
    unit: str
    meaning: str
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A table with fixed keys; also a kind of value.

    Parameters
    ----------
    title : str
        Its heading in a file: ``[run]``, ``[populations.NAME]``.
    keys : tuple of Key
        Its keys, in the order of the manual.
    selector : str
        The key that decides which other keys are allowed; empty if there is none.
    """

    title: str
    keys: tuple[Key, ...]
    selector: str = ""

    @property
    def words(self) -> str:
        """The table in words."""
        return f"table {self.title}"

    def check(self, value: Any, where: Location) -> dict[str, Any]:
        """Return all allowed keys, with their values or defaults.

        Raises
        ------
        ExperimentError
            If a key is unknown, missing, not allowed, or has a wrong value.
        """
        if not isinstance(value, dict):
            raise where.error(f"must be a table, not {shown(value)}")
        known = [key.name for key in self.keys]
        for name in value:
            if name not in known:
                raise where.key(name).error(f"is not known{meant(name, known)}")
        word = ""
        result: dict[str, Any] = {}
        for key in self.keys:
            if key.only and word not in key.only:
                self._refuse(key, word, value, where)
                continue
            if key.name in value:
                result[key.name] = key.kind.check(value[key.name], where.key(key.name))
            elif key.default is REQUIRED:
                unit = f", {key.unit}" if key.unit else ""
                raise where.key(key.name).error(f"is missing; allowed: {key.kind.words}{unit}")
            elif key.default is DEFAULTS:
                result[key.name] = key.kind.check({}, where.key(key.name))
            else:
                result[key.name] = key.default
            if key.name == self.selector:
                word = result[key.name]
        return result

    def _refuse(self, key: Key, word: str, value: dict[str, Any], where: Location) -> None:
        if key.name in value:
            others = " or ".join(f'"{one}"' for one in key.only)
            raise where.key(key.name).error(f'belongs to {self.selector} = {others}, not to "{word}"')


@dataclass(frozen=True)
class Named:
    """Named tables of one section; ``like = NAME`` starts a table as a copy of an earlier one.

    Parameters
    ----------
    section : Section
        The section of each table.
    optional : bool
        Whether there may be no table.
    """

    section: Section
    optional: bool = True

    @property
    def words(self) -> str:
        """The tables in words."""
        return f"tables {self.section.title}"

    def check(self, value: Any, where: Location) -> dict[str, dict[str, Any]]:
        """Return the checked tables by name, in the order of the file.

        Raises
        ------
        ExperimentError
            If a name or a table is wrong.
        """
        if not isinstance(value, dict):
            raise where.error(f"must be {self.words}, not {shown(value)}")
        if not value and not self.optional:
            raise where.error(f"is empty; give at least one table {self.section.title}")
        raw: dict[str, dict[str, Any]] = {}
        result = {}
        for name, table in value.items():
            place = where.key(name)
            if not _NAME.fullmatch(name):
                raise where.error(
                    f"cannot have the name {shown(name)}; use a letter, then at most 63 letters, digits, "
                    f"_ and -"
                )
            if not isinstance(table, dict):
                raise place.error(f"must be a table {self.section.title}, not {shown(table)}")
            raw[name] = self._copied(table, raw, place)
            result[name] = self.section.check(raw[name], place)
        return result

    def _copied(
        self, table: dict[str, Any], earlier: dict[str, dict[str, Any]], where: Location
    ) -> dict[str, Any]:
        if "like" not in table:
            return table
        like = table["like"]
        if not isinstance(like, str) or like not in earlier:
            raise where.key("like").error(
                f"must be the name of an earlier table, not {shown(like)}{meant(shown(like), earlier)}"
            )
        return {**earlier[like], **{name: value for name, value in table.items() if name != "like"}}
