"""The command group, which imports each command when it is first used, and the exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from synloom.base.errors import SynloomError
from synloom.cli.group import HelpfulGroup
from synloom.cli.main import COMMANDS

__all__ = ["LazyGroup", "cli", "run"]

FAILURE, INTERRUPTED = 1, 130


class LazyGroup(HelpfulGroup):
    """A group that imports the module of a command when it is used; the group's own help imports none.

    Parameters
    ----------
    commands_at : mapping
        Name to ("module:attribute", short help), in the order of the help.
    """

    def __init__(self, *args: Any, commands_at: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._commands_at = dict(commands_at)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return list(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None if there is no command of that name."""
        if cmd_name not in self._commands_at:
            return None
        module, _, attribute = self._commands_at[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands with their short help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._commands_at.items()])


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 success, 1 failure, 2 usage error, 130 Ctrl-C.",
)
@click.version_option(package_name="synloom", prog_name="synloom")
def cli() -> None:
    """Run spiking neural networks with on-chip STDP on an FPGA, simulated or real."""


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
    except ModuleNotFoundError as error:
        told = _missing_package(error)
        if told is None:
            raise
        click.echo(f"error: {told}", err=True)
        return FAILURE
    except OSError as error:
        what = "input or output failed" if error.filename is None else str(error.filename)
        click.echo(f"error: {what}: {error.strerror or error}", err=True)
        _end_output()
        return FAILURE
    return result if isinstance(result, int) else 0


def _missing_package(error: ModuleNotFoundError) -> str | None:
    """Return what to install for a module that is missing; None if no extra of Synloom has it."""
    from synloom.base.requirements import install_command, package_of

    package = package_of(str(error.name))
    return None if package is None else f"{package} is not installed; try: {install_command(package)}"


def _end_output() -> None:
    """Keep Python from writing to a closed or full standard output again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
