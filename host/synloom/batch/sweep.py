"""Sweeps: an experiment over a grid or a list of settings and seeds, on all cores or a cluster."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import ExperimentError, ParameterError
from synloom.base.progress import Progress
from synloom.base.warning import warn
from synloom.base.wording import shown
from synloom.base.workers import Failure, check_picklable, check_where, outcomes
from synloom.batch.cluster import cluster_executor
from synloom.batch.figures import draw_metric
from synloom.batch.points import MOST_TASKS, lists_of, points_of
from synloom.batch.store import Store
from synloom.batch.table import Row, as_csv, as_parquet, table_of
from synloom.batch.task import SUMMARY_METRICS, Metric, Record, Task, make_task, run_task
from synloom.contract.targets import ANY_ARRAY
from synloom.experiment.data_files import find
from synloom.experiment.document import Experiment, read_experiment
from synloom.experiment.identity import experiment_digest
from synloom.experiment.settings import setting_text, with_settings

__all__ = ["Sweep", "sweep"]


@dataclass(frozen=True, eq=False)
class Sweep:
    """The results of a sweep.

    Parameters
    ----------
    tasks : sequence of Task
        All tasks, in order: the settings' first key changes slowest, seeds fastest.
    records : mapping of str to Record
        Results, by digest of the task.
    failures : mapping of str to Failure
        Errors, by digest of the task.
    fresh : int
        Number of tasks that ran; the results of the others were there.
    """

    tasks: Sequence[Task]
    records: Mapping[str, Record]
    failures: Mapping[str, Failure]
    fresh: int

    @property
    def rows(self) -> list[Row]:
        """The table: a dict for each task, all with the same keys."""
        return table_of(self.tasks, self.records, self.failures)

    @property
    def metrics(self) -> list[str]:
        """Names of all that was measured."""
        return list(dict.fromkeys(name for record in self.records.values() for name in record.metrics))

    @property
    def varied(self) -> list[str]:
        """Keys of the settings, and ``"seed"``, that have more than one value."""
        keys = dict.fromkeys(key for task in self.tasks for key in task.settings)
        many = [k for k in keys if len({setting_text(task.settings.get(k)) for task in self.tasks}) > 1]
        return many + (["seed"] if len({task.seed for task in self.tasks}) > 1 else [])

    def values(self, metric: str) -> FloatArray:
        """Return a metric of all tasks, (K,) float64 in the order of `tasks`; NaN without a result.

        Raises
        ------
        ParameterError
            If nothing of that name was measured.
        """
        if self.records and metric not in self.metrics:
            raise ParameterError(
                f"there is no metric {metric!r}; measured were: {', '.join(self.metrics) or 'none'}"
            )
        return np.array([row.get(metric, np.nan) for row in self.rows], dtype=np.float64)

    def errors(self) -> list[str]:
        """Return a line for each failed task: its settings, its seed and its error."""
        return [
            f"{_described(task)}: {self.failures[task.digest]}"
            for task in self.tasks
            if task.digest in self.failures
        ]


def sweep(
    experiment: str | Path | Experiment,
    *,
    grid: Mapping[str, Sequence[Any]] | None = None,
    settings: Sequence[Mapping[str, Any]] | None = None,
    seeds: Iterable[int] | None = None,
    metric: Metric | None = None,
    out: str | Path | None = None,
    target: str = "software",
    jobs: int | None = None,
    executor: Executor | None = None,
    cluster: str | None = None,
    again: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Run an experiment for all settings and seeds (docs/sweeps.md).

    Parameters
    ----------
    experiment : str, Path or Experiment
        An experiment file, or what `read_experiment` returned.
    grid : mapping of str to sequence, optional
        Values by key, such as ``{"populations.cortex.tau_m": [10.0, 20.0]}``: all combinations.
    settings : sequence of mapping, optional
        A list of settings instead, or each with the whole grid.
    seeds : iterable of int, optional
        Seeds; default: that of the experiment.
    metric : callable, optional
        ``metric(results)`` returns a number, or some by name; defined in a module.
    out : str or Path, optional
        Folder where results are kept, and found again; failed tasks are run again.
    target : str
        An engine of this process or a simulated board.
    jobs, executor, cluster : int, Executor or str, optional
        Where: so many processes (default: one for each core), an executor, or a Dask scheduler's address.
    again : bool
        Run all tasks, and compare: a result that differs from the one that is there is an error.
    progress : callable, optional
        Called as ``progress(what, share)`` after each task.

    Raises
    ------
    ExperimentError, ParameterError
        If the experiment, a setting, the folder or an argument is wrong, or if a result differs.
    TargetError
        If the cluster is not there.
    """
    local = executor is None and cluster is None
    _check_where(target, jobs, executor, cluster, progress)
    _check_metric(metric, travels=local and jobs != 1)
    base = experiment if isinstance(experiment, Experiment) else _read(experiment)
    tasks = list(_tasks(base, lists_of(grid), settings, seeds, metric, target, not local))
    with ExitStack() as stack:
        if (store := None if out is None else Store(Path(out))) is not None:
            stack.enter_context(store.opened(base))
            store.describe(_plan(base, tasks))
        if cluster is not None:
            executor = stack.enter_context(cluster_executor(cluster))
        return _Sweeping(tasks, store, again, progress).run(jobs, executor, base.title)


