"""A measurement as a file: its rows, and where they come from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from synloom.base.atomic_files import write_whole
from synloom.base.errors import ParameterError
from synloom_sim.bench.machine import machine, versions

__all__ = ["FOLDER", "Report", "command_of", "read_report"]

FOLDER: Final = Path("results") / "bench"
"""Where the commands write, by default."""

_FORMAT: Final = 1


@dataclass(frozen=True)
class Report:
    """The rows of one measurement.

    Attributes
    ----------
    kind : str
        Which measurement; also the name of the file.
    command : str
        What measured it.
    rows : sequence of dict
        Flat, with the same keys.
    machine, versions : dict
        As from `synloom_sim.bench.machine`.
    """

    kind: str
    command: str
    rows: Sequence[dict[str, Any]]
    machine: dict[str, str | int] = field(default_factory=machine)
    versions: dict[str, str] = field(default_factory=versions)

    def write(self, folder: Path) -> Path:
        """Write ``folder/kind.json``, and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.kind}.json"
        text = json.dumps({"format": _FORMAT, **asdict(self)}, indent=1)
        write_whole(path, (text + "\n").encode())
        return path


def command_of(program: str, words: Iterable[str]) -> str:
    """Return a command as a report names it: without the folder, which is a place of this machine."""
    kept: list[str] = []
    hidden = False
    for word in words:
        if not hidden and not word.startswith("--folder"):
            kept.append(word)
        hidden = word == "--folder"
    return " ".join([program, *kept])


def read_report(path: Path) -> Report:
    """Return the report in a file.

    Raises
    ------
    ParameterError
        If it is not a report of this format.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("format") != _FORMAT:
            raise ParameterError(f"{path} is a report of another format than {_FORMAT}; run the bench again")
        return Report(**found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParameterError(f"{path} is not a report of the bench ({error}); run the bench again") from error
