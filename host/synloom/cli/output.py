"""Output of the commands: a progress line, tables, JSON."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click

from synloom.base.progress import Progress

__all__ = ["progress_line", "show_json", "show_table"]


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


class _StageLines:
    """Writes one line on standard error for each new stage."""

    def __init__(self) -> None:
        self._stage = ""

    def report(self, what: str, share: float) -> None:
        if what != self._stage:
            self._stage = what
            click.echo(f"{what} ...", err=True)


def show_table(title: str, rows: Iterable[tuple[str, object]]) -> None:
    """Print a title and rows of a name and a value; integers have thousands separators."""
    texts = [
        (name, f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value))
        for name, value in rows
    ]
    width = max((len(name) for name, _ in texts), default=0)
    click.secho(title, bold=True)
    for name, text in texts:
        click.echo(f"  {name:<{width}}  {text}")


def show_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    click.echo(json.dumps(value, indent=2))
