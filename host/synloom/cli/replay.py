"""`synloom replay`: do again what a log says, and compare."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from synloom.cli.options import json_option, target_name
from synloom.cli.output import progress_line, show_json

__all__ = ["replay"]


@click.command(short_help="Do again what a log says, on any target, and compare.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--target", default="software", callback=target_name, show_default=True, help="Where to replay it."
)
@click.option(
    "--against",
    callback=target_name,
    metavar="TARGET",
    help="A second target, to be compared with the first.",
)
@click.option("--baud", type=int, metavar="N", help="Line rate of a board.")
@json_option
def replay(file: Path, target: str, against: str | None, baud: int | None, as_json: bool) -> None:
    """Replay the log FILE on a target and compare spikes, samples, weights and counts, bit by bit.

    A target is software, fast, model, sim, sim-pins, the path of a serial port such as /dev/ttyUSB1, or
    auto. The replay ends at the first difference, and names its step and the neuron, probe or synapse; the
    exit code is then 1. A log that was cut off is replayed up to its last whole entry.
    """
    from synloom.device.replay import replay as play

    with progress_line() as progress:
        done = play(
            file, target, against=against, progress=progress, **({} if baud is None else {"baud": baud})
        )
    if as_json:
        show_json(done.to_dict())
    else:
        click.echo(str(done))
    if not done.agrees:
        sys.exit(1)
