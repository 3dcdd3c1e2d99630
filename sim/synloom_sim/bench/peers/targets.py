"""The simulators that are compared, as data: a new one is a line here, and a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["OURS", "TARGETS", "Target"]


@dataclass(frozen=True)
class Target:
    """A simulator in one of its forms.

    Attributes
    ----------
    name : str
        For the command line.
    title : str
        For tables.
    worker : str
        Module of this package.
    option : str
        Which form; its meaning is the worker's.
    environment : str
        Folder of its Python environment in the repository; empty: the one that runs the comparison.
    most : int
        Most neurons with which it is worth the time.
    needs : str
        A module without which there is no such target; empty if there is always one.
    """

    name: str
    title: str
    worker: str
    option: str
    environment: str = ""
    most: int = 4096
    needs: str = ""


OURS: Final = "synloom_run"
"""The worker of the targets that are Synloom's."""

TARGETS: Final = (
    Target("fast", "fast engine", OURS, "fast", needs="numba"),
    Target("model", "model", OURS, "model"),
    Target("sim", "simulated board", OURS, "sim", most=512),
    Target("brian2-cpp", "Brian2, C++ standalone", "brian2_run", "cpp_standalone", ".venv-peers-brian2"),
    Target("brian2-cython", "Brian2, Cython", "brian2_run", "cython", ".venv-peers-brian2"),
    Target("nest", "NEST", "nest_run", "", ".venv-peers-nest"),
    Target(
        "superneuromat", "SuperNeuroMAT, NumPy", "superneuromat_run", "cpu", ".venv-peers-superneuromat", 512
    ),
    Target(
        "superneuromat-jit",
        "SuperNeuroMAT, Numba",
        "superneuromat_run",
        "jit",
        ".venv-peers-superneuromat",
        256,
    ),
)
