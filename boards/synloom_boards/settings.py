"""Array parameters as ``NAME=VALUE`` on a command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synloom.base.errors import ParameterError
from synloom.contract import ArrayParams

__all__ = ["parse_settings", "read_settings"]


def read_settings(settings: Sequence[str]) -> dict[str, int | bool]:
    """Return the values of ``NAME=VALUE`` settings.

    Raises
    ------
    ParameterError
        If a setting does not have that form.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        try:
            values[name] = {"true": True, "false": False}.get(value.lower())
            if values[name] is None:
                values[name] = int(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ParameterError(
                f"a setting must be NAME=VALUE with a whole number, true or false, not {setting!r}"
            )
    return values


def parse_settings(settings: Sequence[str], base: ArrayParams | None = None) -> ArrayParams:
    """Return the parameters of `base` with ``NAME=VALUE`` settings applied.

    Raises
    ------
    ParameterError
        If a setting does not have that form, or `ArrayParams` does not allow its name or value.
    """
    return (base or ArrayParams()).replace(**read_settings(settings))
