"""The digest of an experiment: equal for equal contents, wherever the file is and whatever it is called."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Final

from synloom.contract.params import SEMANTICS_VERSION
from synloom.experiment.data_files import find
from synloom.experiment.document import Experiment

__all__ = ["experiment_digest"]

_FORMAT: Final = 1
"""Raised when results of an experiment change for other reasons than those of `SEMANTICS_VERSION`."""


def experiment_digest(experiment: Experiment, *, seed: bool = True) -> str:
    """Return 32 hex digits that name what an experiment will do.

    They cover all values with the defaults filled in, the length, the seed, the contents of the data files
    and the version of the numbers; not the title, the file's name, its layout or its comments.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    seed : bool
        Whether the seed is part of it.

    Raises
    ------
    ExperimentError
        If a data file is missing.
    """
    tables = {name: table for name, table in experiment.tables.items() if name not in ("title", "run")}
    files = {}
    for name in experiment.data_files():
        path = find(name, experiment.path.parent, experiment.where)
        seen = path.stat()
        files[name] = _file_digest(path, seen.st_mtime_ns, seen.st_size)
    parts = [
        _FORMAT,
        SEMANTICS_VERSION,
        tables,
        experiment.duration,
        experiment.dt,
        experiment.seed if seed else None,
        files,
    ]
    # Distributions are dataclasses, whose representation has all their values.
    text = json.dumps(parts, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@lru_cache(maxsize=256)
def _file_digest(path: Path, changed: int, size: int) -> str:
    """Return the digest of a file, which a sweep of many tasks reads once."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
