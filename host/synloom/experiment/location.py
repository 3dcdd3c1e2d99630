"""Places in an experiment file, and errors that name them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from synloom.base.errors import ExperimentError, NetworkError, ParameterError

__all__ = ["Location", "meant"]


@dataclass(frozen=True)
class Location:
    """A key of an experiment file.

    Parameters
    ----------
    file : str
        The file, as the user named it.
    path : str
        The key with all tables it is in: ``populations.cortex.tau_m``, ``changes[0].at``; empty for the file.
    """

    file: str
    path: str = ""

    def key(self, name: str) -> Location:
        """Return the place of a key in this table."""
        return Location(self.file, f"{self.path}.{name}" if self.path else name)

    def item(self, index: int) -> Location:
        """Return the place of an entry of this list."""
        return Location(self.file, f"{self.path}[{index}]")

    def error(self, message: str) -> ExperimentError:
        """Return the error that says `message` of this place."""
        return ExperimentError(
            f"{self.file}: {self.path} {message}" if self.path else f"{self.file}: {message}"
        )

    @contextmanager
    def explains(self, keys: Iterable[str] = ()) -> Iterator[None]:
        """Turn the SDK's complaints about values into errors of this place.

        Parameters
        ----------
        keys : iterable of str
            Keys of this table: a complaint that begins with one of them becomes one about that key.
        """
        try:
            yield
        except ExperimentError:
            raise
        except (ParameterError, NetworkError) as error:
            first, _, rest = str(error).partition(" ")
            if first in set(keys):
                raise self.key(first).error(rest) from error
            raise ExperimentError(": ".join(filter(None, (self.file, self.path, str(error))))) from error


def meant(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence: what was probably meant, and what there is."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    guess = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{guess} there is: {', '.join(names) or 'nothing'}"
