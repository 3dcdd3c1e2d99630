"""The program: its group of commands, and what its exit code is."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from synloom.cli import COMMANDS
from synloom.cli.group import LazyGroup
from synloom.errors import SynloomError

__all__ = ["cli", "run"]

FAILURE, INTERRUPTED = 1, 130


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 success, 1 failure, 2 wrong use, 130 Ctrl-C.",
)
@click.version_option(package_name="synloom", prog_name="synloom")
def cli() -> None:
    """Run spiking neurons, woven synapses and on-chip STDP on an FPGA, simulated or real."""


def run(arguments: Sequence[str] | None) -> int:
    """Run a command and return its exit code."""
    try:
        result = cli.main(
            args=None if arguments is None else list(arguments), prog_name="synloom", standalone_mode=False
        )
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except SynloomError as error:
        click.echo(f"error: {error}", err=True)
        return FAILURE
    except BrokenPipeError:
        _end_output()
        return FAILURE
    except OSError as error:
        what = "input or output failed" if error.filename is None else str(error.filename)
        click.echo(f"error: {what}: {error.strerror or error}", err=True)
        _end_output()
        return FAILURE
    return result if isinstance(result, int) else 0


def _end_output() -> None:
    """Keep Python from writing once more, at exit, to an output that takes no more."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
