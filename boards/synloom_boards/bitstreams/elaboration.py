"""From a board and parameters to the input of the tools: the design as RTLIL, and the pins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from synloom.base.errors import BuildError, ParameterError
from synloom.base.requirements import install_command
from synloom.contract import ArrayParams
from synloom_boards.board import Board
from synloom_boards.toolchain.tools import TOOLS

__all__ = ["Plan", "make_plan", "tool_versions"]


@dataclass(frozen=True)
class Plan:
    """An elaborated design for a board.

    Parameters
    ----------
    board : Board
    params : ArrayParams
        The array, with the clock that the PLL makes.
    rtlil : str
        The design; its top module is `top`.
    constraints : mapping of str to str
        The constraint files: names and texts.
    """

    board: Board
    params: ArrayParams
    rtlil: str
    constraints: Mapping[str, str]

    def digest(self, tools: Mapping[str, str]) -> str:
        """Return 32 hex digits that change with anything a bitstream depends on, except the seed."""
        facts = {
            "board": [self.board.name, *self.board.placer, "/", *self.board.packer],
            "family": [
                self.board.family.synthesis,
                dict(self.board.family.libraries),
                *self.board.family.place,
            ],
            "constraints": dict(self.constraints),
            "tools": dict(tools),
        }
        text = json.dumps(facts, sort_keys=True) + self.rtlil
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def make_plan(board: Board, params: ArrayParams) -> Plan:
    """Elaborate a design for a board.

    Raises
    ------
    BuildError
        If Amaranth or the board's platform is not installed.
    ParameterError
        If the board's PLL cannot make the clock, or its memories cannot read and write as the array needs.
    """
    params = board.fit(params)
    if board.family_name == "ice40" and not params.single_port:
        raise ParameterError(
            f"{board.title} needs single_port: a two-ported array reads a row of traces while it writes one "
            f"of its elements, which block memory of an iCE40 does not support; try --single-port"
        )
    try:
        from synloom_boards.gateware.top import BoardTop

        platform = board.platform()
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0].replace("_", "-")
        raise BuildError(f"{package} is not installed; try: {install_command(package)}") from error
    files = platform.prepare(BoardTop(board, params), "top", emit_src=False).files
    constraints = {name: _text(files[name]) for name in files if name in _CONSTRAINTS}
    return Plan(board, params, _text(files["top.il"]), constraints)


def tool_versions(board: Board) -> dict[str, str]:
    """Return the versions of the tools that build a board's bitstream."""
    return {name: TOOLS[name].version() for name in board.family.tools}


_CONSTRAINTS = ("top.pcf", "top.lpf", "top.cst")


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode()
