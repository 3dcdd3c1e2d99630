"""Names of the targets that become any array; the others, boards, have an array of their own."""

from __future__ import annotations

from typing import Final

__all__ = ["ANY_ARRAY", "SOFTWARE", "kind_of"]

SOFTWARE: Final = ("fast", "model")
"""Engines in this process, the quickest first; ``"software"`` is the first that is installed."""

ANY_ARRAY: Final = ("software", *SOFTWARE, "sim", "sim-pins")
"""Targets that become the array that an image was compiled for."""


def kind_of(target: str) -> str:
    """Return a target without the faults of its line: ``"sim"`` for ``"sim?flips=1e-4"``."""
    return target.partition("?")[0]
