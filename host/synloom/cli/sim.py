"""`synloom sim`: a simulated board at a pseudo-terminal, and how fast it runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synloom.cli.options import array_options, json_option, read_params
from synloom.cli.output import progress_line, show_json, show_table

if TYPE_CHECKING:
    from synloom_sim.board import SimTransport

__all__ = ["sim"]


@click.command(short_help="Serve a simulated board at a pseudo-terminal.")
@click.option("--pty", "serve", is_flag=True, help="Serve the board at a device path until Ctrl-C.")
@click.option(
    "--link",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Make a symbolic link to the device there, for a path that stays the same.",
)
@click.option("--speed", is_flag=True, help="Print how many clocks a second the board is simulated.")
@click.option("--seconds", type=click.FloatRange(0.1, 600), default=2.0, help="How long --speed measures.")
@click.option("--pins", is_flag=True, help="Simulate the UART's pins too: true, and slower.")
@array_options
@json_option
def sim(
    serve: bool,
    link: Path | None,
    speed: bool,
    seconds: float,
    pins: bool,
    params_file: Path | None,
    as_json: bool,
    **fields: int | bool | None,
) -> None:
    """Simulate a board: the gateware itself, compiled by Verilator.

    With --pty the first line of output is the path of a device that any serial program can open, as
    if a board were plugged in: `synloom info /dev/pts/3`. The board is built once for each set of
    parameters (about half a minute) and kept in the cache ($SYNLOOM_CACHE).
    """
    if serve == speed:
        raise click.UsageError("say what to do with the board: --pty or --speed")
    if link is not None and not serve:
        raise click.UsageError("--link belongs to --pty")

    from synloom_sim.board import Design, SimTransport

    design = Design(read_params(params_file, fields), pins)
    with progress_line() as progress:
        transport = SimTransport.build(design, progress=progress)
    try:
        if serve:
            _serve(transport, link, as_json)
        else:
            _measure(transport, seconds, as_json)
    finally:
        transport.close()


def _serve(transport: SimTransport, link: Path | None, as_json: bool) -> None:
    from synloom_sim.board.pty import PtyBoard

    with PtyBoard(transport.board, link=link) as pty:
        if as_json:
            show_json({"device": pty.device, "link": str(link) if link else None})
        else:
            click.echo(pty.device)
            click.echo("serving a simulated board there; Ctrl-C ends it", err=True)
        pty.serve()


def _measure(transport: SimTransport, seconds: float, as_json: bool) -> None:
    """Run the clock without work: what a clock costs hardly depends on what happens in it."""
    started = time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        transport.board.put(b"\x7e")  # an empty frame: keeps the board from being found idle
        transport.board.run(10_000)
    rate = transport.clocks / spent
    share = rate / transport.clock_hz
    if as_json:
        show_json({"clocks_per_second": round(rate), "share_of_real_time": share})
    else:
        rows = (("clocks a second", round(rate)), ("of the board's clock", f"{100 * share:.2f} %"))
        show_table("simulated board", rows)
