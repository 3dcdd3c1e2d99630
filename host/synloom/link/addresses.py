"""Consecutive offsets of a region, in pieces that fit commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from synloom.base.errors import ParameterError
from synloom.contract.regions import Region

__all__ = ["advance", "pieces"]

_OFFSETS: Final = 1 << 24
_TARGETS: Final = 1 << 12


def advance(region: Region, offset: int, count: int, neurons: int) -> int:
    """Return the offset `count` places after `offset`; a row of WEIGHTS has N places (docs/protocol.md)."""
    if region != Region.WEIGHTS:
        return offset + count
    source, target = divmod(offset, _TARGETS)
    if target >= neurons:
        # Places that do not exist are passed over one by one, up to the next row.
        if count < _TARGETS - target:
            return offset + count
        count -= _TARGETS - target
        source, target = source + 1, 0
    rows, target = divmod(target + count, neurons)
    return (source + rows) * _TARGETS + target


def pieces(
    region: Region, offset: int, count: int, most: int, neurons: int
) -> Iterator[tuple[int, int, int]]:
    """Yield (position, offset, count) of pieces of at most `most` places.

    Raises
    ------
    ParameterError
        If an offset or the count is out of range.
    """
    if count < 0:
        raise ParameterError(f"count must be at least 0, not {count}")
    if not 0 <= offset < _OFFSETS or advance(region, offset, count, neurons) > _OFFSETS:
        raise ParameterError(
            f"offsets of {region.name} must be in 0..{_OFFSETS - 1}; {count} from {offset} are not"
        )
    for position in range(0, count, most):
        yield position, advance(region, offset, position, neurons), min(most, count - position)
