"""`synloom verilog`: an array as Verilog, for other tools."""

from __future__ import annotations

from pathlib import Path

import click

from synloom.cli.options import array_options, check_writable, read_params

__all__ = ["verilog"]


@click.command(short_help="Write an array as plain Verilog.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE; default: standard output.",
)
@click.option(
    "--board-family",
    type=click.Choice(["ice40", "ecp5", "gowin"]),
    help="Use this family's memory cells where the gateware knows them.",
)
@array_options
def verilog(
    out: Path | None, board_family: str | None, params_file: Path | None, **fields: int | bool | None
) -> None:
    """Write an array behind a serial port as module `top`, for any synthesiser.

    Ports: clk; rst (synchronous, active high); rx and tx (8N1 at --baud if clk runs at --clock-hz); idle,
    running, paused and error, for LEDs.
    """
    from synloom_sim.board import Design

    check_writable("--out", out)
    text = Design(read_params(params_file, fields), pins=True).verilog(family=board_family)
    if out is None:
        click.echo(text)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"{out}: {text.count(chr(10)):,} lines")
