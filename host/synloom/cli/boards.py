"""`synloom boards`: the boards, their arrays, and what their bitstreams reach."""

from __future__ import annotations

import click

from synloom.cli.options import json_option
from synloom.cli.output import show_json

__all__ = ["boards"]


@click.command(short_help="List the FPGA boards and their arrays.")
@json_option
def boards(as_json: bool) -> None:
    """List each board with its default array and the results of its last full build.

    Steps/s are the most at 5 % activity; Fmax is what place and route promises. `synloom build BOARD` builds
    a bitstream, `synloom estimate FILE` shows which boards hold an experiment.
    """
    from synloom_boards.board_table import board_rows, is_outdated, shown

    rows = board_rows()
    if as_json:
        show_json(rows)
        return
    for row in rows:
        array = f"{row['inputs']} + {row['neurons']}, {row['synapses']:,} synapses, {row['lanes']} lanes"
        click.secho(f"{row['name']:<16}{row['title']}, {row['device']}", bold=True)
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
