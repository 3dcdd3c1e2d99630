"""`synloom build`: build a board's bitstream, and report its resources and timing."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from synloom.cli.build_report import report_json, show_report
from synloom.cli.options import (
    board_array_options,
    board_file_option,
    check_writable,
    json_option,
    read_params,
)
from synloom.cli.output import progress_line, show_json

if TYPE_CHECKING:
    from synloom_boards.bitstreams.cache import Bitstream
    from synloom_boards.board import Board

__all__ = ["bitstream_options", "build", "chosen_board", "make_bitstream"]

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
        board_file_option,
        click.option("--allow-slow", is_flag=True, help="Accept a bitstream that does not meet its timing."),
        board_array_options,
    )
    for option in reversed(options):
        command = option(command)
    return command


def chosen_board(name: str | None, files: Sequence[Path]) -> Board:
    """Return the board that a command names; the name may be left out if files have one board.

    Raises
    ------
    click.UsageError
        If there is neither a name nor a file.
    ParameterError
        If there is no such board, or a file has a mistake.
    """
    from synloom_boards.catalogue import find_board, only_board

    if name is not None:
        return find_board(name, files)
    if not files:
        raise click.UsageError("Missing argument 'BOARD'; `synloom boards` lists the boards")
    return only_board(files)


def make_bitstream(
    board: Board,
    *,
    settings: Sequence[str],
    seed: int | None,
    seeds: int,
    allow_slow: bool,
    params_file: Path | None,
    watch: Callable[[str], None] | None = None,
    **fields: int | bool | None,
) -> Bitstream:
    """Build a board's bitstream, or take it from the cache.

    Raises
    ------
    BuildError
        If a tool fails, the design does not fit, or misses its timing and `allow_slow` is False.
    ParameterError
        If a parameter is wrong.
    """
    from synloom_boards.bitstreams.build import build_bitstream, require_timing
    from synloom_boards.bitstreams.stamp import stamped_seed
    from synloom_boards.settings import read_settings

    params = read_params(params_file, {**fields, **read_settings(settings)}, board.array)
    first = stamped_seed(board, params) if seed is None else seed
    with progress_line() as progress:
        tried = range(first, first + seeds)
        bitstream = build_bitstream(board, params, seeds=tried, progress=progress, watch=watch)
    return bitstream if allow_slow else require_timing(bitstream)


@click.command(short_help="Build the bitstream of a board.")
@click.argument("board", required=False)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Copy the bitstream to FILE.",
)
@click.option(
    "--report", "only_report", is_flag=True, help="Build nothing; show the board's last build here."
)
@click.option("-v", "--verbose", is_flag=True, help="Show what the tools write, on standard error.")
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what the tools write to FILE, too.",
)
@bitstream_options
@json_option
def build(
    board: str | None,
    out: Path | None,
    only_report: bool,
    verbose: bool,
    log: Path | None,
    board_files: tuple[Path, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Synthesise, place, route and pack an array for BOARD; `synloom boards` lists the boards.

    BOARD may be left out with a --board-file that has one board. The array is the board's default; options
    change its parameters. `pip install 'synloom[boards]'` installs the open tools. Environment variables
    select native ones: YOSYS, NEXTPNR_ICE40, NEXTPNR_ECP5, NEXTPNR_HIMBAECHEL, ICEPACK, ECPPACK, GOWIN_PACK.
    Bitstreams are kept in the cache ($SYNLOOM_CACHE), each with the log of its tools.
    """
    check_writable("--out", out)
    check_writable("--log", log)
    chosen = chosen_board(board, board_files)
    lines = _ToolLines(verbose, log)
    if only_report:
        bitstream = _last_build(chosen)
    else:
        with contextlib.closing(lines):
            bitstream = make_bitstream(chosen, watch=lines.see, **options)
    if log is not None and not lines.written:
        shutil.copy(bitstream.log, log)
    path = bitstream.path
    if out is not None:
        shutil.copy(path, out)
        path = out
    if as_json:
        show_json({"bitstream": str(path), **report_json(bitstream)})
    else:
        show_report(chosen, bitstream)
        click.echo(path)


def _last_build(board: Board) -> Bitstream:
    """Return the bitstream of a board that was built last on this machine.

    Raises
    ------
    BuildError
        If there is none.
    """
    from synloom.base.errors import BuildError
    from synloom_boards.bitstreams.cache import BitstreamCache

    found = BitstreamCache.default().latest(board.name, board.family.bitstream)
    if found is None:
        raise BuildError(f"{board.name} has not been built on this machine; try: synloom build {board.name}")
    return found


class _ToolLines:
    """Shows what the tools write, and writes it to a file, which is made with the first line."""

    def __init__(self, show: bool, path: Path | None) -> None:
        self._show, self._path = show, path
        self._file: TextIO | None = None

    @property
    def written(self) -> bool:
        """Whether there was a line for the file."""
        return self._file is not None

    def see(self, line: str) -> None:
        """Take a line."""
        if self._show:
            click.echo(line, nl=False, err=True)
        if self._path is not None:
            self._file = self._file or self._path.open("w", encoding="utf-8")
            self._file.write(line)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
