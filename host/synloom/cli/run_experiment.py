"""`synloom run`: run an experiment file, and write a folder of results."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synloom.cli.energy import energy_line
from synloom.cli.options import json_option, target_name
from synloom.cli.output import progress_line, show_json
from synloom.cli.tables import show_table

if TYPE_CHECKING:
    from synloom.experiment import Experiment
    from synloom.image.image import Image

__all__ = ["run"]


def _length(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Reject a value that cannot be a length of time."""
    if value is not None and not (math.isfinite(value) and value > 0.0):
        raise click.BadParameter(f"must be a finite number of ms above 0, not {value:g}")
    return value


@click.command(short_help="Run an experiment file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--target",
    default="software",
    callback=target_name,
    metavar="TARGET",
    help="Where to run it; default: software.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the results; default: the file's name with -results.",
)
@click.option("--force", is_flag=True, help="Replace earlier results in the folder.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Override the file's seed.")
@click.option("--duration", type=float, callback=_length, metavar="MS", help="Override the file's duration.")
@click.option(
    "--steps", type=click.IntRange(min=1), metavar="N", help="Override the file's duration, in time steps."
)
@click.option("--baud", type=click.IntRange(min=1), metavar="N", help="Line rate of a serial port.")
@json_option
def run(
    file: Path,
    target: str,
    out: Path | None,
    force: bool,
    seed: int | None,
    duration: float | None,
    steps: int | None,
    baud: int | None,
    as_json: bool,
) -> None:
    """Run the experiment in FILE and write its results to a folder: arrays, figures, a summary.

    TARGET is software, fast, model, sim, sim-pins, the path of a serial port such as /dev/ttyUSB1, or auto.
    All targets give the same bits. docs/experiments.md describes the format; docs/examples has examples.
    """
    if duration is not None and steps is not None:
        raise click.UsageError("--duration and --steps both set the length of the run; give only one of them")
    from synloom.experiment import check_folder, read_experiment, run_experiment, write_folder

    folder = out or Path(f"{file.stem}-results")
    experiment = read_experiment(file).changed(duration=duration, steps=steps, seed=seed)
    check_folder(folder, force=force)
    options: dict[str, Any] = {} if baud is None else {"baud": baud}
    with progress_line() as progress:
        results = run_experiment(
            experiment,
            target,
            progress=progress,
            compiled=None if as_json else lambda image: _show_image(experiment, image),
            **options,
        )
        progress("drawing", 1.0)
        files = write_folder(results, folder, force=force)
    for warning in results.warnings():
        click.echo(f"warning: {warning}", err=True)
    summary = results.summary()
    if as_json:
        show_json({**summary, "folder": str(folder), "files": files})
    else:
        _show(summary, folder, files)
        if (cost := results.cost()) is not None:
            click.echo(f"cost: {cost}")
            click.echo(f"energy, estimated: {energy_line(cost)}")


def _show_image(experiment: Experiment, image: Image) -> None:
    """Print a summary of the quantisation, before the network runs."""
    report, params = image.report, image.params
    worst = report.worst()
    click.secho(experiment.title, bold=True)
    click.echo(
        f"  {sum(p.n for p in image.inputs.values())} inputs, {sum(p.n for p in image.populations.values())} "
        f"neurons; array of {params.inputs} x {params.neurons}, {params.lanes} lanes"
    )
    if worst is not None:
        click.echo(
            f"  {len(report.rows)} parameters quantised; the largest error is in {worst.parameter} of "
            f"{worst.where}: {worst.got:.5g} instead of {worst.wanted:.5g}"
        )
    for note in report.notes:
        click.echo(f"  - {note}")


def _show(summary: dict[str, Any], folder: Path, files: list[str]) -> None:
    for name, row in summary["populations"].items():
        click.echo(
            f"  {name}: {row['spikes']:,} spikes, {row['mean_rate']:.1f} Hz, {row['active']} neurons active"
        )
    for name, row in summary["weights"].items():
        click.echo(f"  {name}: {row['changed']:,} of {row['synapses']:,} weights changed")
    if summary["losses"]:
        show_table("lost or limited (docs/numbers.md)", summary["losses"].items())
    click.echo(
        f"{summary['duration']:g} ms in {summary['seconds']:.1f} s on {summary['target']}; "
        f"{len(files)} files in {folder}"
    )
