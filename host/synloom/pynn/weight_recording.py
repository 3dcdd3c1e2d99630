"""Weights of projections over time, which PyNN itself does not record."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyNN import errors

from synloom.base.checks import FloatArray, IntArray
from synloom.pynn.simulator import state

__all__ = ["WeightRecorder"]


class WeightRecorder:
    """The samples of one projection's weights, a segment for each `reset`.

    Parameters
    ----------
    every : int
        Steps from one sample to the next.
    start : int
        Step of the first one.
    """

    def __init__(self, every: int, start: int):
        self.every = every
        self._start = start
        self._segments: list[list[tuple[int, FloatArray]]] = [[]]

    @classmethod
    def of(cls, sampling_interval: Any) -> WeightRecorder:
        """Return a recorder that begins now, with an interval in ms.

        Raises
        ------
        InvalidParameterValueError
            If the interval is not a multiple of the time step.
        """
        known = isinstance(sampling_interval, (int, float)) and np.isfinite(sampling_interval)
        steps = sampling_interval / state.dt if known else 0.0
        if steps < 1.0 - 1e-6 or abs(steps - round(steps)) > 1e-6:
            raise errors.InvalidParameterValueError(
                f"sampling_interval must be a multiple of the time step, {state.dt:g} ms, not "
                f"{sampling_interval!r}"
            )
        return cls(round(steps), state.step)

    def due(self, first: int, end: int) -> set[int]:
        """Return the steps after `first` and before `end` at which weights are read."""
        k = max((first - self._start) // self.every + 1, 0)
        return set(range(self._start + k * self.every, end, self.every))

    def is_due(self, step: int) -> bool:
        """Return whether weights are read at a step, and have not been."""
        samples = self._segments[-1]
        due = step >= self._start and (step - self._start) % self.every == 0
        return due and (not samples or samples[-1][0] < step)

    def add(self, step: int, weights: FloatArray) -> None:
        """Keep the weights of all synapses at a step, (K,)."""
        self._segments[-1].append((step, np.array(weights)))

    def restart(self) -> None:
        """Begin the next segment, at time 0."""
        self._segments.append([])
        self._start = 0

    def block(self, name: str, units: str, pre: IntArray, post: IntArray) -> Any:
        """Return a `neo.Block` with a signal for each segment, (samples, K)."""
        import neo
        import quantities as pq

        block = neo.Block(name=name)
        for samples in self._segments:
            segment = neo.Segment()
            if samples:
                signal = neo.AnalogSignal(
                    np.stack([weights for _, weights in samples]),
                    units=units,
                    t_start=samples[0][0] * state.dt * pq.ms,
                    sampling_period=self.every * state.dt * pq.ms,
                    name="weight",
                    array_annotations={"presynaptic_index": pre, "postsynaptic_index": post},
                )
                segment.analogsignals.append(signal)
            block.segments.append(segment)
        return block
