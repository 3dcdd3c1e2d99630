"""Progress lines for several tasks that run at the same time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from synloom.base.progress import Progress

__all__ = ["Tracks", "tracks"]


class Tracks(Protocol):
    """Progress lines, created when they are first used."""

    def report(self, name: str) -> Progress:
        """Return the progress callback of the line with this name."""
        ...


@contextmanager
def tracks() -> Iterator[Tracks]:
    """Yield progress lines on standard error.

    On a terminal they are bars, redrawn in place; elsewhere, as in a log, every new stage and every tenth
    of the whole is a line.
    """
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("[bold]{task.fields[track]:>8}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bars(bars)


class _Bars:
    """Progress bars, drawn by rich."""

    def __init__(self, bars: object) -> None:
        from rich.progress import Progress as Bars
        from rich.progress import TaskID

        assert isinstance(bars, Bars)
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def report(self, name: str) -> Progress:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task("", total=1.0, track=name)
        task = self._tasks[name]
        return lambda what, share: self._bars.update(task, description=what, completed=share)


class _Lines:
    """Progress as plain text."""

    def report(self, name: str) -> Progress:
        last = ("", -1)

        def progress(what: str, share: float) -> None:
            nonlocal last
            now = (what, int(10 * share))
            if now != last:
                last = now
                click.echo(f"{name}: {100 * share:3.0f} % {what}", err=True)

        return progress
