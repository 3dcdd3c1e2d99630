"""Tasks of a sweep: one experiment with settings and a seed, and a result that proves itself."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np

from synloom.base.errors import ExperimentError
from synloom.base.wording import shown
from synloom.batch.metric_identity import metric_identity
from synloom.experiment.document import Experiment
from synloom.experiment.experiment_run import run_experiment
from synloom.experiment.identity import experiment_digest
from synloom.experiment.results import Results

__all__ = ["OWN_COLUMNS", "SUMMARY_METRICS", "Metric", "Record", "Task", "make_task", "run_task"]

Metric = Callable[[Results], "float | Mapping[str, float]"]
"""What is measured: a number, or some by name."""

SUMMARY_METRICS: Final = (".mean_rate", ".spikes", ".active", ".mean_after", ".changed")
"""Ends of the names of what is always measured."""

OWN_COLUMNS: Final = ("seed", "losses", "seconds", "digest", "error")
"""Columns of the table beside settings and metrics."""

_FORMAT: Final = 1


@dataclass(frozen=True, eq=False)
class Task:
    """One run of a sweep.

    Parameters
    ----------
    digest : str
        Names the experiment with its settings, the seed and the metric.
    experiment : Experiment
        The experiment with its settings and seed.
    settings : mapping of str to object
        What the sweep changed.
    metric : callable or None
        What is measured besides the summary.
    target : str
        Where it runs; all targets give the same bits, so the digest does not depend on it.
    files : mapping of str to bytes
        Contents of the data files, if they are not where the task runs.
    """

    digest: str
    experiment: Experiment
    settings: Mapping[str, Any]
    metric: Metric | None
    target: str
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        """The seed."""
        return self.experiment.seed


@dataclass(frozen=True)
class Record:
    """The result of a task.

    Parameters
    ----------
    task : str
        The task's digest.
    settings : mapping of str to object
        What the sweep changed.
    seed : int
        The seed.
    metrics : mapping of str to float
        What was measured; NaN and infinities are kept.
    image : str
        Digest of the compiled network.
    arrays : str
        Digest of all arrays of the results: spikes, samples and weights.
    losses : mapping of str to int
        The counters of lost events and limited values.
    seconds : float
        Duration of the run, which is no part of the digest.
    version : str
        The version of Synloom that ran it, no part either.
    """

    task: str
    settings: Mapping[str, Any]
    seed: int
    metrics: Mapping[str, float]
    image: str
    arrays: str
    losses: Mapping[str, int]
    seconds: float
    version: str

    def digest(self) -> str:
        """Return 32 hex digits over all that a run elsewhere must give, too."""
        content = {name: value for name, value in self._plain().items() if name not in ("seconds", "version")}
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]

    def _plain(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        # JSON has no NaN; repr has every digit.
        return {**plain, "metrics": {name: repr(value) for name, value in self.metrics.items()}}

    def to_json(self) -> bytes:
        """Return the record as text, with its digest."""
        content = {"format": _FORMAT, "digest": self.digest(), **self._plain()}
        return (json.dumps(content, indent=2, default=str) + "\n").encode()

    @classmethod
    def from_json(cls, text: bytes) -> Record:
        """Return the record of a text.

        Raises
        ------
        ValueError
            If it is damaged: it is not what was written.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
            raise ValueError("it is no result of a sweep")
        digest = content.pop("digest", None)
        try:
            content["metrics"] = {name: float(value) for name, value in content["metrics"].items()}
            record = cls(**content)
            right = record.digest() == digest
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("it is no result of a sweep") from error
        if not right:
            raise ValueError("its digest is wrong")
        return record


def make_task(
    experiment: Experiment,
    settings: Mapping[str, Any],
    metric: Metric | None,
    target: str,
    files: Mapping[str, bytes],
) -> Task:
    """Return the task of an experiment that has its settings and seed.

    Parameters
    ----------
    experiment, settings, metric, target, files
        As in `Task`.

    Raises
    ------
    ExperimentError
        If a data file is missing.
    """
    parts = [experiment_digest(experiment), metric_identity(metric)]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
    return Task(digest, experiment, dict(settings), metric, target, files)


def run_task(task: Task) -> Record:
    """Run a task, wherever this is called.

    Raises
    ------
    SynloomError
        If the experiment is wrong or the target fails.
    """
    with _placed(task) as experiment:
        results = run_experiment(experiment, task.target)
    return Record(
        task=task.digest,
        settings=task.settings,
        seed=task.seed,
        metrics=_measured(results, task),
        image=results.image.digest(),
        arrays=_arrays_digest(results),
        losses=results.counters.losses,
        seconds=round(results.seconds, 6),
        version=metadata.version("synloom"),
    )


@contextmanager
def _placed(task: Task) -> Iterator[Experiment]:
    """Yield the experiment with its data files in place."""
    if not task.files:
        yield task.experiment
        return
    with tempfile.TemporaryDirectory(prefix="synloom-") as place:
        for name, content in task.files.items():
            path = Path(place) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield replace(task.experiment, path=Path(place) / task.experiment.path.name)


def _measured(results: Results, task: Task) -> dict[str, float]:
    metrics, metric = _summary(results), task.metric
    if metric is None:
        return metrics
    value: Any = metric(results)
    named = value if isinstance(value, Mapping) else {_name(metric): value}
    taken = {*task.settings, *OWN_COLUMNS, *metrics}
    for name, number in named.items():
        if str(name) in taken:
            raise ExperimentError(
                f"the metric {name!r} has the name of another column of the table; call it something else"
            )
        try:
            metrics[str(name)] = float(number)
        except (TypeError, ValueError):
            raise ExperimentError(f"the metric {name!r} must be a number, not {shown(number)}") from None
    return metrics


def _name(metric: Metric) -> str:
    while isinstance(metric, functools.partial):
        metric = metric.func
    return str(getattr(metric, "__name__", "metric"))


def _summary(results: Results) -> dict[str, float]:
    """Return what is always measured, by name."""
    summary = results.summary(cost=False)
    metrics: dict[str, float] = {}
    for name, row in summary["populations"].items():
        metrics |= {f"{name}.{key}": float(row[key]) for key in ("mean_rate", "spikes", "active")}
    for name, row in summary["weights"].items():
        mean = row["mean_after"]
        metrics |= {f"{name}.mean_after": math.nan if mean is None else float(mean)}
        metrics |= {f"{name}.changed": float(row["changed"])}
    return metrics


def _arrays_digest(results: Results) -> str:
    sha = hashlib.sha256()
    for name, array in sorted(results.arrays().items()):
        sha.update(f"{name} {array.dtype.str} {array.shape}".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()[:32]