def _check_metric(metric: Any, travels: bool) -> None:
    if metric is not None and not callable(metric):
        raise ParameterError(f"metric must be a function, not {shown(metric)}")
    if metric is not None and travels:
        check_picklable(metric)


def _read(experiment: Any) -> Experiment:
    if not isinstance(experiment, (str, Path)):
        raise ParameterError(
            f"experiment must be a file or what read_experiment returned, not {shown(experiment)}"
        )
    return read_experiment(experiment)


def _check_where(
    target: str, jobs: int | None, executor: Executor | None, cluster: str | None, progress: Progress | None
) -> None:
    if sum(each is not None for each in (jobs, executor, cluster)) > 1:
        raise ParameterError("jobs, executor and cluster exclude one another; give only one of them")
    if target not in ANY_ARRAY:
        raise ParameterError(
            f"target must be one of {', '.join(ANY_ARRAY)}, which become any array, not {shown(target)}; "
            f"run the tasks of a board one after the other with `synloom run`"
        )
    if cluster is not None and not isinstance(cluster, str):
        raise ParameterError(f"cluster must be an address such as tcp://10.0.0.1:8786, not {shown(cluster)}")
    check_where(jobs, executor, progress)


def _tasks(
    base: Experiment,
    grid: Mapping[str, list[Any]],
    settings: Sequence[Mapping[str, Any]] | None,
    seeds: Iterable[int] | None,
    metric: Metric | None,
    target: str,
    portable: bool,
) -> Iterator[Task]:
    """Yield all tasks; each is checked before any of them runs."""
    if seeds is not None and (isinstance(seeds, (str, bytes, Mapping)) or not isinstance(seeds, Iterable)):
        raise ParameterError(f"seeds must be a list of whole numbers, such as range(10), not {shown(seeds)}")
    # They may be without end.
    points = list(itertools.islice(points_of(grid, settings), MOST_TASKS + 1))
    numbers = [base.seed] if seeds is None else list(itertools.islice(seeds, MOST_TASKS + 1))
    if not numbers:
        raise ParameterError("seeds is empty; give at least one, such as range(10)")
    if len(points) * len(numbers) > MOST_TASKS:
        raise ParameterError(f"a sweep has at most {MOST_TASKS:,} tasks, and this one has more; divide it")
    known: dict[str, Task] = {}
    read: dict[str, bytes] = {}
    for point in points:
        changed = with_settings(base, point)
        for seed in numbers:
            ready = changed.changed(seed=seed)
            files = _contents(ready, read) if portable else {}
            task = make_task(ready, point, metric, target, files)
            if task.digest in known:
                raise ParameterError(
                    f"two tasks are the same experiment: {_described(known[task.digest])}; and "
                    f"{_described(task)}; give each value once"
                )
            known[task.digest] = task
            yield task


