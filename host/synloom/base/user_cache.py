"""The user's folder for what is kept from one command to the next."""

from __future__ import annotations

import os
from pathlib import Path

from synloom.base.errors import BuildError

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Return the user's cache: $SYNLOOM_CACHE, else $XDG_CACHE_HOME/synloom, else ~/.cache/synloom.

    Raises
    ------
    BuildError
        If the user has no home folder.
    """
    if own := os.environ.get("SYNLOOM_CACHE"):
        return Path(own).absolute()
    if os.path.isabs(base := os.environ.get("XDG_CACHE_HOME", "")):  # others are to be ignored
        return Path(base) / "synloom"
    try:
        return Path.home() / ".cache" / "synloom"
    except RuntimeError as error:
        raise BuildError(
            "there is no home folder for the cache of simulated boards; set SYNLOOM_CACHE to a writable "
            "folder"
        ) from error
