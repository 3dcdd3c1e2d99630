"""The folder of a sweep: every result is written completely or not at all, and found again."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from synloom.base.atomic_files import write_whole
from synloom.base.errors import ExperimentError
from synloom.base.workers import Failure
from synloom.batch.task import Record, Task
from synloom.experiment.data_files import find
from synloom.experiment.document import Experiment

__all__ = ["Store"]

_MARK: Final = "sweep.json"
_FORMAT: Final = 1


class Store:
    """Results and failures of tasks in a folder, by digest.

    Parameters
    ----------
    folder : Path
        The folder: a new one, an empty one or that of a sweep.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._results = folder / "results"
        self._failed = folder / "failed"

    @contextmanager
    def opened(self, experiment: Experiment) -> Iterator[None]:
        """Make the folder ready, and keep other sweeps out of it.

        Raises
        ------
        ExperimentError
            If it holds something else, cannot be written, or another sweep is writing to it.
        """
        if os.path.lexists(self.folder) and not self.folder.is_dir():
            raise ExperimentError(f"{self.folder} is no folder; give another one with --out")
        try:
            strange = self.folder.is_dir() and any(self.folder.iterdir())
            if strange and not (self.folder / _MARK).is_file() and not (self.folder / ".lock").is_file():
                raise ExperimentError(
                    f"{self.folder} exists and holds no sweep; give another folder with --out"
                )
            self._results.mkdir(parents=True, exist_ok=True)
            self._failed.mkdir(exist_ok=True)
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        try:
            self._keep_others_out(lock)
            with self._explained():
                self._prepare(experiment)
            yield
        finally:
            os.close(lock)

    def _keep_others_out(self, lock: int) -> None:
        try:
            # The system releases it when this process ends, in whatever way.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ExperimentError(
                f"another sweep is writing to {self.folder}; wait for its end, or give another folder "
                f"with --out"
            ) from None

    def _prepare(self, experiment: Experiment) -> None:
        for part in self.folder.rglob("*.part"):
            part.unlink()
        copy = self.folder / "experiment"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        (copy / experiment.path.name).write_text(experiment.text, encoding="utf-8")
        for name in experiment.data_files():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(find(name, experiment.path.parent, experiment.where), copy / name)

    def describe(self, plan: dict[str, Any]) -> None:
        """Write what the sweep consists of."""
        self.write(_MARK, json.dumps({"format": _FORMAT, **plan}, indent=2, default=str).encode() + b"\n")

    def found(self, tasks: Sequence[Task]) -> tuple[dict[str, Record], list[str]]:
        """Return the results that are there, by digest of the task, and a line for each damaged file.

        Raises
        ------
        ExperimentError
            If the folder cannot be read.
        """
        records, damaged = {}, []
        for task in tasks:
            path = self._path(task.digest)
            try:
                record = Record.from_json(path.read_bytes())
                if record.task != task.digest:
                    raise ValueError("it is the result of another task")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise ExperimentError(f"{path} cannot be read: {error.strerror or error}") from error
            except ValueError as error:
                damaged.append(f"{path} is damaged ({error}); its task runs again")
                continue
            records[task.digest] = record
        return records, damaged

    def save(self, record: Record) -> None:
        """Write a result, and forget an earlier failure of its task."""
        path = self._path(record.task)
        with self._explained():
            path.parent.mkdir(exist_ok=True)
            write_whole(path, record.to_json())
            (self._failed / f"{record.task}.json").unlink(missing_ok=True)

    def save_failure(self, task: Task, failure: Failure) -> None:
        """Write the error of a task, with its traceback."""
        content = {
            "task": task.digest,
            "settings": dict(task.settings),
            "seed": task.seed,
            "error": str(failure),
            "trace": failure.trace,
        }
        text = json.dumps(content, indent=2, default=str)
        self.write(f"failed/{task.digest}.json", text.encode() + b"\n")

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the folder, completely or not at all."""
        with self._explained():
            write_whole(self.folder / name, content)

    def remove(self, name: str) -> None:
        """Remove a file of the folder, if it is there."""
        with suppress(OSError):
            (self.folder / name).unlink()

    def _path(self, digest: str) -> Path:
        return self._results / digest[:2] / f"{digest}.json"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _unwritable(self.folder, error) from error


def _unwritable(folder: Path, error: OSError) -> ExperimentError:
    return ExperimentError(
        f"{error.filename or folder} cannot be written: {error.strerror or error}; the results that are in "
        f"{folder} stay, and the same sweep goes on from them when there is room and permission"
    )
