"""Weights over time: what is read of projections between the pieces of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synloom.base.checks import FloatArray, real
from synloom.base.errors import ParameterError
from synloom.base.wording import shown
from synloom.image.image import Image

__all__ = ["Readings", "Weights"]


@dataclass(frozen=True, eq=False)
class Weights:
    """Snapshots of one projection's weights.

    Parameters
    ----------
    times : (K,) float64
        Times of the snapshots, ms.
    values : (K, n_pre, n_post) float64
        Weights in nA (mV for delta synapses); NaN where there is no synapse.
    """

    times: FloatArray
    values: FloatArray

    def present(self, k: int) -> FloatArray:
        """Return the weights of all synapses in snapshot k, (synapses,) float64."""
        snapshot: FloatArray = self.values[k]
        return snapshot[~np.isnan(snapshot)]


class Readings:
    """The readings of weights in one run: at its beginning, at equal intervals from there, and at its end.

    Parameters
    ----------
    image : Image
        The loaded image.
    wanted : mapping
        Projections, or their labels, and the interval of each in ms.
    first, steps : int
        First step, and number of steps.

    Raises
    ------
    NetworkError
        If the image has no such projection.
    ParameterError
        If an interval is not a multiple of dt.
    """

    def __init__(self, image: Image, wanted: Any, first: int, steps: int):
        if not isinstance(wanted, Mapping):
            raise ParameterError(
                f"weights must be a mapping of projections to intervals in ms, such as {{'feed': 100.0}}, "
                f"not {shown(wanted)}"
            )
        self._dt = image.dt
        self._due: dict[str, set[int]] = {}
        self._found: dict[str, list[tuple[int, FloatArray]]] = {}
        for which, interval in wanted.items():
            every = real("the interval of weights", interval, low=image.dt) / image.dt
            if abs(every - round(every)) > 1e-6:
                raise ParameterError(
                    f"the interval of weights must be a multiple of dt ({image.dt:g} ms), not {interval:g} ms"
                )
            label = image.projection(which).label
            self._due[label] = {*range(first, first + steps, round(every)), first + steps}
            self._found[label] = []
        self.cuts = {first, first + steps}.union(*self._due.values())

    def due(self, step: int) -> list[str]:
        """Return the labels of the projections that are read before a step."""
        return [label for label, steps in self._due.items() if step in steps]

    def add(self, label: str, step: int, values: FloatArray) -> None:
        """Keep the weights of a projection, (n_pre, n_post), before a step."""
        self._found[label].append((step, values))

    def series(self) -> dict[str, Weights]:
        """Return what was read until now, by projection."""
        return {
            label: Weights(np.array([step for step, _ in found]) * self._dt, np.stack([v for _, v in found]))
            for label, found in self._found.items()
            if found
        }
