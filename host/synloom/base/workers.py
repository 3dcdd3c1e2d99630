"""Jobs in worker processes, or on any executor: an interruption leaves no process, an error no other job."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, connection, get_context, parent_process
from typing import Any, Final, TypeVar

from synloom.base.checks import whole
from synloom.base.errors import DeviceError, ParameterError
from synloom.base.wording import shown

__all__ = ["Failure", "available_cores", "check_picklable", "check_where", "in_workers", "outcomes"]

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")

_MOST_WORKERS: Final = 4096
_MOST_ON_EXECUTOR: Final = 1024
"""Jobs that an executor of unknown size has at a time."""


@dataclass(frozen=True)
class Failure:
    """The error of a job.

    Parameters
    ----------
    kind : str
        Name of the exception's class.
    message : str
        What it says.
    trace : str
        The traceback as text; empty if the process ended abruptly.
    """

    kind: str
    message: str
    trace: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Return the failure that an exception is."""
        return cls(type(error).__name__, str(error), "".join(traceback.format_exception(error)))

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def in_workers(
    function: Callable[[_Job], _Result], jobs: Sequence[_Job], workers: int = 2
) -> Iterator[Iterator[_Result]]:
    """Yield an iterator over the results of a function for all jobs, in order, as they are ready.

    If the body fails or is interrupted, the workers are terminated, even in the middle of a job.

    Parameters
    ----------
    function : callable
        Defined in a module, so that a new process can import it.
    jobs : sequence
        The argument of each call.
    workers : int
        Number of processes.
    """
    with _Workers(workers) as pool:
        with _masked():
            results = pool.executor.map(function, jobs)
        yield results


@contextmanager
def outcomes(
    function: Callable[[_Job], _Result],
    jobs: Sequence[_Job],
    *,
    workers: int | None = None,
    executor: Executor | None = None,
) -> Iterator[Iterator[tuple[int, _Result | Failure]]]:
    """Yield an iterator over (index, result or `Failure`) of all jobs, as they end.

    If the body fails or is interrupted, what has not begun is cancelled, and processes of ours are
    terminated, even in the middle of a job. A job that ends its process abruptly is a `Failure`; jobs that
    ran beside it are run again.

    Parameters
    ----------
    function : callable
        Defined in a module, so that a new process can import it.
    jobs : sequence
        The argument of each call.
    workers : int, optional
        Number of processes; by default one for each core. One runs the jobs in this process.
    executor : Executor, optional
        Runs the jobs instead of processes of ours; it is not shut down.

    Raises
    ------
    ParameterError
        If the function cannot be sent to another process.
    DeviceError
        If no worker process starts.
    """
    workers = min(workers or available_cores(), len(jobs))
    if executor is not None:
        yield _Jobs(function, jobs, _Foreign(executor)).run()
        return
    if workers <= 1:
        yield ((k, _attempt(function, job)) for k, job in enumerate(jobs))
        return
    check_picklable(function)
    with _Workers(workers) as pool:
        yield _Jobs(function, jobs, pool).run()


def check_where(jobs: Any, executor: Any, progress: Any) -> None:
    """Check where jobs shall run and who is told.

    Raises
    ------
    ParameterError
        If the number of processes is wrong, if the executor is none or not the only place, or if `progress`
        is no function.
    """
    if jobs is not None:
        whole("jobs", jobs, 1, _MOST_WORKERS)
    if executor is not None and (isinstance(executor, type) or not hasattr(executor, "submit")):
        raise ParameterError(f"executor must be a concurrent.futures.Executor, not {shown(executor)}")
    if jobs is not None and executor is not None:
        raise ParameterError("jobs and executor exclude one another; give only one of them")
    if progress is not None and not callable(progress):
        raise ParameterError(f"progress must be a function, not {shown(progress)}")


def check_picklable(function: Callable[..., Any]) -> None:
    """Check that a function can be sent to another process.

    Raises
    ------
    ParameterError
        If it cannot.
    """
    try:
        pickle.dumps(function)
    except Exception as error:
        raise ParameterError(
            f"{function!r} cannot be sent to another process ({error}); define it in a module, or give jobs=1"
        ) from error


def _attempt(function: Callable[[_Job], _Result], job: _Job) -> _Result | Failure:
    """Return the result of a call, or its error: an exception might not survive the way between processes."""
    try:
        return function(job)
    except Exception as error:
        return Failure.of(error)


