"""A bad line to a board that is served at a pseudo-terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any, Final

from synloom.base.errors import ParameterError
from synloom_sim.faults.line import LossyLine
from synloom_sim.faults.rates import Faults

__all__ = ["served_lines"]

_STALL_S: Final = 0.05


def served_lines(board: Any, faults: Faults, *, pins: bool) -> tuple[LossyLine, LossyLine]:
    """Return the lines to a board and from it, as `synloom_sim.board.pty.PtyBoard` takes them.

    Parameters
    ----------
    board : Board
        The board, for resets and for faults at its pins.
    faults : Faults
        How bad the line is. A stall is 50 ms of silence.
    pins : bool
        Whether the board has pins.

    Raises
    ------
    ParameterError
        If there are faults at pins, and the board has none.
    """
    if faults.at_pins:
        if not pins:
            raise ParameterError(
                "glitches, framing and skew are faults at pins; add --pins, or leave them out"
            )
        board.spoil_pins(skew=faults.skew, glitches=faults.glitches, framing=faults.framing, seed=faults.seed)
    inward = _Acting(faults, "to the board", "resets", faults.resets, board.reset)
    return inward, _Acting(faults, "from the board", "stalls", faults.stalls, lambda: time.sleep(_STALL_S))


class _Acting(LossyLine):
    """A line that also does something now and then before it carries bytes."""

    def __init__(
        self, faults: Faults, direction: str, name: str, rate: float, act: Callable[[], None]
    ) -> None:
        super().__init__(faults, direction)
        self._name, self._rate, self._act = name, rate, act
        self._chance = Random(f"{faults.seed} {name}")

    def carry(self, data: bytes, *, whole: bool = False) -> bytes:
        if data and self._rate and self._chance.random() < self._rate:
            self.counts[self._name] += 1
            self._act()
        return super().carry(data, whole=whole)
