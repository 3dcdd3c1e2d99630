"""`synloom build`: build a board's bitstream, and report its resources and timing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from synloom.cli.options import board_array_options, check_writable, json_option, read_params
from synloom.cli.output import progress_line, show_json, show_table

if TYPE_CHECKING:
    from synloom_boards.bitstreams.cache import Bitstream
    from synloom_boards.board import Board

__all__ = ["bitstream_options", "build", "make_bitstream"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def bitstream_options(command: _Command) -> _Command:
    """Add the options that `make_bitstream` takes."""
    options = (
        click.option(
            "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set an array parameter."
        ),
        click.option("--seed", type=click.IntRange(min=0), metavar="N", help="First seed of the placer."),
        click.option(
            "--seeds",
            type=click.IntRange(1, 64),
            default=4,
            show_default=True,
            metavar="N",
            help="Seeds to try until one meets the timing.",
        ),
        click.option("--allow-slow", is_flag=True, help="Accept a bitstream that does not meet its timing."),
        board_array_options,
    )
    for option in reversed(options):
        command = option(command)
    return command


def make_bitstream(
    name: str,
    *,
    settings: Sequence[str],
    seed: int | None,
    seeds: int,
    allow_slow: bool,
    params_file: Path | None,
    fields: dict[str, int | bool | None],
) -> tuple[Board, Bitstream]:
    """Build a board's bitstream, or take it from the cache.

    Raises
    ------
    BuildError
        If a tool fails, the design does not fit, or misses its timing and `allow_slow` is False.
    ParameterError
        If the board or a parameter is wrong.
    """
    from synloom_boards.bitstreams.build import build_bitstream, require_timing
    from synloom_boards.bitstreams.stamp import stamped_seed
    from synloom_boards.boards import load_board
    from synloom_boards.settings import read_settings

    board = load_board(name)
    params = read_params(params_file, {**fields, **read_settings(settings)}, board.array)
    first = stamped_seed(board, params) if seed is None else seed
    with progress_line() as progress:
        bitstream = build_bitstream(board, params, seeds=range(first, first + seeds), progress=progress)
    return board, bitstream if allow_slow else require_timing(bitstream)


@click.command(short_help="Build the bitstream of a board.")
@click.argument("board")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Copy the bitstream to FILE.",
)
@bitstream_options
@json_option
def build(
    board: str,
    out: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    seeds: int,
    allow_slow: bool,
    params_file: Path | None,
    as_json: bool,
    **fields: int | bool | None,
) -> None:
    """Synthesise, place, route and pack an array for BOARD; `synloom boards` lists the boards.

    The array is the board's default; options change its parameters. `pip install 'synloom[boards]'` installs
    the open tools. Environment variables select native ones: YOSYS, NEXTPNR_ICE40, NEXTPNR_ECP5,
    NEXTPNR_HIMBAECHEL, ICEPACK, ECPPACK, GOWIN_PACK. Bitstreams are kept in the cache ($SYNLOOM_CACHE).
    """
    check_writable("--out", out)
    chosen, bitstream = make_bitstream(
        board,
        settings=settings,
        seed=seed,
        seeds=seeds,
        allow_slow=allow_slow,
        params_file=params_file,
        fields=fields,
    )
    path = bitstream.path
    if out is not None:
        shutil.copy(path, out)
        path = out
    if as_json:
        show_json({"bitstream": str(path), **_summary(bitstream)})
    else:
        _show(chosen, bitstream, path)


def _summary(bitstream: Bitstream) -> dict[str, Any]:
    import json

    report = bitstream.report
    values: dict[str, Any] = json.loads(report.to_json())
    values |= {"met": report.met, "fmax": report.fmax, "log": str(bitstream.path.with_name("build.log"))}
    values |= {"step_clocks": report.step_clocks, "steps_per_second": report.steps_per_second}
    return values


def _show(board: Board, bitstream: Bitstream, path: Path) -> None:
    report = bitstream.report
    array = report.array
    show_table(
        f"{board.title} ({board.chip})",
        (
            ("inputs", array.inputs),
            ("neurons", array.neurons),
            ("synapses", array.synapses),
            ("lanes", array.lanes),
            ("off", ", ".join(report.features_off) or "nothing"),
        ),
    )
    show_table(
        "used",
        (
            (name, f"{used:,} of {there:,} ({100 * used / max(1, there):.0f} %)")
            for name, (used, there) in report.resources.items()
        ),
    )
    rows = [
        (clock.clock, f"{clock.achieved:.1f} MHz of {clock.goal:.1f} MHz{'' if clock.met else ': too slow'}")
        for clock in report.clocks
    ]
    if (path_of := report.critical) is not None:
        spent = f"{path_of.logic:.1f} ns logic, {path_of.routing:.1f} ns routing"
        rows.append(("critical path", f"{path_of.source} to {path_of.sink} ({spent})"))
    show_table(f"timing (seed {report.seed})", rows)
    show_table(
        "a step, 5 % active",
        (
            ("clocks, at least", f"{report.step_clocks:,.0f}"),
            ("steps/s, at most", f"{report.steps_per_second:,.0f}"),
        ),
    )
    click.echo(path)
