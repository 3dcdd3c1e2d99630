"""Changes that wait for their step on the host, because the array must stand still while they are made."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from synloom.image.waiting import Change

__all__ = ["added", "next_cut"]


def added(waiting: tuple[Change, ...], changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return what waits with some changes for one step: behind those of that step that wait already."""
    if not changes:
        return waiting
    place = bisect_right(waiting, changes[0].step, key=lambda change: change.step)
    return (*waiting[:place], *changes, *waiting[place:])


def next_cut(waiting: tuple[Change, ...], now: int, end: int) -> int:
    """Return the step of the first change after `now`, or `end` if none comes before it."""
    place = bisect_right(waiting, now, key=lambda change: change.step)
    return min(waiting[place].step, end) if place < len(waiting) else end
