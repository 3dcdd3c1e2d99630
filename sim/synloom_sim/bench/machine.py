"""The machine and the versions behind a measurement: what a reader needs to compare, and nothing private."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from synloom.base.errors import BuildError
from synloom_sim.board.tools import find_compiler, find_verilator

__all__ = ["machine", "versions"]

_PACKAGES = ("synloom", "numpy", "numba", "amaranth")


def machine() -> dict[str, str | int]:
    """Return the processor's model, its cores for this process, the kind of system, and the memory in GB."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "architecture": platform.machine(),
        "system": platform.system(),
        "memory": round(pages * size / 1e9),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python, of the packages that are installed, and of the tools of the board."""
    found = {"Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    for name, find in (("Verilator", find_verilator), ("C++ compiler", find_compiler)):
        try:
            found[name] = find().version.splitlines()[0]
        except BuildError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
