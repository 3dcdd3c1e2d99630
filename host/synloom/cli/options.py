"""Options that several commands share: the array's parameters and the target."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from synloom.base.errors import ParameterError, TargetError
from synloom.contract.params import ArrayParams
from synloom.contract.targets import ANY_ARRAY, kind_of

__all__ = [
    "array_options",
    "board_array_options",
    "board_file_option",
    "check_writable",
    "json_option",
    "read_params",
    "target_name",
    "target_options",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Name = TypeVar("_Name", str, str | None)
_DEFAULTS = ArrayParams().to_dict()

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
"""`--json`, passed as `as_json`."""

board_file_option = click.option(
    "--board-file",
    "board_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A Python file that describes boards of your own (docs/boards/add-your-board.md).",
)
"""`--board-file`, passed as `board_files`, a tuple of paths."""


def check_writable(option: str, path: Path | None) -> None:
    """Check, before the work starts, that a file can be written at its end.

    Raises
    ------
    click.BadParameter
        If the file or its folder is not writable, or there is no such folder.
    """
    if path is None:
        return
    folder = path.resolve().parent
    if not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise click.BadParameter(
            f"{path} cannot be written; give a file in a folder that exists and is writable",
            param_hint=f"'{option}'",
        )


def array_options(command: _Command) -> _Command:
    """Add `--params FILE` and one option for each field of ArrayParams.

    The command gets `params_file` (a path or None) and all fields (None if not given); `read_params`
    combines them.
    """
    return _add_array_options(command)


def board_array_options(command: _Command) -> _Command:
    """Add the same options to a command that takes its defaults from a board."""
    return _add_array_options(command, "the board's own")


def _add_array_options(command: _Command, shown: str | None = None) -> _Command:
    for field in reversed(dataclasses.fields(ArrayParams)):
        name, default = field.name.replace("_", "-"), _DEFAULTS[field.name]
        if isinstance(default, bool):
            told = shown or ("on" if default else "off")
            option = click.option(f"--{name}/--no-{name}", default=None, help=f"Feature; default: {told}.")
        else:
            option = click.option(f"--{name}", type=int, metavar="N", help=f"Default: {shown or default}.")
        command = option(command)
    return click.option(
        "--params",
        "params_file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="TOML file of array parameters; other options override it.",
    )(command)


def target_name(context: click.Context, parameter: click.Parameter, value: _Name) -> _Name:
    """Refuse a misspelt name of a target; everything else may be a serial port.

    Raises
    ------
    TargetError
        If the value is near the name of a target, and no file.
    """
    from synloom.base.wording import did_you_mean

    if value is None:
        return value
    names, kind = (*ANY_ARRAY, "auto"), kind_of(value)
    if kind in names or os.sep in kind or os.path.exists(kind) or not (near := did_you_mean(kind, names)):
        return value
    raise TargetError(
        f"there is no target {kind!r}{near}; targets are {', '.join(names)} and paths of serial ports"
    )


def target_options(
    target: str, params_file: Path | None, fields: dict[str, int | bool | None]
) -> tuple[ArrayParams | None, dict[str, Any]]:
    """Return the parameters of a target's array, and the options of its line.

    An engine or a simulated board becomes the array that the options describe. A board reports its own
    parameters, so they are None here, and takes only the line rate.

    Raises
    ------
    click.UsageError
        If array parameters are given for a board.
    ParameterError
        As `read_params`.
    """
    if kind_of(target) in ANY_ARRAY:
        return read_params(params_file, fields), {}
    given = {name: value for name, value in fields.items() if value is not None}
    if params_file is not None or given.keys() - {"baud"}:
        raise click.UsageError(f"{target} has its own parameters; leave out all array options but --baud")
    return None, given


def read_params(
    params_file: Path | None, fields: dict[str, int | bool | None], base: ArrayParams | None = None
) -> ArrayParams:
    """Return the parameters of a file, overridden by the given fields; the rest comes from `base`.

    Raises
    ------
    ParameterError
        If the file is not TOML, or a key or a value is wrong.
    """
    values: dict[str, Any] = {}
    if params_file is not None:
        try:
            values = tomllib.loads(params_file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ParameterError(f"{params_file} is not a TOML file: {error}") from error
    given = {name: value for name, value in fields.items() if value is not None}
    return ArrayParams.from_dict({**(base.to_dict() if base else {}), **values, **given})
