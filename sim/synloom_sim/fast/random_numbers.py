"""Random numbers of whole passes: tables of the linear sequence of docs/numbers.md, and their use.

Numbers are made in blocks. A block of a state is the xor of one table row for each digit of 4 bits, and the
state behind it that of one entry for each byte: some 50 kB of tables, whatever the size of the array.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from synloom_sim.fast.compiled import compiled
from synloom_sim.model.random_numbers import (
    GENERATOR_BITS,
    GROUP,
    ROUNDING_BITS,
    advance,
    by_digits,
    unit_states,
)

__all__ = ["BLOCK", "RandomTables", "generator_block", "random_tables", "rounding_numbers"]

BLOCK: Final = 64
"""Numbers of rounding that are made together: some groups."""

_GROUPS: Final = BLOCK // GROUP
_DIGIT_BITS: Final = 4
_DIGIT: Final = np.uint64((1 << _DIGIT_BITS) - 1)
_BYTE: Final = np.uint64(0xFF)

Uint64s = npt.NDArray[np.uint64]


class RandomTables(NamedTuple):
    """The tables.

    Parameters
    ----------
    rounding : (16, 16, BLOCK) int16
        Numbers of rounding of each digit of a state.
    over_block, over_group : (8, 256) uint64
        The state a block, or a group, further on, of each byte.
    generator : (16, 16, 16) uint32
        Numbers of 16 generators.
    over_generators : (8, 256) uint64
        The state behind them.
    """

    rounding: npt.NDArray[np.int16]
    over_block: Uint64s
    over_group: Uint64s
    generator: npt.NDArray[np.uint32]
    over_generators: Uint64s


def _numbers(bits: int, count: int, dtype: type[Any]) -> npt.NDArray[Any]:
    """Return the first numbers of each digit, (16, 16, count)."""
    units, mask = unit_states(), np.uint64((1 << bits) - 1)
    columns = [(advance(units, bits * place) & mask).astype(dtype) for place in range(count)]
    return by_digits(np.stack(columns, axis=1), _DIGIT_BITS)


def _jump(bits: int) -> Uint64s:
    return by_digits(advance(unit_states(), bits))


@cache
def random_tables() -> RandomTables:
    """Return the tables, which are made once."""
    return RandomTables(
        _numbers(ROUNDING_BITS, BLOCK, np.int16),
        _jump(ROUNDING_BITS * BLOCK),
        _jump(ROUNDING_BITS * GROUP),
        _numbers(GENERATOR_BITS, GROUP, np.uint32),
        _jump(GENERATOR_BITS * GROUP),
    )


@compiled
def _jumped(table: Uint64s, state: np.uint64) -> np.uint64:
    """Return the state after `state`."""
    following = np.uint64(0)
    for k in range(8):
        following ^= table[k, state >> np.uint64(8 * k) & _BYTE]
    return following


@compiled
def _block(table: npt.NDArray[Any], state: np.uint64, numbers: npt.NDArray[Any]) -> None:
    """Make the numbers of a state, as many as the table has."""
    count = table.shape[2]
    for digit in range(0, 16, 4):
        # Four rows at a time: more would be too many for the compiler to tell them apart from `numbers`.
        first = table[digit, state & _DIGIT]
        second = table[digit + 1, state >> np.uint64(4) & _DIGIT]
        third = table[digit + 2, state >> np.uint64(8) & _DIGIT]
        fourth = table[digit + 3, state >> np.uint64(12) & _DIGIT]
        state >>= np.uint64(16)
        if digit == 0:
            for k in range(count):
                numbers[k] = first[k] ^ second[k] ^ third[k] ^ fourth[k]
        else:
            for k in range(count):
                numbers[k] ^= first[k] ^ second[k] ^ third[k] ^ fourth[k]


@compiled
def rounding_numbers(
    tables: RandomTables, state: np.uint64, groups: int, count: int, numbers: npt.NDArray[np.int16]
) -> np.uint64:
    """Make the first `count` numbers of some groups of a state; return the state behind all groups.

    `numbers` has room for whole blocks.
    """
    at = 0
    while groups > 0:
        if at < count:
            _block(tables.rounding, state, numbers[at : at + BLOCK])
            at += BLOCK
        if groups >= _GROUPS:
            state = _jumped(tables.over_block, state)
            groups -= _GROUPS
        else:
            # The block above has the numbers of all groups that are left.
            state = _jumped(tables.over_group, state)
            groups -= 1
            count = 0
    return state


@compiled
def generator_block(tables: RandomTables, state: np.uint64, numbers: npt.NDArray[np.uint32]) -> np.uint64:
    """Make the numbers of 16 generators; return the state behind them."""
    _block(tables.generator, state, numbers)
    return _jumped(tables.over_generators, state)
