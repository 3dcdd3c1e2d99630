"""`synloom sim`: serve a simulated board at a pseudo-terminal, or measure its speed."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import click

from synloom.cli.options import array_options, json_option, read_params
from synloom.cli.output import progress_line, show_json
from synloom.cli.tables import show_table

if TYPE_CHECKING:
    from synloom_sim.board import SimTransport
    from synloom_sim.board.pty import PtyBoard
    from synloom_sim.faults import Faults

__all__ = ["sim"]

_SIGNALLED: Final = 128
"""What a shell adds to the number of the signal that ended a program."""


@click.command(short_help="Serve a simulated board at a pseudo-terminal, or measure its speed.")
@click.option("--pty", "serve", is_flag=True, help="Serve the board at a pseudo-terminal until Ctrl-C.")
@click.option(
    "--link",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Create a symbolic link to the device, as a path that stays the same.",
)
@click.option("--speed", is_flag=True, help="Measure how many clocks per second are simulated.")
@click.option("--seconds", type=click.FloatRange(0.1, 600), default=2.0, help="Duration of --speed, s.")
@click.option(
    "--faults",
    "faults_text",
    metavar="FAULTS",
    help="Make the line of --pty a bad one: light, heavy, or rates such as 'flips=1e-4&seed=3'.",
)
@click.option("--pins", is_flag=True, help="Simulate the UART too, down to its pins; slower.")
@array_options
@json_option
def sim(
    serve: bool,
    link: Path | None,
    speed: bool,
    seconds: float,
    faults_text: str | None,
    pins: bool,
    params_file: Path | None,
    as_json: bool,
    **fields: int | bool | None,
) -> None:
    """Simulate a board: the gateware itself, compiled by Verilator.

    With --pty the first line of output is the path of a device that any serial program can open like
    the port of a board: `synloom info /dev/pts/3`. The board is built once for each set of parameters,
    in about half a minute, and kept in the cache ($SYNLOOM_CACHE).
    """
    if serve == speed:
        raise click.UsageError("give either --pty or --speed")
    if link is not None and not serve:
        raise click.UsageError("--link needs --pty")
    if faults_text is not None and not serve:
        raise click.UsageError("--faults needs --pty")

    from synloom_sim.board import Design, SimTransport
    from synloom_sim.faults import PRESETS, Faults

    faults = None
    if faults_text is not None:
        faults = Faults.parse(f"faults={faults_text}" if faults_text in PRESETS else faults_text)
    design = Design(read_params(params_file, fields), pins)
    with progress_line() as progress:
        transport = SimTransport.build(design, progress=progress)
    try:
        if serve:
            _serve(transport, link, faults, as_json)
        else:
            _measure(transport, seconds, as_json)
    finally:
        transport.close()


def _serve(transport: SimTransport, link: Path | None, faults: Faults | None, as_json: bool) -> None:
    from synloom_sim.board.pty import PtyBoard
    from synloom_sim.faults import served_lines

    board, pins = transport.board, transport.baud is not None
    lines = None if faults is None else served_lines(board, faults, pins=pins)
    with _Ending() as ending, PtyBoard(board, link=link, lines=lines) as pty:
        ending.stops(pty)
        if as_json:
            show_json({"device": pty.device, "link": str(link) if link else None})
        else:
            click.echo(pty.device)
            click.echo("serving a simulated board at this device; stop it with Ctrl-C", err=True)
        pty.serve()
    if lines is not None:
        done = lines[0].counts + lines[1].counts
        click.echo(", ".join(f"{name}: {count:,}" for name, count in sorted(done.items())), err=True)
    if ending.by == signal.SIGINT:
        raise KeyboardInterrupt
    if ending.by:
        sys.exit(_SIGNALLED + ending.by)


class _Ending:
    """Ends a server at Ctrl-C, SIGTERM or SIGHUP, at no other place than where it waits.

    An exception in between could leave the link behind.
    """

    def __init__(self) -> None:
        self.by = 0
        self._pty: PtyBoard | None = None
        self._before: dict[int, Any] = {}

    def stops(self, pty: PtyBoard) -> None:
        """Say which server a signal stops; one that came earlier stops it at once."""
        self._pty = pty
        if self.by:
            pty.stop()

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # SIGHUP is ignored under nohup, and stays so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._end)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _end(self, number: int, frame: object) -> None:
        self.by = self.by or number
        if self._pty is not None:
            self._pty.stop()


def _measure(transport: SimTransport, seconds: float, as_json: bool) -> None:
    """Run an idle board: the cost of a clock hardly depends on the work done in it."""
    started = time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        transport.board.put(b"\x7e")  # an empty frame keeps `run` from ending early because the board is idle
        transport.board.run(10_000)
    rate = transport.clocks / spent
    share = rate / transport.clock_hz
    if as_json:
        show_json({"clocks_per_second": round(rate), "share_of_real_time": share})
    else:
        rows = (("clocks per second", round(rate)), ("share of real time", f"{100 * share:.2f} %"))
        show_table("simulated board", rows)
