"""Jobs in worker processes, which are terminated when the command is interrupted."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import TypeVar

__all__ = ["in_workers"]

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


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
    others = set(active_children())
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield _started(pool, function, jobs)
    except BaseException:
        for worker in set(active_children()) - others:
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _started(
    pool: ProcessPoolExecutor, function: Callable[[_Job], _Result], jobs: Sequence[_Job]
) -> Iterator[_Result]:
    # A terminal sends Ctrl-C to all processes. The workers inherit the blocked signal: only this process
    # acts on it and terminates them, and none of them shows a traceback.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.map(function, jobs)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
