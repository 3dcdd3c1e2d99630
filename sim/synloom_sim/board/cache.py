"""The cache of built boards: a folder for each content, found by a key that is quick to compute."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synloom.base.atomic_files import write_whole
from synloom.base.errors import BuildError, ParameterError
from synloom.base.plain_data import digest_of
from synloom.base.user_cache import cache_folder

__all__ = ["BoardCache"]

_LIBRARY = "board.so"
_WORKPLACE = "build-"
_DIGEST = "digest"
_CONTENT = re.compile(rb"[0-9a-f]{32}")
_YOUNG_S = 60.0
_LEAST_FREE = 64 << 20
"""Free bytes below which a failed build is taken to have failed for want of room."""


@dataclass(frozen=True, slots=True)
class BoardCache:
    """A folder of built boards, safe for concurrent processes.

    `boards/CONTENT/board.so` is a board, and `digest` beside it its SHA-256 digest, which is checked before
    the board is used; a damaged one is built again. `keys/KEY` holds the CONTENT of a key, `locks/KEY`
    serialises the builders of a key, and `logs/KEY.log` is the log of a failed build.

    Parameters
    ----------
    root : Path
        The folder; created when it is needed.
    """

    root: Path

    @classmethod
    def default(cls) -> BoardCache:
        """Return the user's cache (`synloom.base.user_cache`), with its errors."""
        return cls(cache_folder())

    def find(self, key: str) -> Path | None:
        """Return the library of a key, or None if it has not been built or is damaged."""
        try:
            content = (self.root / "keys" / key).read_bytes()
        except OSError:
            return None
        # A damaged key is as good as none.
        return self.library(content.decode()) if _CONTENT.fullmatch(content) else None

    def library(self, content: str) -> Path | None:
        """Return the library of a content, or None if it has not been built or is damaged.

        A damaged library would end the process that loads it.
        """
        folder = self.root / "boards" / content
        try:
            stated = (folder / _DIGEST).read_bytes()
            return folder / _LIBRARY if digest_of(folder / _LIBRARY).encode() == stated else None
        except (OSError, ParameterError):
            return None

    def remember(self, key: str, content: str) -> None:
        """Store the content of a key."""
        # Without its key the board is still found by its content.
        with contextlib.suppress(OSError):
            write_whole(self._folder("keys") / key, content.encode())

    def store(self, content: str, built: Path) -> Path:
        """Move a finished build folder into the cache, in place of a damaged one, and return its library.

        Raises
        ------
        BuildError
            If it cannot be moved there.
        """
        place = self._folder("boards") / content
        with self._explained():
            (built / _DIGEST).write_text(digest_of(built / _LIBRARY))
            if self.library(content) is None:
                if os.path.lexists(place):
                    os.rename(place, Path(tempfile.mkdtemp(prefix=_WORKPLACE, dir=self.root)) / "damaged")
                try:
                    os.rename(built, place)
                except OSError:
                    if self.library(content) is None:
                        raise
                    # Another process has stored the same board meanwhile.
        return place / _LIBRARY

    @contextlib.contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold the lock of a key; a second builder waits, and then finds the board in the cache.

        Raises
        ------
        BuildError
            If the cache cannot be written.
        """
        with contextlib.ExitStack() as stack:
            with self._explained():
                file = stack.enter_context(open(self._folder("locks") / key, "w", encoding="ascii"))
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def workplace(self, key: str) -> Iterator[Path]:
        """Yield a temporary folder for a build; after a failure its log is kept.

        Raises
        ------
        BuildError
            If the cache cannot be written, or its disk is full.
        """
        self._clear_workplaces()
        with self._explained():
            folder = Path(tempfile.mkdtemp(prefix=_WORKPLACE, dir=self._folder(".")))
            held = os.open(folder, os.O_RDONLY)
            fcntl.flock(held, fcntl.LOCK_EX)
        try:
            with self._explained():
                yield folder
        except BaseException as error:
            free = shutil.disk_usage(self.root).free
            with contextlib.suppress(OSError, BuildError):  # the disk may be full
                if (folder / "build.log").exists():
                    self._folder("logs")
                    shutil.copy(folder / "build.log", self.log(key))
            if isinstance(error, BuildError) and free < _LEAST_FREE:
                raise BuildError(
                    f"the disk of the cache {self.root} is full ({free >> 20} MiB are free, a build takes up "
                    f"to {_LEAST_FREE >> 20}); free some of it, or set SYNLOOM_CACHE to a folder elsewhere"
                ) from error
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
        with self._explained():
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn an error of the file system into one that says what to do."""
        try:
            yield
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise BuildError(
                f"the cache {self.root} cannot be written: {error.strerror or error}{where}; free space "
                f"there, or set SYNLOOM_CACHE to a writable folder"
            ) from error
