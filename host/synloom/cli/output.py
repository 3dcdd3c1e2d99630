"""Output of the commands: a progress line, JSON."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import time
from collections.abc import Iterator
from typing import Any

import click

from synloom.base.progress import Progress

__all__ = ["count_line", "progress_line", "show_json"]


@contextlib.contextmanager
def progress_line() -> Iterator[Progress]:
    """Yield a progress callback that draws one line on standard error.

    On a terminal the line is redrawn in place and disappears at the end; elsewhere, as in a log,
    each new stage is a line.
    """
    if not sys.stderr.isatty():
        yield _StageLines().report
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, visible=False)

        def report(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share, visible=True)

        yield report


@contextlib.contextmanager
def count_line(unit: str) -> Iterator[Progress]:
    """Yield a progress callback for many equal tasks: their rate and the time left.

    On a terminal it is one line, redrawn in place; elsewhere, as in a log, each tenth of the whole is a line.

    Parameters
    ----------
    unit : str
        What is counted, in the plural. The callback's text begins with "DONE of ALL".
    """
    pace = _Pace(unit)
    if not sys.stderr.isatty():
        tenth = -1

        def line(what: str, share: float) -> None:
            nonlocal tenth
            pace.see(share, what)
            if int(10 * share) != tenth:
                tenth = int(10 * share)
                click.echo(f"{what}{pace.text()}", err=True)

        yield line
        return
    with progress_line() as report:

        def redraw(what: str, share: float) -> None:
            pace.see(share, what)
            report(f"{what}{pace.text()}", share)

        yield redraw


class _Pace:
    """How fast tasks end, of those that ended since the first report."""

    def __init__(self, unit: str):
        self._unit = unit
        self._first: tuple[float, int] | None = None
        self._rate = 0.0
        self._left = 0.0

    def see(self, share: float, what: str) -> None:
        now, done, of = time.monotonic(), *_counts(what)
        if self._first is None:
            self._first = (now, done)
        began, before = self._first
        self._rate = (done - before) / (now - began) if now > began else 0.0
        self._left = (of - done) / self._rate if self._rate else 0.0

    def text(self) -> str:
        if not self._rate:
            return ""
        left = f", {_duration(self._left)} left" if self._left else ""
        return f", {self._rate:.3g} {self._unit}/s{left}"


def _counts(what: str) -> tuple[int, int]:
    done, _, of = what.split()[:3]
    return int(done), int(of)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class _StageLines:
    """Writes one line on standard error for each new stage."""

    def __init__(self) -> None:
        self._stage = ""

    def report(self, what: str, share: float) -> None:
        if what != self._stage:
            self._stage = what
            click.echo(f"{what} ...", err=True)


def show_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    click.echo(json.dumps(value, indent=2))
