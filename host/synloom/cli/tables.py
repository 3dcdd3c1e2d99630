"""Tables: drawn by rich on a terminal, plain aligned text elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["is_drawn", "show_grid", "show_table"]

_INDENT = 2
_GAP = 2


def is_drawn(width: int = 0) -> bool:
    """Return whether standard output is a terminal that can draw, with at least so many columns."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
        return False
    return _columns() >= width


def show_table(title: str, rows: Iterable[tuple[str, object]]) -> None:
    """Print a title and rows of a name and a value; integers have thousands separators."""
    click.secho(title, bold=True)
    _show([], [(name, _text(value)) for name, value in rows])


def show_grid(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their heads; integers have thousands separators.

    On a terminal that is too narrow, cells become several lines. Elsewhere no cell is cut or broken, so that
    other programs can read it.
    """
    _show(heads, [[_text(value) for value in row] for row in rows])


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _show(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    if is_drawn():
        _draw(heads, rows)
        return
    lines = [list(heads)] if heads else []
    lines += [[cell.replace("\n", " ") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo((" " * _INDENT + (" " * _GAP).join(cells)).rstrip())


def _draw(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console

    Console(width=_columns()).print(_table(heads, rows))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    options: dict[str, Any] = {"box": None, "pad_edge": False, "padding": (0, _GAP, 0, 0)}
    table = Table(show_header=bool(heads), header_style="bold", **options)
    table.add_column("", width=_INDENT - _GAP)
    for number in range(len(rows[0])):
        table.add_column(Text(heads[number]) if heads else "", overflow="fold")
    for row in rows:
        # Text, because cells are no markup.
        table.add_row("", *map(Text, row))
    return table


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns
