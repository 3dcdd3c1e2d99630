"""Locations in an experiment file, and errors that name them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from synloom.base.errors import ExperimentError, NetworkError, ParameterError
from synloom.base.wording import one_line

__all__ = ["Location", "meant"]

_MOST_PATH: Final = 200
"""Beyond these lengths, parts of messages are shortened: a file may have any text as a name."""
_MOST_MESSAGE: Final = 1200
_MOST_MEANT: Final = 64
"""Length of a name beyond which no similar one is looked for, which takes quadratic time."""


@dataclass(frozen=True)
class Location:
    """A key of an experiment file.

    Parameters
    ----------
    file : str
        The file, as the user gave it.
    path : str
        The key with all its tables: ``populations.cortex.tau_m``, ``changes[0].at``; empty for the file.
    """

    file: str
    path: str = ""

    def key(self, name: str) -> Location:
        """Return the location of a key of this table."""
        return Location(self.file, f"{self.path}.{name}" if self.path else name)

    def item(self, index: int) -> Location:
        """Return the location of an entry of this list."""
        return Location(self.file, f"{self.path}[{index}]")

    def error(self, message: str) -> ExperimentError:
        """Return an error about this location."""
        path = f"{one_line(self.path, _MOST_PATH)} " if self.path else ""
        return ExperimentError(f"{one_line(self.file, _MOST_PATH)}: {path}{one_line(message, _MOST_MESSAGE)}")

    @contextmanager
    def explains(self, keys: Iterable[str] = ()) -> Iterator[None]:
        """Turn errors of the SDK about values into errors about this location.

        Parameters
        ----------
        keys : iterable of str
            Keys of this table: an error that begins with one of them becomes an error about that key.

        Raises
        ------
        ExperimentError
            In place of every `ParameterError` and `NetworkError` of the body.
        """
        try:
            yield
        except ExperimentError:
            raise
        except (ParameterError, NetworkError) as error:
            first, _, rest = str(error).partition(" ")
            if first in set(keys):
                raise self.key(first).error(rest) from error
            parts = (
                one_line(self.file, _MOST_PATH),
                one_line(self.path, _MOST_PATH),
                one_line(str(error), _MOST_MESSAGE),
            )
            raise ExperimentError(": ".join(filter(None, parts))) from error


def meant(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the most similar name, and all allowed ones."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1) if len(name) <= _MOST_MEANT else []
    guess = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{guess} allowed: {', '.join(names) or 'nothing'}"
