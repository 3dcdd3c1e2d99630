"""`synloom estimate`: which boards hold an experiment, and how fast they run it, without a build."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synloom.base.errors import CapacityError, ParameterError
from synloom.cli.energy import range_text
from synloom.cli.options import board_file_option, json_option
from synloom.cli.output import show_json

if TYPE_CHECKING:
    from synloom.experiment import Experiment
    from synloom_boards.board import Board

__all__ = ["BoardEstimate", "estimate"]


@dataclass(frozen=True, slots=True)
class BoardEstimate:
    """Whether a board holds a network.

    Attributes
    ----------
    board, title : str
    fits : bool
        Whether the board's default array holds it.
    reason : str
        What is missing; empty if it fits.
    step_clocks : float
        The fewest clocks of a step at the given activity; 0 if it does not fit.
    steps_per_second : float
        The most steps per second; 0 if it does not fit.
    real_time : float
        How many times faster than real time that is; 0 if it does not fit.
    step_joules : tuple of float
        Least and most energy of a step in the FPGA; 0 if it does not fit, or the board was never built.
    operation_joules : tuple of float
        The same for a synaptic operation.
    """

    board: str
    title: str
    fits: bool
    reason: str
    step_clocks: float
    steps_per_second: float
    real_time: float
    step_joules: tuple[float, float] = (0.0, 0.0)
    operation_joules: tuple[float, float] = (0.0, 0.0)


def _percent(context: click.Context, option: click.Parameter, value: float) -> float:
    """Refuse a value that is no percentage."""
    if not 0.0 <= value <= 100.0:
        raise click.BadParameter(f"must be a percentage in 0..100, not {value:g}")
    return value


@click.command(short_help="Show which boards hold an experiment, and how fast.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--activity",
    type=float,
    callback=_percent,
    default=5.0,
    show_default=True,
    metavar="PERCENT",
    help="Share of inputs and neurons that spike in a step.",
)
@board_file_option
@json_option
def estimate(file: Path, activity: float, board_files: tuple[Path, ...], as_json: bool) -> None:
    """Compile the experiment in FILE for the default array of each board; nothing is built.

    Steps/s are a bound for all-to-all connections, with a serial line that is fast enough for the records.
    `synloom build BOARD` has options for other arrays. Energies are ranges from stated figures of power
    (docs/sweeps.md), of the FPGA alone.
    """
    from synloom.experiment import read_experiment
    from synloom.experiment.network_builder import build_network, compile_experiment, count_probes
    from synloom_boards.catalogue import read_catalogue

    catalogue = read_catalogue(board_files)
    for problem in catalogue.problems:
        click.echo(f"warning: left out: {problem}", err=True)
    experiment = read_experiment(file)
    smallest = compile_experiment(experiment, build_network(experiment))
    needs = {
        "inputs": sum(part.n for part in smallest.inputs.values()),
        "neurons": sum(part.n for part in smallest.populations.values()),
        "probes": count_probes(experiment),
    }
    found = [_estimate(experiment, board, activity / 100) for board in catalogue.boards]
    if as_json:
        show_json({"needs": needs, "boards": [asdict(entry) for entry in found]})
        return
    click.secho(f"{experiment.title}", bold=True)
    click.echo("  needs " + ", ".join(f"{count:,} {what}" for what, count in needs.items()))
    for entry in found:
        if entry.fits:
            speed = f"at most {entry.steps_per_second:,.0f} steps/s, {entry.real_time:.3g} x real time"
            click.echo(f"  {entry.board:<16}fits: {speed}")
            if entry.step_joules[1]:
                step, each = range_text(entry.step_joules, "J"), range_text(entry.operation_joules, "J")
                click.echo(f"  {'':<16}about {step} a step, {each} a synaptic operation")
        else:
            click.echo(f"  {entry.board:<16}does not fit: {entry.reason}")


def _estimate(experiment: Experiment, board: Board, activity: float) -> BoardEstimate:
    from synloom.device.fan_out import FanOut
    from synloom.experiment.network_builder import build_network, compile_experiment
    from synloom_boards.energy import board_watts
    from synloom_boards.speed import step_clocks

    array = board.array
    try:
        image = compile_experiment(experiment, build_network(experiment), array)
    except (CapacityError, ParameterError) as error:
        reason = str(error).removeprefix(f"{experiment.where.file}: ")
        return BoardEstimate(board.name, board.title, False, reason, 0.0, 0.0, 0.0)
    placed = array.replace(
        inputs=max(1, sum(part.n for part in image.inputs.values())),
        neurons=sum(part.n for part in image.populations.values()),
    )
    clocks = step_clocks(placed, activity)
    rate = array.clock_hz / clocks
    watts = board_watts(board) or (0.0, 0.0)
    step = watts[0] / rate, watts[1] / rate
    operations = activity * float(FanOut(image).rows.synapses.sum())
    each = (step[0] / operations, step[1] / operations) if operations else (0.0, 0.0)
    real_time = rate * experiment.dt / 1000.0
    return BoardEstimate(board.name, board.title, True, "", clocks, rate, real_time, step, each)
