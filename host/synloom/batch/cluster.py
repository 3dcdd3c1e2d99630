"""Executors of a Dask cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from typing import Any, Final, cast

from synloom.base.errors import TargetError
from synloom.base.requirements import install_command

__all__ = ["cluster_executor"]

_WAIT_S: Final = 30


@contextmanager
def cluster_executor(address: str) -> Iterator[Executor]:
    """Yield an executor on the workers of a Dask scheduler; on leaving, what has not begun is cancelled.

    Parameters
    ----------
    address : str
        Address of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    TargetError
        If Dask is not installed here, or no scheduler answers.
    """
    try:
        import distributed
    except ImportError as error:
        raise TargetError(
            f"a cluster needs Dask, which is not installed; try: {install_command('distributed')}"
        ) from error
    # Dask's functions have no types.
    dask: Any = distributed
    try:
        client = dask.Client(address, timeout=_WAIT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise TargetError(
            f"no Dask scheduler answers at {address!r} ({error}); start one with `dask scheduler`, and "
            f"workers with `dask worker {address}`"
        ) from error
    reports, silence = logging.getLogger("tornado.application"), _Silence()
    reports.addFilter(silence)
    try:
        # Each call is run, however equal it looks to an earlier one.
        yield cast(Executor, client.get_executor(pure=False))
    finally:
        # Results that are on their way when the line is closed are lost as they should be.
        silence.kinds += (dask.comm.CommClosedError,)
        client.close(timeout=5)
        reports.removeFilter(silence)


class _Silence(logging.Filter):
    """Keeps back the tracebacks of calls that were left with their sweep.

    Attributes
    ----------
    kinds : tuple of type
        Their exceptions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kinds: tuple[type[BaseException], ...] = (CancelledError,)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to report it."""
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or not issubclass(kind, self.kinds)
