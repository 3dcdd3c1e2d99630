"""How functions of the fast engine are compiled, and where the machine code is kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
from llvmlite import binding

__all__ = ["cache_folder", "cached", "called_quickly", "compiled", "inlined", "is_compiled"]

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

    Numba looks only at the file of the function that is cached, so the folder is named after all sources.
    """
    root = os.environ.get("SYNLOOM_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "synloom"
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    folder = (Path(root).absolute() if root else base) / "fast" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def called_quickly(function: _Function) -> _Function:
    """Return a compiled function without Numba's check of all types in each call, which takes 50 us here.

    The types of the arguments must be those of its only compilation.
    """
    (compiled,) = cast(Any, function).overloads.values()
    return cast(_Function, compiled.entry_point)


def is_compiled(function: Callable[..., Any]) -> bool:
    """Return whether a function of `cached` is compiled, in this process or on disk."""
    if cast(Any, function).signatures:
        return True
    folder = cache_folder()
    return folder is not None and any(folder.rglob("*.nbc"))


@contextmanager
def _cache_at(folder: Path | None) -> Iterator[None]:
    """Let Numba cache what is declared in this context in a folder."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = "" if folder is None else str(folder)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
