"""`synloom verilog`: an array as Verilog, for other tools."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from synloom.base.atomic_files import write_whole
from synloom.cli.options import array_options, board_file_option, check_writable, read_params
from synloom.contract.info import PROTOCOL_VERSION
from synloom.contract.params import SEMANTICS_VERSION, ArrayParams

if TYPE_CHECKING:
    from synloom_boards.board import Board

__all__ = ["verilog"]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _module_name(context: click.Context, option: click.Parameter, value: str) -> str:
    """Refuse what cannot be the name of a module."""
    if not _NAME.fullmatch(value):
        raise click.BadParameter(f"must be letters, digits and _, not first a digit, not {value!r}")
    return value


@click.command(short_help="Write an array as plain Verilog.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE; default: standard output.",
)
@click.option("--board", "board_name", metavar="NAME", help="Take the array and the family of a board.")
@board_file_option
@click.option(
    "--board-family",
    type=click.Choice(["ice40", "ecp5", "gowin"]),
    help="Use this family's memory cells where the gateware knows them.",
)
@click.option(
    "--name",
    default="top",
    callback=_module_name,
    show_default=True,
    metavar="PREFIX",
    help="Name of the module, with which the names of all others begin.",
)
@array_options
def verilog(
    out: Path | None,
    board_name: str | None,
    board_files: tuple[Path, ...],
    board_family: str | None,
    name: str,
    params_file: Path | None,
    **fields: int | bool | None,
) -> None:
    """Write an array behind a serial port, for any synthesiser; its first lines say what it is.

    Ports: clk; rst (synchronous, active high); rx and tx (8N1 at --baud if clk runs at --clock-hz); idle,
    running, paused and error, for LEDs. With --board it is the board's default array, with the clock that
    the board's PLL makes; the PLL and the pins are not part of it.
    """
    from synloom_sim.board import Design

    check_writable("--out", out)
    board = _board(board_name, board_files)
    params = read_params(params_file, fields, board.array if board else None)
    if board is not None:
        if board_family not in (None, board.family_name):
            raise click.UsageError(f"{board.name} is of family {board.family_name}; leave out --board-family")
        params, board_family = board.fit(params), board.family_name
    text = _header(params, name, board) + Design(params, pins=True).verilog(family=board_family, name=name)
    if out is None:
        click.echo(text)
    else:
        write_whole(out, text.encode())
        click.echo(f"{out}: {text.count(chr(10)):,} lines")


def _board(name: str | None, files: tuple[Path, ...]) -> Board | None:
    if name is None and not files:
        return None
    from synloom_boards.catalogue import find_board, only_board

    return only_board(files) if name is None else find_board(name, files)


def _header(params: ArrayParams, name: str, board: Board | None) -> str:
    """Return the comment that says what the array is, and what its clock and its line must be."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        of = f"Synloom {version('synloom')}"
    except PackageNotFoundError:
        of = "Synloom"
    divisor = round(params.clock_hz / params.baud)
    lines = [
        f"{name}: an array of {of} (results {SEMANTICS_VERSION}, protocol {PROTOCOL_VERSION})",
        *([f"board: {board.title} ({board.chip})"] if board else []),
        f"clock: clk at {params.clock_hz / 1e6:g} MHz ({params.clock_hz} Hz)",
        f"line: rx and tx, 8N1 at {params.baud} baud: {divisor} clocks a bit",
        f"digest of the parameters: {params.digest()}",
        "parameters:",
        *(f"  {field} = {value}" for field, value in params.to_dict().items()),
    ]
    return "".join(f"// {line}\n" for line in lines) + "\n"
