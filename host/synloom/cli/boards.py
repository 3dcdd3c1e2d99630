"""`synloom boards`: the boards, their arrays, and what their bitstreams reach."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from synloom.cli.options import board_file_option, json_option
from synloom.cli.output import show_json
from synloom.cli.tables import is_drawn, show_grid

__all__ = ["boards"]

_WRONG: Final = 1
_TABLE_COLUMNS: Final = 120
"""Columns of a terminal in which the boards are one table."""


@click.command(short_help="List the FPGA boards and their arrays.")
@board_file_option
@json_option
def boards(board_files: tuple[Path, ...], as_json: bool) -> int:
    """List each board with its default array and the results of its last full build.

    Steps/s are the most at 5 % activity; Fmax is what place and route promises. `synloom build BOARD` builds
    a bitstream, `synloom estimate FILE` shows which boards hold an experiment. Boards of installed packages
    are listed, too; a board file or a package with a mistake is left out, and a line says what is wrong. The
    exit code is 1 if a --board-file has a mistake.
    """
    from synloom_boards.board_table import board_row
    from synloom_boards.catalogue import read_catalogue

    catalogue = read_catalogue(board_files)
    rows = [{**board_row(board), "source": board.source or "synloom"} for board in catalogue.boards]
    if as_json:
        show_json(rows)
    elif is_drawn(_TABLE_COLUMNS):
        _draw(rows)
    else:
        _list(rows)
    for problem in catalogue.problems:
        click.echo(f"warning: left out: {problem}", err=True)
    read = {row["source"] for row in rows}
    return _WRONG if any(str(file) not in read for file in board_files) else 0


def _draw(rows: Sequence[dict[str, Any]]) -> None:
    from synloom_boards.board_table import shown

    show_grid(
        (
            "board",
            "device",
            "inputs + neurons",
            "lanes",
            "MHz",
            "Fmax",
            "LUT",
            "RAM",
            "steps/s",
            "on the line",
        ),
        [
            [
                row["name"],
                row["device"],
                f"{row['inputs']} + {row['neurons']}",
                row["lanes"],
                f"{row['clock']:g}",
                _fmax(row),
                shown("lut", row["lut"]),
                shown("ram", row["ram"]),
                row["steps_per_second"],
                row["line_steps_per_second"],
            ]
            for row in rows
        ],
    )
    click.echo("steps/s at 5 % activity, at most; then with the raster on the line")


def _fmax(row: dict[str, Any]) -> str:
    from synloom_boards.board_table import is_outdated

    return "not built" if row["fmax"] is None else f"{row['fmax']:g}{' (old)' if is_outdated(row) else ''}"


def _list(rows: Sequence[dict[str, Any]]) -> None:
    from synloom_boards.board_table import is_outdated, shown

    for row in rows:
        array = f"{row['inputs']} + {row['neurons']}, {row['synapses']:,} synapses, {row['lanes']} lanes"
        click.secho(f"{row['name']:<16}{row['title']}, {row['device']}", bold=True)
        if row["source"] != "synloom":
            click.echo(f"  {'from':<10}{row['source']}")
        click.echo(f"  {'array':<10}{array}; off: {shown('features_off', row['features_off'])}")
        fmax = "not built yet" if row["fmax"] is None else f"Fmax {row['fmax']:g} MHz"
        click.echo(f"  {'clock':<10}{row['clock']:g} MHz ({fmax}), {row['baud']:,} baud")
        if row["lut"] is not None:
            used = (
                f"{shown('lut', row['lut'])} LUT, {shown('ram', row['ram'])}, {shown('dsp', row['dsp'])} DSP"
            )
            click.echo(f"  {'used':<10}{used}")
        if is_outdated(row):
            click.echo(f"  {'built':<10}before the last change of the gateware; try: make boards")
        rates = f"{row['steps_per_second']:,} steps/s at 5 % activity"
        line = f"{row['line_steps_per_second']:,} with the raster on the line"
        click.echo(f"  {'speed':<10}at most {rates}, {line}")
