"""Changes that wait for their step on the host, because the array must stand still while they are made."""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from synloom.base.errors import CapacityError, NetworkError, ParameterError
from synloom.base.warning import SynloomWarning

__all__ = ["Scheduled", "added", "made", "next_cut"]


class Scheduled(NamedTuple):
    """A change that waits.

    Parameters
    ----------
    step : int
        It is made before this step.
    what : str
        What changes, in words.
    make : callable
        Makes it, or raises an error before anything is written.
    """

    step: int
    what: str
    make: Callable[[], None]


def added(waiting: tuple[Scheduled, ...], changes: Sequence[Scheduled]) -> tuple[Scheduled, ...]:
    """Return what waits with some changes for one step: behind those of that step that wait already."""
    if not changes:
        return waiting
    place = bisect_right(waiting, changes[0].step, key=lambda change: change.step)
    return (*waiting[:place], *changes, *waiting[place:])


def next_cut(waiting: tuple[Scheduled, ...], now: int, end: int) -> int:
    """Return the step of the first change after `now`, or `end` if none comes before it."""
    place = bisect_right(waiting, now, key=lambda change: change.step)
    return min(waiting[place].step, end) if place < len(waiting) else end


def made(change: Scheduled, dt: float) -> None:
    """Make a change; its warnings were shown when it was asked for.

    Raises
    ------
    ParameterError
        If it does not fit to what was set in between.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SynloomWarning)
            change.make()
    except (ParameterError, NetworkError, CapacityError) as error:
        raise ParameterError(
            f"the change of {change.what} that was scheduled for {change.step * dt:g} ms cannot be made, and "
            f"is dropped: {error}"
        ) from error
