"""Recordings: the results of a run, in ms, mV and nA."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray, label_of, whole
from synloom.base.errors import DeviceError, NetworkError, ParameterError
from synloom.device.cost import Cost, Work, cost_of
from synloom.device.recording_file import MOST_BYTES, Contents, read_contents, write_contents
from synloom.device.recording_forms import neo_block, samples_table, spikes_table
from synloom.device.weight_series import Weights

__all__ = ["Recording", "Series", "joined"]


@dataclass(frozen=True, eq=False)
class Series:
    """Samples of one variable.

    Parameters
    ----------
    steps : (T,) int64
        Steps of the samples; a sample is the state at the end of its step.
    indices : (k,) int64
        Neurons (or channels) within the population.
    values : (T, k) float64
        Samples in mV, in nA, or in spikes for traces.
    """

    steps: IntArray
    indices: IntArray
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Recording:
    """Spikes and samples of one run.

    Step t covers the time from ``t * dt`` to ``(t + 1) * dt``; its spikes carry the time ``t * dt``.

    Parameters
    ----------
    first, steps : int
        First step, and number of steps.
    dt : float
        Time step, ms.
    sizes : mapping of str to int
        Number of neurons of every population whose spikes were recorded, by label.
    spike_steps, spike_indices : mapping of str to (K,) int64
        Step and neuron of every spike, by label, in order of time and then of neuron.
    series : mapping of (str, str) to Series
        Samples by label of the population and variable.
    works : tuple of Work, optional
        What `cost` is computed from; None if it is not known, after an interruption.
    readings : mapping of str to Weights
        Weights over time by label of the projection, if the run had `weights`.
    """

    first: int
    steps: int
    dt: float
    sizes: Mapping[str, int]
    spike_steps: Mapping[str, IntArray]
    spike_indices: Mapping[str, IntArray]
    series: Mapping[tuple[str, str], Series]
    works: tuple[Work, ...] | None = ()
    readings: Mapping[str, Weights] = field(default_factory=dict)

    @cached_property
    def cost(self) -> Cost:
        """What the run cost: spikes, synaptic operations, weight updates, bytes, and boards' time and energy.

        It is computed when it is first asked for. Generators are drawn again for that, which takes about as
        long as the model takes for them.

        Raises
        ------
        DeviceError
            If neither the spikes of a population were recorded nor the array has spike counters (or they are
            full), so that spikes are not known, or the run was cut short.
        """
        if self.works is None:
            raise DeviceError("the cost of a run that was cut short is not known; run again from a load")
        return cost_of(self.works)

    @property
    def duration(self) -> float:
        """Length of the run in ms."""
        return self.steps * self.dt

    def spikes(self, population: Any) -> tuple[FloatArray, IntArray]:
        """Return the spikes of a population: times in ms since the start, (K,) float64; neurons, (K,) int64.

        Raises
        ------
        NetworkError
            If the spikes of this population were not recorded. The same holds for `raster`, `counts` and
            `rates`.
        """
        label = self._label(population)
        return self.spike_steps[label].astype(np.float64) * self.dt, self.spike_indices[label]

    def raster(self, population: Any) -> npt.NDArray[np.uint8]:
        """Return the spikes of a population as (T, n) uint8; row 0 is the first step of the run."""
        label = self._label(population)
        raster = np.zeros((self.steps, self.sizes[label]), dtype=np.uint8)
        raster[self.spike_steps[label] - self.first, self.spike_indices[label]] = 1
        return raster

    def counts(self, population: Any) -> IntArray:
        """Return the number of spikes of every neuron, (n,) int64."""
        label = self._label(population)
        return np.bincount(self.spike_indices[label], minlength=self.sizes[label]).astype(np.int64)

    def rates(self, population: Any) -> FloatArray:
        """Return the mean rate of every neuron in Hz, (n,) float64; 0 if the run has no steps."""
        counts = self.counts(population).astype(np.float64)
        return counts * (1000.0 / self.duration) if self.steps else counts

    def values(self, population: Any, variable: str) -> FloatArray:
        """Return the samples of a recorded variable, (T, k) float64: in mV, in nA, or in spikes for traces.

        Raises
        ------
        NetworkError
            If this variable was not recorded. The same holds for `times`.
        """
        return self._series(population, variable).values

    def times(self, population: Any, variable: str) -> FloatArray:
        """Return the times of the samples in ms, (T,) float64: the ends of the steps, ``(t + 1) * dt``."""
        return (self._series(population, variable).steps + 1).astype(np.float64) * self.dt

    def weights(self, projection: Any) -> Weights:
        """Return the weights of a projection over time: `times` in ms, `values` (K, n_pre, n_post).

        Raises
        ------
        NetworkError
            If they were not read: give `weights` to `Device.run`.
        """
        label = label_of(projection)
        if label not in self.readings:
            known = ", ".join(map(repr, self.readings)) or "none"
            raise NetworkError(
                f"weights of {label!r} were not read, but of {known}; give weights={{{label!r}: ms}} to run"
            )
        return self.readings[label]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recording to a file, an archive of NumPy's; what its cost is computed from is not kept.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        series = {key: (part.steps, part.indices, part.values) for key, part in self.series.items()}
        spikes = {label: (self.spike_steps[label], self.spike_indices[label]) for label in self.sizes}
        weights = {label: (part.times, part.values) for label, part in self.readings.items()}
        contents = Contents(self.first, self.steps, self.dt, self.sizes, spikes, series, weights)
        write_contents(Path(path), contents)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, most_bytes: int = MOST_BYTES) -> Recording:
        """Return the recording in a file of `save`; all of it is checked.

        Parameters
        ----------
        path : str or path
            The file.
        most_bytes : int
            Most bytes of its arrays together, 1 to 2**40: a damaged file cannot fill the memory.

        Returns
        -------
        Recording
            Equal to the one that was saved, but that its `cost` is not known.

        Raises
        ------
        ParameterError
            If it is no such file, is damaged, or was written by a version with another format.
        OSError
            If it cannot be read.
        """
        found = read_contents(Path(path), whole("most_bytes", most_bytes, 1, 1 << 40))
        return cls(
            first=found.first,
            steps=found.steps,
            dt=found.dt,
            sizes=found.sizes,
            spike_steps={label: steps for label, (steps, _) in found.spikes.items()},
            spike_indices={label: indices for label, (_, indices) in found.spikes.items()},
            series={key: Series(*parts) for key, parts in found.series.items()},
            works=None,
            readings={label: Weights(*parts) for label, parts in found.weights.items()},
        )

    def to_neo(self) -> Any:
        """Return a `neo.Block` with one segment: a spike train for each neuron, a signal for each variable.

        Spike trains are annotated with `population` and `source_index`, signals with `population` and
        `source_indices`. Times count from the start of the device's time, in ms.

        Raises
        ------
        ParameterError
            If Neo is not installed (extra ``data``).
        """
        series = {key: (part.steps, part.indices, part.values) for key, part in self.series.items()}
        start, stop = self.first * self.dt, (self.first + self.steps) * self.dt
        spikes = {label: self.spikes(label) for label in self.sizes}
        return neo_block(start, stop, self.dt, self.sizes, spikes, series)

    def to_pandas(self, population: Any = None, variable: str | None = None) -> Any:
        """Return a `pandas.DataFrame` of spikes, or of the samples of one variable.

        Parameters
        ----------
        population : Population or str, optional
            Whose spikes; default: all that were recorded.
        variable : str, optional
            A variable of the population whose samples to return.

        Returns
        -------
        pandas.DataFrame
            Spikes: a row for each, with time (ms), population and neuron. Samples: a row for each time (ms),
            a column for each neuron.

        Raises
        ------
        ParameterError
            If pandas is not installed (extra ``data``), or a variable is given without a population.
        NetworkError
            If this was not recorded.
        """
        if variable is not None:
            if population is None:
                raise ParameterError("give the population whose samples to return")
            part = self._series(population, variable)
            return samples_table(self.times(population, variable), part.indices, part.values)
        labels = list(self.sizes) if population is None else [self._label(population)]
        return spikes_table({label: self.spikes(label) for label in labels})

    def _series(self, population: Any, variable: str) -> Series:
        label = label_of(population)
        if (label, variable) not in self.series:
            known = ", ".join(f"{p}: {v}" for p, v in self.series) or "nothing"
            raise NetworkError(
                f"{variable!r} of {label!r} was not recorded (recorded: {known}); call record() before a run"
            )
        return self.series[label, variable]

    def _label(self, population: Any) -> str:
        label = label_of(population)
        if label not in self.sizes:
            known = ", ".join(map(repr, self.sizes)) or "none"
            raise NetworkError(
                f"spikes of {label!r} were not recorded (recorded: {known}); call record() before a run"
            )
        return label


def joined(recordings: Sequence[Recording], readings: Mapping[str, Weights] | None = None) -> Recording:
    """Join consecutive recordings of the same recorders, with the weights that were read between them."""
    first = recordings[0]
    works = [recording.works for recording in recordings]
    return Recording(
        first=first.first,
        steps=sum(recording.steps for recording in recordings),
        dt=first.dt,
        sizes=first.sizes,
        spike_steps={name: np.concatenate([r.spike_steps[name] for r in recordings]) for name in first.sizes},
        spike_indices={
            name: np.concatenate([r.spike_indices[name] for r in recordings]) for name in first.sizes
        },
        series={name: _joined_series([r.series[name] for r in recordings]) for name in first.series},
        works=None if None in works else tuple(work for each in works for work in each or ()),
        readings=readings or {},
    )


def _joined_series(parts: list[Series]) -> Series:
    return Series(
        np.concatenate([part.steps for part in parts]),
        parts[0].indices,
        # Values of a piece without samples may have another shape.
        np.concatenate([part.values.reshape(len(part.steps), len(part.indices)) for part in parts]),
    )
