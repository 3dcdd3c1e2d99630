"""`synloom examples`: list the networks of the gallery, copy them, run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from synloom.cli.group import HelpfulGroup
from synloom.cli.options import json_option
from synloom.cli.output import show_json

__all__ = ["examples"]


@click.group(cls=HelpfulGroup, invoke_without_command=True, short_help="List, copy and run examples.")
@click.pass_context
def examples(context: click.Context) -> None:
    """List, copy and run published networks, reproduced on the array."""
    if context.invoked_subcommand is None:
        context.invoke(list_examples)


@examples.command("list", short_help="List the examples.")
@json_option
def list_examples(as_json: bool = False) -> None:
    """List the examples, and what they are about."""
    from synloom.demo.gallery import entries

    found = entries()
    if as_json:
        show_json(
            [{"name": e.name, "title": e.title, "idea": e.idea, "script": str(e.script)} for e in found]
        )
        return
    width = max(len(each.name) for each in found)
    for each in found:
        click.echo(f"{click.style(each.name.ljust(width), bold=True)}  {each.title}")
    click.echo("synloom examples run NAME --short runs one, synloom examples copy NAME gives you its script.")


@examples.command(short_help="Copy an example, to change it.")
@click.argument("name")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def copy(name: str, folder: Path | None) -> None:
    """Copy the example NAME, its page and picture, into FOLDER (default: NAME)."""
    from synloom.demo.gallery import copy_example

    click.echo(f"copied to {copy_example(name, folder or Path(name))}")


@examples.command(
    short_help="Run an example.",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("name")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def run(name: str, options: tuple[str, ...]) -> int:
    """Run the example NAME with its own OPTIONS; `--help` after the name lists them.

    The exit code is 1 if a bar is missed, or if a bit differs on the simulated board.
    """
    from synloom.demo.gallery import example_named

    command = [sys.executable, str(example_named(name).script), *options]
    return subprocess.run(command, check=False).returncode
