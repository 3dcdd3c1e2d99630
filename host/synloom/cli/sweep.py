"""`synloom sweep`: run an experiment over settings and seeds, on all cores or a cluster."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synloom.base.errors import ExperimentError, ParameterError
from synloom.cli.options import json_option, target_name
from synloom.cli.output import count_line, show_json

if TYPE_CHECKING:
    from synloom.batch.sweep import Sweep
    from synloom.batch.task import Metric

__all__ = ["sweep"]

_FAILED = 1
_MOST_SEEDS = 100_000
_SHOWN = 20
"""Most failed tasks that are listed; the folder has all of them."""


@click.command(short_help="Run an experiment over settings and seeds.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--set",
    "grid",
    multiple=True,
    metavar="KEY=A,B,..",
    help="Values of a key, such as populations.cortex.tau_m=10,20; several options make a grid.",
)
@click.option(
    "--settings",
    "table",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="CSV",
    help="A list of settings: a row for each, with the keys as its heading.",
)
@click.option("--seeds", metavar="A..B,C", help="Seeds, such as 0..9 or 1,5,7; default: the file's.")
@click.option(
    "--metric",
    metavar="MODULE:FUNCTION",
    help="A function of the results whose numbers are measured, too; found in the current folder.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the results; default: the file's name with -sweep. What it has is not run again.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 4096), metavar="N", help="Processes; default: one for each core."
)
@click.option("--cluster", metavar="ADDRESS", help="Run on the workers of a Dask scheduler: tcp://HOST:8786.")
@click.option(
    "--target",
    default="software",
    callback=target_name,
    show_default=True,
    metavar="TARGET",
    help="Where each task runs.",
)
@click.option("--again", is_flag=True, help="Run all tasks, and compare with the results that are there.")
@json_option
def sweep(
    file: Path,
    grid: tuple[str, ...],
    table: Path | None,
    seeds: str | None,
    metric: str | None,
    out: Path | None,
    jobs: int | None,
    cluster: str | None,
    target: str,
    again: bool,
    as_json: bool,
) -> int:
    """Run the experiment in FILE for all settings and seeds.

    Every result is written as soon as it is there: the same command goes on after Ctrl-C, and runs only what
    is missing or has failed. The folder gets table.csv, a plot of each metric, and with pyarrow
    table.parquet. The exit code is 1 if tasks failed. docs/sweeps.md has more.
    """
    if jobs is not None and cluster is not None:
        raise click.UsageError("--jobs and --cluster exclude each other; give only one of them")
    folder = out or Path(f"{file.stem}-sweep")
    values = _grid(grid)
    listed = None if table is None else _listed(table)
    numbers = None if seeds is None else _seeds(seeds)
    measured = None if metric is None else _metric(metric)
    from synloom.batch.sweep import sweep as run_sweep

    try:
        with count_line("tasks") as progress:
            done = run_sweep(
                file,
                grid=values,
                settings=listed,
                seeds=numbers,
                metric=measured,
                out=folder,
                target=target,
                jobs=jobs,
                cluster=cluster,
                again=again,
                progress=progress,
            )
    except KeyboardInterrupt:
        click.echo(f"what has ended is in {folder}; the same command goes on", err=True)
        raise
    if as_json:
        show_json({**_summary(done, folder), "rows": [_finite(row) for row in done.rows]})
    else:
        _show(done, folder)
    return _FAILED if done.failures else 0


def _grid(options: Sequence[str]) -> dict[str, list[Any]]:
    from synloom.experiment.settings import parse_values

    grid: dict[str, list[Any]] = {}
    for option in options:
        key, equals, text = option.partition("=")
        key = key.strip()
        if not equals or not key:
            raise click.UsageError(f"--set must be KEY=A,B,.., such as run.duration=100,200, not {option!r}")
        if key in grid:
            raise click.UsageError(f"--set {key} is given twice; give all its values in one option")
        try:
            grid[key] = parse_values(text)
        except ExperimentError as error:
            raise click.UsageError(f"--set {key}: {error}") from error
    return grid


def _listed(path: Path) -> list[dict[str, Any]]:
    from synloom.experiment.settings import parse_values

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ParameterError(f"{path} is no CSV file in UTF-8: {error}") from error
    heading = [key.strip() for key in reader.fieldnames or ()]
    if twice := sorted({key for key in heading if heading.count(key) > 1}):
        raise ParameterError(f"{path}: {', '.join(twice)} is the heading of several columns; give it once")
    settings = []
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise ParameterError(f"{path} line {number} has another number of columns than the heading")
        point = {}
        for key, text in row.items():
            found = parse_values(text) if text.strip() else []
            if len(found) != 1:
                raise ParameterError(
                    f"{path} line {number}: {key} must be one value, not {text!r}; put lists in brackets"
                )
            point[key.strip()] = found[0]
        settings.append(point)
    return settings


def _seeds(text: str) -> list[int]:
    seeds: list[int] = []
    for part in text.split(","):
        low, dots, high = (piece.strip() for piece in part.partition(".."))
        if not low.isdecimal() or (dots and not high.isdecimal()) or (dots and int(high) < int(low)):
            raise click.UsageError(
                f"--seeds must be whole numbers and ranges, such as 0..9 or 1,5,7..9, not {text!r}"
            )
        if dots and int(high) - int(low) >= _MOST_SEEDS:
            raise click.UsageError(
                f"--seeds has {int(high) - int(low) + 1:,} seeds; give at most {_MOST_SEEDS:,}"
            )
        seeds += range(int(low), int(high if dots else low) + 1)
    return seeds


def _metric(text: str) -> Metric:
    import sys

    module, colon, name = text.partition(":")
    if not colon or not module or not name:
        raise click.UsageError(f"--metric must be MODULE:FUNCTION, such as measures:accuracy, not {text!r}")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        function: Metric = getattr(import_module(module), name)
    except Exception as error:
        # A module of the user's may fail in any way.
        why = str(error) if isinstance(error, (ImportError, AttributeError)) else repr(error)
        raise click.UsageError(f"--metric {text} cannot be imported: {why}") from error
    if not callable(function):
        raise click.UsageError(f"--metric {text} is no function")
    return function


def _summary(done: Sweep, folder: Path) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "tasks": len(done.tasks),
        "results": len(done.records),
        "found": len(done.tasks) - done.fresh,
        "failed": done.errors(),
    }


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row for JSON, which has no NaN and no infinity."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def _show(done: Sweep, folder: Path) -> None:
    errors = done.errors()
    for line in errors[:_SHOWN]:
        click.echo(f"failed: {line}", err=True)
    if len(errors) > _SHOWN:
        click.echo(f"failed: {len(errors) - _SHOWN} more, all of them in {folder / 'failed'}", err=True)
    for name in done.metrics:
        values = [value for value in done.values(name).tolist() if math.isfinite(value)]
        if values:
            spread = f"{min(values):.6g} to {max(values):.6g}"
            click.echo(f"  {name}: {spread}, mean {sum(values) / len(values):.6g}")
        lost = len(done.records) - len(values)
        if lost:
            click.echo(f"  {name}: {lost} of {len(done.records)} values are not finite")
    found = len(done.tasks) - done.fresh
    click.echo(
        f"{len(done.records)} of {len(done.tasks)} tasks have results ({found} were there); "
        f"table and plots in {folder}"
    )
