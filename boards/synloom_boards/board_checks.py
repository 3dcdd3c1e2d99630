"""Check a board's description, which a user may have written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from synloom.base.errors import ParameterError
from synloom.base.wording import did_you_mean
from synloom.contract import ArrayParams
from synloom_boards.board import Board
from synloom_boards.fpga.families import FAMILIES
from synloom_boards.fpga.pinout import Pinout
from synloom_boards.fpga.pll import SOLVERS
from synloom_boards.loaders import LOADERS

__all__ = ["check_board", "check_platform"]

_MOST_LEDS: Final = 64
_MOST_BAUD: Final = 100_000_000
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_USB: Final = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_AMARANTH: Final = ("amaranth", "amaranth_boards")


def check_board(board: Board) -> None:
    """Check the types and the values of a board's fields, and that its PLL makes its clock.

    Raises
    ------
    ParameterError
        With the first mistake.
    """
    for field, (is_good, allowed) in _FIELDS.items():
        value = getattr(board, field)
        if not is_good(value):
            raise ParameterError(f"{field} must be {allowed}, not {value!r}")
    choices: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("family_name", FAMILIES),
        ("pll", SOLVERS),
        ("loader_tool", LOADERS),
    )
    for field, names in choices:
        value = getattr(board, field)
        if value not in names:
            hint = did_you_mean(value, names)
            raise ParameterError(f"{field} must be one of {', '.join(names)}, not {value!r}{hint}")
    _ = board.array


def check_platform(board: Board) -> None:
    """Check a board's platform and its resources, if Amaranth and its boards are installed.

    Raises
    ------
    ParameterError
        If there is no such platform, or it lacks a resource.
    """
    try:
        board.platform()
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in _AMARANTH or _is_here(str(error.name)):
            raise ParameterError(f"{board.where}: the platform cannot be imported: {error}") from error


def _is_here(module: str) -> bool:
    """Return whether the package of a missing module is installed, so that the module's name is wrong."""
    from importlib.util import find_spec

    return find_spec(module.partition(".")[0]) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _is_whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)


_FIELDS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "name": (
        lambda value: isinstance(value, str) and _NAME.fullmatch(value) is not None,
        "small letters and digits with single dashes between them, such as 'my-board'",
    ),
    "title": (_is_text, "a text of one line"),
    "chip": (_is_text, "the vendor's name of the FPGA"),
    "family_name": (_is_text, f"one of {', '.join(FAMILIES)}"),
    "pins": (
        lambda value: isinstance(value, Pinout) or callable(value) or (_is_text(value) and ":" in value),
        "a Pinout, or an Amaranth platform: its class, or 'module:class'",
    ),
    "clock": (_is_text, "the name of the resource of the clock, such as 'clk25'"),
    "input_hz": (lambda value: _is_whole(value, 1_000_000_000), "a whole number of Hz in 1..1000000000"),
    "pll": (_is_text, f"one of {', '.join(SOLVERS)}"),
    "params": (lambda value: isinstance(value, ArrayParams), "ArrayParams(...)"),
    "leds": (lambda value: _is_whole(value, _MOST_LEDS), f"a whole number in 1..{_MOST_LEDS}"),
    "placer": (_are_texts, "a list of texts, such as ['--25k', '--package', 'CABGA381']"),
    "packer": (_are_texts, "a list of texts"),
    "loader": (_are_texts, "a list of texts, such as ['-b', 'ulx3s']"),
    "loader_tool": (_is_text, f"one of {', '.join(LOADERS)}"),
    "usb": (
        lambda value: isinstance(value, str) and _USB.fullmatch(value) is not None,
        "'vendor:product', each four small hex digits, as lsusb shows them",
    ),
    "volatile": (lambda value: isinstance(value, bool), "True or False"),
    "bridge_baud": (
        lambda value: value is None or _is_whole(value, _MOST_BAUD),
        f"None or a whole number in 1..{_MOST_BAUD}",
    ),
    "high": (_are_texts, "a list of names of resources"),
}
"""For each field, in the order of `Board`: whether a value is allowed, and what is."""
