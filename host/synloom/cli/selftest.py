"""`synloom selftest`: test a board, and find the best rate of its line."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from synloom.cli.options import array_options, json_option, target_name, target_options
from synloom.cli.output import progress_line, show_json

__all__ = ["selftest"]


@click.command(short_help="Test a board: its link, its memories, a random network.")
@click.argument("target", callback=target_name)
@click.option("--quick", is_flag=True, help="Run a shorter test.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed of all patterns."
)
@click.option(
    "--keep-rate",
    is_flag=True,
    help="Leave the line at the best rate, and use it for this board from now on.",
)
@array_options
@json_option
def selftest(
    target: str,
    quick: bool,
    seed: int,
    keep_rate: bool,
    params_file: Path | None,
    as_json: bool,
    **fields: int | bool | None,
) -> None:
    """Test TARGET and leave it empty: the network in the array is lost.

    TARGET is software, fast, model, sim, sim-pins, the path of a serial port such as /dev/ttyUSB1, or auto.
    The test loads the link at rising line rates and finds the best one, tests all memories, runs a random
    network and compares it with the model bit for bit, and checks that no errors were counted. The exit
    code is 1 if anything is wrong.

    The array options set the parameters of a model or a simulated board; a board takes only --baud, its
    present line rate.
    """
    from synloom.selftest import run_selftest

    params, options = target_options(target, params_file, fields)
    with progress_line() as progress:
        report = run_selftest(
            target, params, quick=quick, seed=seed, keep_rate=keep_rate, progress=progress, **options
        )
    if as_json:
        show_json(report.to_dict())
    else:
        array = report.params
        click.secho(f"self-test of {report.target}", bold=True)
        click.echo(f"{array.inputs} inputs, {array.neurons} neurons; the array is left empty\n")
        click.echo(str(report))
        if report.baud is not None:
            click.echo(f"\nthe line is at {report.baud:,} baud")
    if not report.passed:
        sys.exit(1)
