"""How functions of the fast engine are compiled, and where the machine code is kept."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
from llvmlite import binding
from numba.core.event import Event, Listener, install_listener

import synloom.contract
import synloom_sim.model
from synloom.base import user_cache
from synloom.base.errors import BuildError

__all__ = ["cache_folder", "cached", "called_first", "called_quickly", "compiled", "inlined"]

binding.set_option("synloom", "-runtime-memory-check-threshold=400")

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy", "boundscheck": False, "_nrt": False}
"""Without the GIL, so that many networks run on many threads; without checks of indices and divisors."""


def compiled(function: _Function) -> _Function:
    """Compile a function into those that call it, for the types of their arguments."""
    return cast(_Function, numba.njit(**_OPTIONS)(function))


def inlined(function: _Function) -> _Function:
    """Copy a function into those that call it before they are compiled: for few lines with many arrays."""
    return cast(_Function, numba.njit(inline="always", **_OPTIONS)(function))


def cached(function: _Function) -> _Function:
    """Compile a function and what it calls when it is first called; later processes load it from disk."""
    folder = cache_folder()
    with _cache_at(folder):
        return cast(_Function, numba.njit(cache=folder is not None, **_OPTIONS)(function))


def cache_folder() -> Path | None:
    """Return the folder of this version's machine code in the user's cache, or None if it is not writable.

    Numba looks only at the file of the function that is cached, so the folder is named after all sources
    whose code or constants are compiled into it.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for package in (__file__, synloom.contract.__file__, synloom_sim.model.__file__):
        for source in sorted(Path(package).parent.glob("*.py")):
            digest.update(source.read_bytes())
    try:
        folder = user_cache.cache_folder() / "fast" / digest.hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, BuildError):
        return None


def called_first(
    function: Callable[..., Any], arguments: tuple[Any, ...], tell: Callable[[bool, float], None]
) -> None:
    """Call a function of `cached` if this process has not done so, whatever became of its code on disk.

    Machine code that is damaged is compiled again, and if none can be kept, that of this process is used.

    Parameters
    ----------
    function : callable
        The function.
    arguments : tuple
        What it is called with.
    tell : callable
        Called as ``tell(kept, share)`` if the function is compiled, at the beginning and at the end; `kept`
        says whether later processes find the machine code.
    """
    if cast(Any, function).signatures:
        return
    path = cast(Any, function).stats.cache_path
    kept = None if path is None else Path(path)
    if kept is not None and not _is_whole(kept):
        _remove(kept)
    with install_listener("numba:compile", _Telling(lambda share: tell(kept is not None, share))):
        try:
            function(*arguments)
        except Exception:
            # It was damaged before it was sealed, or the disk is full: then it is compiled already.
            if kept is not None:
                _remove(kept)
            function(*arguments)
    if kept is not None:
        _seal(kept)


class _Telling(Listener):  # type: ignore[misc]
    """Tells that Numba compiles, which it does not do if it finds machine code."""

    def __init__(self, tell: Callable[[float], None]):
        self._tell = tell
        self._depth = 0

    def on_start(self, event: Event) -> None:
        self._depth += 1
        if self._depth == 1:
            self._tell(0.0)

    def on_end(self, event: Event) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._tell(1.0)


def _files(folder: Path) -> list[Path]:
    return [*folder.glob("*.nbi"), *folder.glob("*.nbc")]


def _digests(folder: Path) -> dict[Path, str]:
    """Return what a file beside each one of a folder must hold."""
    seal = {}
    for path in _files(folder):
        seal[path.with_name(f"{path.name}.sha256")] = hashlib.sha256(path.read_bytes()).hexdigest()
    return seal


def _is_whole(folder: Path) -> bool:
    """Return whether the files of a folder are as they were written."""
    try:
        return all(path.read_text() == digest for path, digest in _digests(folder).items())
    except (OSError, UnicodeDecodeError):
        return False


def _seal(folder: Path) -> None:
    with suppress(OSError):
        for path, digest in _digests(folder).items():
            if not path.exists() or path.read_text() != digest:
                path.write_text(digest)


def _remove(folder: Path) -> None:
    for path in _files(folder):
        with suppress(OSError):
            path.unlink()


def called_quickly(function: _Function) -> _Function:
    """Return a compiled function without Numba's check of all types in each call, which takes 50 us here.

    The types of the arguments must be those of its only compilation.
    """
    (compiled,) = cast(Any, function).overloads.values()
    return cast(_Function, compiled.entry_point)


@contextmanager
def _cache_at(folder: Path | None) -> Iterator[None]:
    """Let Numba cache what is declared in this context in a folder."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = "" if folder is None else str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