def _contents(experiment: Experiment, read: dict[str, bytes]) -> dict[str, bytes]:
    """Return the contents of the data files; each is read once and kept in `read`."""
    for name in experiment.data_files():
        if name not in read:
            read[name] = find(name, experiment.path.parent, experiment.where).read_bytes()
    return {name: read[name] for name in experiment.data_files()}


def _described(task: Task) -> str:
    parts = [f"{key}={setting_text(value)}" for key, value in task.settings.items()]
    return " ".join([*parts, f"seed={task.seed}"])


def _plan(base: Experiment, tasks: Sequence[Task]) -> dict[str, Any]:
    return {
        "experiment": base.path.name,
        "title": base.title,
        "experiment_digest": experiment_digest(base, seed=False),
        "settings": list(dict.fromkeys(key for task in tasks for key in task.settings)),
        "tasks": len(tasks),
    }


class _Sweeping:
    """A sweep that is going on."""

    def __init__(self, tasks: Sequence[Task], store: Store | None, again: bool, progress: Progress | None):
        self._tasks = tasks
        self._store = store
        self._again = again
        self._progress = progress
        self._failures: dict[str, Failure] = {}
        self._records: dict[str, Record] = {}
        if store is not None:
            self._records, damaged = store.found(tasks)
            for line in damaged:
                warn(line)

    def run(self, jobs: int | None, executor: Executor | None, title: str) -> Sweep:
        todo = [task for task in self._tasks if self._again or task.digest not in self._records]
        self._tell(len(self._tasks) - len(todo))
        if todo:
            with outcomes(run_task, todo, workers=jobs, executor=executor) as ended:
                for count, (index, outcome) in enumerate(ended, len(self._tasks) - len(todo) + 1):
                    self._take(todo[index], outcome)
                    self._tell(count)
        done = Sweep(self._tasks, self._records, self._failures, len(todo))
        if self._store is not None:
            _write_tables(done, self._store, title)
        return done

    def _take(self, task: Task, outcome: Record | Failure) -> None:
        if isinstance(outcome, Failure):
            self._failures[task.digest] = outcome
            if self._store is not None:
                self._store.save_failure(task, outcome)
            return
        known = self._records.get(task.digest)
        if known is not None and known.digest() != outcome.digest():
            raise ExperimentError(
                f"the result of {_described(task)} is not the one that is there: {outcome.digest()} (Synloom "
                f"{outcome.version}) instead of {known.digest()} (Synloom {known.version}); the earlier one "
                f"stays"
            )
        self._records[task.digest] = outcome
        if self._store is not None and known is None:
            self._store.save(outcome)

    def _tell(self, done: int) -> None:
        if self._progress is not None:
            failed = f", {len(self._failures)} failed" if self._failures else ""
            self._progress(f"{done} of {len(self._tasks)} tasks{failed}", done / len(self._tasks))


def _write_tables(done: Sweep, store: Store, title: str) -> None:
    rows = done.rows
    store.write("table.csv", as_csv(rows))
    parquet = as_parquet(rows)
    if parquet is None:
        store.remove("table.parquet")
    else:
        store.write("table.parquet", parquet)
    for name in _drawn(done):
        picture = draw_metric(title, rows, done.varied, name)
        store.write(f"metric-{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}.png", picture)


def _drawn(done: Sweep) -> list[str]:
    """Return the metrics that are worth a plot: the caller's, else rates and weights."""
    if not done.varied:
        return []
    own = [name for name in done.metrics if not name.endswith(SUMMARY_METRICS)]
    return own or [name for name in done.metrics if name.endswith((".mean_rate", ".mean_after"))]
