"""Results of an experiment: arrays, warnings and a summary."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray, whole
from synloom.base.errors import DeviceError, ParameterError
from synloom.base.wording import shown
from synloom.device.cost import Cost
from synloom.device.counters import Counters
from synloom.device.recording import Recording
from synloom.device.weight_series import Weights
from synloom.experiment.document import Experiment
from synloom.image.image import Image
from synloom.network.network import Network

__all__ = ["Results"]

MOST_BYTES = 256 << 20
"""Most bytes of the arrays of results that are loaded, if nothing else is said."""

MOST_COUNT = 0xFFFF
"""Value at which a neuron's spike counter saturates."""


@dataclass(frozen=True, eq=False)
class Results:
    """The results of running an experiment.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    target : str
        The target, as in `synloom.connect`.
    network : Network
        The network that it describes.
    image : Image
        The compiled network.
    recording : Recording
        Spikes and state over time.
    weights : mapping of str to Weights
        Snapshots, by projection.
    counts : mapping of str to (n,) int64
        Spike counts, by population: of the recorded spikes, else from the spike counters at the end.
    counters : Counters
        The device's counters at the end.
    seconds : float
        Duration of the run, without loading.
    """

    experiment: Experiment
    target: str
    network: Network
    image: Image
    recording: Recording
    weights: Mapping[str, Weights]
    counts: Mapping[str, IntArray]
    counters: Counters
    seconds: float

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, most_bytes: int = MOST_BYTES) -> Results:
        """Return the results in a folder that `synloom run` wrote; all of it is checked first.

        Parameters
        ----------
        folder : str or path
            The folder.
        most_bytes : int
            Most bytes of its arrays together, 1 to 2**40: damaged files cannot fill the memory.

        Returns
        -------
        Results
            Equal to those that were written, but for `cost`, which is None; its figures are in the folder's
            ``summary.json``.

        Raises
        ------
        ParameterError
            If `folder` is not a path, or `most_bytes` is out of range.
        ExperimentError
            If it is no such folder, or if a file of it is missing, was changed or is damaged; the message
            names the file.
        """
        from synloom.experiment.stored_results import read_folder

        if not isinstance(folder, (str, os.PathLike)):
            raise ParameterError(
                f"folder must be a str or a path, not {shown(folder)} ({type(folder).__name__})"
            )
        return read_folder(Path(folder), whole("most_bytes", most_bytes, 1, 1 << 40))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all results as arrays by name, as in ``results.npz`` (docs/experiments.md)."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "dt": np.array(self.experiment.dt),
            "duration": np.array(self.experiment.duration),
        }
        for name in self.recording.sizes:
            times, neurons = self.recording.spikes(name)
            arrays |= {f"{name}.spike_times": times, f"{name}.spike_neurons": neurons}
        for (name, variable), series in self.recording.series.items():
            arrays[f"{name}.{variable}"] = series.values
            arrays[f"{name}.{variable}_times"] = self.recording.times(name, variable)
            arrays[f"{name}.{variable}_indices"] = series.indices
        for name, weights in self.weights.items():
            arrays |= {f"{name}.weights": weights.values, f"{name}.weights_times": weights.times}
        return arrays | {f"{name}.counts": counts for name, counts in self.counts.items()}

    def warnings(self) -> list[str]:
        """Return warnings about the results, one line each: spike counters that saturated."""
        lines = []
        for name, counts in self.counts.items():
            full = int((counts >= MOST_COUNT).sum())
            if full and name not in self.recording.sizes:
                lines.append(
                    f"{name}.counts: {full} of {len(counts)} spike counters saturated at {MOST_COUNT}; "
                    f"record the spikes of {name}, or run for a shorter time"
                )
        return lines

    def cost(self) -> Cost | None:
        """Return what the run cost; None if the spikes of neurons are not known."""
        try:
            return self.recording.cost
        except DeviceError:
            return None

    def summary(self, *, cost: bool = True) -> dict[str, Any]:
        """Return the main figures as plain values for JSON, with what the run cost unless `cost` is False."""
        experiment, report = self.experiment, self.image.report
        worst = report.worst()
        return {
            "experiment": experiment.path.name,
            "title": experiment.title,
            "target": self.target,
            "seed": experiment.seed,
            "settings": dict(experiment.settings),
            "dt": experiment.dt,
            "duration": experiment.duration,
            "steps": experiment.steps,
            "seconds": round(self.seconds, 3),
            "image": self.image.digest(),
            "array": self.image.params.to_dict(),
            "populations": {name: self._population(name) for name in self.recording.sizes},
            "weights": {name: _weights_summary(weights) for name, weights in self.weights.items()},
            "quantisation": {
                "parameters": len(report.rows),
                "worst": None if worst is None else f"{worst.where}: {worst.parameter}",
                "worst_relative_error": 0.0 if worst is None else _finite(worst.relative),
                "remarks": list(report.notes),
            },
            "cost": known.to_dict() if cost and (known := self.cost()) is not None else None,
            "counters": dict(self.counters),
            "losses": self.counters.losses,
            "warnings": self.warnings(),
        }

    def _population(self, name: str) -> dict[str, Any]:
        counts = self.recording.counts(name)
        rates = self.recording.rates(name)
        return {
            "neurons": len(counts),
            "spikes": int(counts.sum()),
            "mean_rate": round(float(rates.mean()), 4),
            "active": int((counts > 0).sum()),
        }


def _weights_summary(weights: Weights) -> dict[str, Any]:
    first, last = weights.present(0), weights.present(-1)
    return {
        "synapses": len(last),
        "mean_before": _finite(first.mean()) if len(first) else None,
        "mean_after": _finite(last.mean()) if len(last) else None,
        "changed": int((first != last).sum()),
    }


def _finite(value: float) -> float | None:
    """Return a rounded number; None for inf and NaN, which JSON lacks."""
    return round(float(value), 6) if np.isfinite(value) else None
