"""A transport to a netlist, as a serial port is one to a board."""

from __future__ import annotations

from typing import Final

from synloom.base.progress import Progress
from synloom_boards.netlist.design import BoardNetlist, NetlistDesign
from synloom_sim.board import BoardCache, SimTransport

__all__ = ["connect"]

_POWER_UP_CLOCKS: Final = 256
_BOARD_POWER_UP_S: Final = 100e-6
"""A board's reset lasts until its PLL has been locked for 50 us."""


def connect(
    design: NetlistDesign, *, cache: BoardCache | None = None, progress: Progress | None = None
) -> SimTransport:
    """Return a transport to a netlist after its reset; what the cache lacks is built first.

    Parameters
    ----------
    design : NetlistDesign
        What to simulate.
    cache, progress
        See `synloom_sim.board.build_board`.

    Raises
    ------
    BuildError
        If a tool is missing or fails.
    """
    transport = SimTransport.build(design, cache=cache, progress=progress)
    is_board = isinstance(design, BoardNetlist)
    transport.board.run(int(_BOARD_POWER_UP_S * design.params.clock_hz) if is_board else _POWER_UP_CLOCKS)
    return transport
