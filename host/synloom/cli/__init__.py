"""The command line `synloom`.

Exit codes: 0 all went well, 1 it failed (one line on standard error says why), 2 the command was
used wrongly, 130 Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import click

from synloom.cli.group import LazyGroup
from synloom.errors import SynloomError

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS = {
    "demo": ("synloom.cli.demo:demo", "Learn something on a simulated board, and show it."),
    "run": ("synloom.cli.run:run", "Run an experiment file."),
    "sim": ("synloom.cli.sim:sim", "Serve a simulated board at a pseudo-terminal."),
    "selftest": ("synloom.cli.selftest:selftest", "Test a board: its link, its memories, a known network."),
    "boards": ("synloom.cli.boards:boards", "Show the FPGA boards and what each of them holds."),
    "build": ("synloom.cli.build:build", "Make the bitstream of a board."),
    "flash": ("synloom.cli.flash:flash", "Load the bitstream into a board."),
    "estimate": ("synloom.cli.estimate:estimate", "Tell which boards hold an experiment, and how fast."),
    "verilog": ("synloom.cli.verilog:verilog", "Write an array as plain Verilog."),
    "info": ("synloom.cli.info:info", "Show what a target is and what it has counted."),
    "doctor": ("synloom.cli.doctor:doctor", "Check what this machine lacks, and say how to mend it."),
}
"""Commands by name: where they are, and what they do in one line."""

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


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; never shows a traceback for a known error.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments after the program's name; those of the process by default.
    """
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
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
