"""What is measured: the array's random numbers as spikes, made by the fast engine's compiled functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.contract.memory_map import GENERATOR
from synloom_sim.fast.compiled import cached
from synloom_sim.fast.random_numbers import Sequence, begin, generator_numbers, rounding_numbers, sequence
from synloom_sim.model.random_numbers import GROUP, ROUNDING_BITS

__all__ = ["Raster", "rounded_up", "spikes"]

Raster = npt.NDArray[np.bool_]
_AT_ONCE: Final = 1 << 20
"""Numbers made at once."""

_MANTISSA: Final = GENERATOR["mantissa"].high
_ALWAYS: Final = 0x7FFF


def spikes(word: int, channels: int, steps: int, state: int) -> Iterator[Raster]:
    """Yield the spikes of random generators, in parts of (some steps, channels) bool.

    Parameters
    ----------
    word : int
        The word of GEN_RATE of all channels, of mode 0.
    channels : int
        How many: a multiple of 16.
    steps : int
        Number of steps.
    state : int
        The state of ``gen_rng`` at the beginning.
    """
    mantissa, exponent = (int(GENERATOR[name].decode(word)) for name in ("mantissa", "exponent"))
    # m / 4096 / 8**e: the mantissa's bits are below m, and 3 e bits above them are 0.
    zeros = 8 ** min(7 - exponent, 6) - 1
    limits = [_MANTISSA + 1, 0] if word == _ALWAYS else [mantissa, zeros * (_MANTISSA + 1)]
    numbers = np.zeros(GROUP, dtype=np.uint32)
    return _drawn(_draw, (numbers, np.array(limits, dtype=np.uint32)), channels, steps, state)


def rounded_up(units: int, synapses: int, passes: int, state: int) -> Iterator[Raster]:
    """Yield which changes are rounded up, in parts of (some passes, synapses) bool.

    Parameters
    ----------
    units : int
        The fraction of a change in 2**-12 of a weight's LSB, which is the probability that it is rounded up.
    synapses : int
        Synapses of a pass: a multiple of 16.
    passes : int
        Number of passes.
    state : int
        The state of ``learn_rng`` at the beginning.
    """
    numbers = np.zeros(synapses, dtype=np.int16)
    limits = np.array([2**ROUNDING_BITS - units], dtype=np.uint32)
    return _drawn(_round, (numbers, limits), synapses, passes, state)


def _drawn(
    make: Callable[..., None], arguments: tuple[Any, ...], width: int, rows: int, state: int
) -> Iterator[Raster]:
    """Yield what a compiled function makes of the sequence that goes on from a state."""
    made = sequence()
    begin(made, np.uint64(state))
    at_once = max(1, _AT_ONCE // width)
    for first in range(0, rows, at_once):
        part = np.zeros((min(at_once, rows - first), width), dtype=np.bool_)
        make(made, *arguments, part)
        yield part


@cached
def _draw(
    made: Sequence, numbers: npt.NDArray[np.uint32], limits: npt.NDArray[np.uint32], part: Raster
) -> None:
    """Write the spikes of some steps; `limits` has what a mantissa is below, and the bits that are 0."""
    for step in range(part.shape[0]):
        for first in range(0, part.shape[1], GROUP):
            generator_numbers(made, numbers)
            for k in range(GROUP):
                below = (numbers[k] & np.uint32(_MANTISSA)) < limits[0]
                part[step, first + k] = below & (numbers[k] & limits[1] == 0)


@cached
def _round(
    made: Sequence, numbers: npt.NDArray[np.int16], limits: npt.NDArray[np.uint32], part: Raster
) -> None:
    """Write for some passes which numbers are not below the limit."""
    for row in range(part.shape[0]):
        rounding_numbers(made, part.shape[1] // GROUP, part.shape[1], numbers)
        for k in range(part.shape[1]):
            part[row, k] = numbers[k] >= limits[0]
