"""Tables of an experiment file: their keys, which of them belong together, and tables by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from synloom.experiment.location import Location, meant
from synloom.experiment.value_types import Kind, shown

__all__ = ["DEFAULTS", "REQUIRED", "Key", "Named", "Section"]

REQUIRED: Final = object()
"""The default of a key that must be there."""

DEFAULTS: Final = object()
"""The default of a table that may be left out: its keys have their own defaults."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


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
        Its value where it is left out; REQUIRED if it cannot be, DEFAULTS for a table.
    unit : str
        Unit of its numbers.
    meaning : str
        One line for the manual.
    only : tuple of str
        Words of the table's selector with which the key makes sense; all if empty.
    """

    name: str
    kind: Kind
    default: Any
    unit: str
    meaning: str
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A table with fixed keys; itself a kind of value.

    Parameters
    ----------
    title : str
        Its heading as users write it: ``[run]``, ``[populations.NAME]``.
    keys : tuple of Key
        Its keys in the manual's order.
    selector : str
        The key whose word decides which other keys make sense; empty if there is none.
    """

    title: str
    keys: tuple[Key, ...]
    selector: str = ""

    @property
    def words(self) -> str:
        """The table in words."""
        return f"table {self.title}"

    def check(self, value: Any, where: Location) -> dict[str, Any]:
        """Return every key that makes sense, with its value or its default."""
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
    """Tables by name, all of one section. A table with ``like = NAME`` begins as a copy of an earlier one.

    Parameters
    ----------
    section : Section
        What each is.
    optional : bool
        Whether there may be none.
    """

    section: Section
    optional: bool = True

    @property
    def words(self) -> str:
        """The tables in words."""
        return f"tables {self.section.title}"

    def check(self, value: Any, where: Location) -> dict[str, dict[str, Any]]:
        """Return the checked tables by name, in the file's order."""
        if not isinstance(value, dict):
            raise where.error(f"must be {self.words}, not {shown(value)}")
        if not value and not self.optional:
            raise where.error(f"is empty; there must be at least one of the {self.words}")
        raw: dict[str, dict[str, Any]] = {}
        result = {}
        for name, table in value.items():
            place = where.key(name)
            if not _NAME.fullmatch(name):
                raise where.error(
                    f"cannot have the name {name!r}; a name is a letter, then letters, digits, _ and -"
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
                f"must be the name of an earlier table, not {shown(like)}{meant(str(like), earlier)}"
            )
        return {**earlier[like], **{name: value for name, value in table.items() if name != "like"}}
