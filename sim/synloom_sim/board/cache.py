"""The cache of built boards: a folder for each content, found by a key that is quick to compute."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synloom.base.errors import BuildError

__all__ = ["BoardCache"]

_LIBRARY = "board.so"
_WORKPLACE = "build-"
_YOUNG_S = 60.0


@dataclass(frozen=True, slots=True)
class BoardCache:
    """A folder of built boards, safe for concurrent processes.

    `boards/CONTENT/board.so` is a board, `keys/KEY` holds the CONTENT of a key, `locks/KEY` serialises the
    builders of a key, and `logs/KEY.log` is the log of a failed build.

    Parameters
    ----------
    root : Path
        The folder; created when it is needed.
    """

    root: Path

    @classmethod
    def default(cls) -> BoardCache:
        """Return the user's cache: $SYNLOOM_CACHE, else $XDG_CACHE_HOME/synloom, else ~/.cache/synloom."""
        if own := os.environ.get("SYNLOOM_CACHE"):
            return cls(Path(own).absolute())
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return cls(Path(base) / "synloom")

    def find(self, key: str) -> Path | None:
        """Return the library of a key, or None if it has not been built."""
        try:
            content = (self.root / "keys" / key).read_text(encoding="ascii")
        except OSError:
            return None
        return self.library(content)

    def library(self, content: str) -> Path | None:
        """Return the library of a content, or None if it has not been built."""
        path = self.root / "boards" / content / _LIBRARY
        return path if path.is_file() else None

    def remember(self, key: str, content: str) -> None:
        """Store the content of a key."""
        folder = self._folder("keys")
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="ascii") as file:
            file.write(content)
        os.replace(file.name, folder / key)

    def store(self, content: str, built: Path) -> Path:
        """Move a finished build folder into the cache, and return its library."""
        place = self._folder("boards") / content
        with contextlib.suppress(OSError):  # an existing folder of this name holds the same board
            os.rename(built, place)
        return place / _LIBRARY

    @contextlib.contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold the lock of a key; a second builder waits, and then finds the board in the cache."""
        with open(self._folder("locks") / key, "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def workplace(self, key: str) -> Iterator[Path]:
        """Yield a temporary folder for a build; after a failure its log is kept."""
        self._clear_workplaces()
        folder = Path(tempfile.mkdtemp(prefix=_WORKPLACE, dir=self._folder(".")))
        held = os.open(folder, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield folder
        except BaseException:
            if (folder / "build.log").exists():
                self._folder("logs")
                shutil.copy(folder / "build.log", self.log(key))
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)

    def _clear_workplaces(self) -> None:
        """Remove the folders of killed builders, which no process has locked."""
        for folder in self._folder(".").glob(f"{_WORKPLACE}*"):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime < _YOUNG_S:
                    continue  # new, and perhaps not locked yet
                descriptor = os.open(folder, os.O_RDONLY)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(descriptor)

    def log(self, key: str) -> Path:
        """Return the path of the log of a failed build."""
        return self.root / "logs" / f"{key}.log"

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BuildError(
                f"the cache folder {folder} cannot be created: {error.strerror}; "
                f"set SYNLOOM_CACHE to a writable folder"
            ) from error
        return folder
