"""The points of a sweep: all combinations of a grid's values, with each entry of a list of settings."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from synloom.base.errors import ParameterError
from synloom.base.wording import shown

__all__ = ["MOST_TASKS", "lists_of", "points_of"]

MOST_TASKS: Final = 100_000
"""Tasks of the largest sweep."""
_NEVER_SWEPT: Final = ("title", "run.seed")


def lists_of(grid: Mapping[str, Iterable[Any]] | None) -> dict[str, list[Any]]:
    """Return the grid with its values in lists: an iterator has them only once."""
    if grid is None:
        return {}
    if not isinstance(grid, Mapping):
        raise ParameterError(f"grid must be a mapping from keys to lists of values, not {shown(grid)}")
    lists = {}
    for key, values in grid.items():
        listed = isinstance(values, Iterable) and not isinstance(values, (str, bytes, Mapping))
        if not listed or getattr(values, "ndim", 1) == 0:
            raise ParameterError(f"the values of {key} must be a list, not {shown(values)}")
        lists[key] = [_plain(value) for value in itertools.islice(values, MOST_TASKS + 1)]
        if not lists[key]:
            raise ParameterError(f"{key} has no values; give at least one, or leave it out")
    return lists


def points_of(
    grid: Mapping[str, list[Any]], settings: Sequence[Mapping[str, Any]] | None
) -> Iterator[dict[str, Any]]:
    """Yield the settings of each point.

    Raises
    ------
    ParameterError
        If the settings are no mappings, or if a key is none of a sweep or is in both.
    """
    listed = [{}] if settings is None else _mappings(settings)
    for each in listed:
        for values in itertools.product(*grid.values()):
            point = {**each, **dict(zip(grid, values, strict=True))}
            for key in point:
                if not isinstance(key, str):
                    raise ParameterError(
                        f"a key must be text, such as populations.cortex.tau_m, not {shown(key)}"
                    )
                if key in _NEVER_SWEPT:
                    raise ParameterError(f"{key} is no setting of a sweep; for random numbers give seeds")
                if key in each and key in grid:
                    raise ParameterError(f"{key} is in the grid and in the settings; give it in one of them")
            yield point


def _mappings(settings: Any) -> list[dict[str, Any]]:
    given = settings if isinstance(settings, Iterable) and not isinstance(settings, Mapping) else [None]
    listed = list(itertools.islice(given, MOST_TASKS + 1))
    if not all(isinstance(each, Mapping) for each in listed):
        raise ParameterError(
            f"settings must be a list of mappings from keys to values, not {shown(settings)}"
        )
    if not listed:
        raise ParameterError("settings is empty; give at least one mapping of keys to values, or none")
    return [{key: _plain(value) for key, value in each.items()} for each in listed]


def _plain(value: Any) -> Any:
    """Return NumPy's numbers and arrays as Python's."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
