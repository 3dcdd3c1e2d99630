"""The dither of decays: a number for each step and neuron, spread evenly over time (docs/numbers.md)."""

from __future__ import annotations

from typing import Final

__all__ = ["DITHER", "DITHER_BITS", "INDEX", "dither"]

DITHER: Final = 0xB9A653A1
"""What a step adds. Its low 16, 20, 24, 28 and 32 bits are chosen, each for decays of one unit."""

INDEX: Final = 0x89A4A315
"""What the number of a neuron adds, for each neuron."""

DITHER_BITS: Final = 32
"""Width of the dither."""


def dither(now: int, n: int = 0) -> int:
    """Return the dither w(n) of a sweep: `now` is that of the sweep, `n` the neuron, 0 for traces."""
    return (now * DITHER + n * INDEX) % (1 << DITHER_BITS)