class _Foreign:
    """An executor of the caller."""

    renewable = False
    width = _MOST_ON_EXECUTOR

    def __init__(self, executor: Executor):
        self._executor = executor

    def submit(self, *call: Any) -> Future[Any]:
        try:
            return self._executor.submit(*call)
        except Exception as error:
            # A cluster that is gone raises whatever its library has for that.
            raise BrokenExecutor(str(error)) from error

    def renew(self) -> None:
        """Do nothing: only its owner can renew it."""


class _Workers:
    """Processes of ours, as a context that leaves none behind."""

    renewable = True

    def __init__(self, width: int):
        self.width = width
        self._others = set(active_children())
        self.executor = self._new()

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None:
            self._terminate()
        self.executor.shutdown(cancel_futures=True)

    def submit(self, *call: Any) -> Future[Any]:
        with _masked():
            return self.executor.submit(*call)

    def renew(self) -> None:
        """Replace all processes, after one of them ended abruptly."""
        self._terminate()
        self.executor.shutdown(cancel_futures=True)
        self.executor = self._new()

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self.width, mp_context=get_context("spawn"), initializer=_end_with_parent)

    def _terminate(self) -> None:
        for worker in set(active_children()) - self._others:
            worker.terminate()


class _Jobs:
    """The jobs of one call of `outcomes`."""

    def __init__(self, function: Callable[..., Any], jobs: Sequence[Any], pool: _Foreign | _Workers):
        self._function = function
        self._jobs = jobs
        self._pool = pool
        self._waiting = deque(range(len(jobs)))
        # Of jobs that ran together when a process ended, one ended it: they run again, one at a time.
        self._suspects: deque[int] = deque()
        self._running: dict[Future[Any], int] = {}
        self._proved = False
        self._killed = 0
        self._why = ""

    def run(self) -> Iterator[tuple[int, Any]]:
        try:
            while self._waiting or self._suspects or self._running:
                alone = bool(self._suspects)
                self._submit(self._suspects or self._waiting, 1 if alone else self._pool.width)
                yield from self._collect(alone)
        finally:
            for future in self._running:
                future.cancel()

    def _submit(self, queue: deque[int], width: int) -> None:
        while queue and len(self._running) < width:
            try:
                future = self._pool.submit(_attempt, self._function, self._jobs[queue[0]])
            except BrokenExecutor as error:
                self._why = f": {error}" if str(error) else ""
                if not self._pool.renewable or self._running:
                    break
                self._pool.renew()
                continue
            self._running[future] = queue.popleft()

    def _collect(self, alone: bool) -> Iterator[tuple[int, Any]]:
        if not self._running:
            # Only a foreign executor stays broken.
            for index in (*self._suspects, *self._waiting):
                yield index, Failure("BrokenExecutor", f"the executor takes no more jobs{self._why}")
            self._suspects.clear()
            self._waiting.clear()
            return
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        broken = []
        if any(isinstance(_error(future), BrokenExecutor) for future in done):
            done, _ = wait(self._running)
        for future in sorted(done, key=lambda f: self._running[f]):
            index, error = self._running.pop(future), _error(future)
            if error is None:
                self._proved = True
                yield index, future.result()
            elif isinstance(error, BrokenExecutor) and self._pool.renewable:
                broken.append(index)
            else:
                yield index, Failure.of(error)
        if broken:
            yield from self._after_a_death(broken, alone)

    def _after_a_death(self, broken: list[int], alone: bool) -> Iterator[tuple[int, Any]]:
        self._pool.renew()
        if not alone:
            self._suspects.extend(broken)
            return
        (index,) = broken
        self._suspects = deque(k for k in self._suspects if k != index)
        self._killed += 1
        if self._killed > 1 and not self._proved:
            raise DeviceError(
                "worker processes end as soon as they start; a script needs its calls below "
                "`if __name__ == '__main__':`, or give jobs=1"
            )
        yield (
            index,
            Failure(
                "BrokenProcessPool", "its process ended abruptly: it crashed, was killed or had no memory"
            ),
        )


def _error(future: Future[Any]) -> BaseException | None:
    return CancelledError("its executor cancelled it") if future.cancelled() else future.exception()


def _end_with_parent() -> None:
    """End this worker when its parent ends in a way that tells it nothing, such as SIGKILL."""
    parent = parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _masked() -> Iterator[None]:
    """Block Ctrl-C in new processes.

    A terminal sends it to all processes. The workers inherit the blocked signal: only this process acts on it
    and terminates them, and none of them shows a traceback.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
