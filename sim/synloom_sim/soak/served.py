"""A simulated board at a pseudo-terminal, served by a thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from synloom_sim.board import Design, SimTransport
from synloom_sim.board.library import Board
from synloom_sim.board.pty import PtyBoard
from synloom_sim.faults import Faults, served_lines
from synloom_sim.soak.session import PARAMS

__all__ = ["served", "served_board"]

_END_S = 30.0


@contextmanager
def served_board(faults: Faults | None = None) -> Iterator[str]:
    """Yield the path of a device with a board behind it, on a line with faults."""
    transport = SimTransport.build(Design(PARAMS))
    try:
        with served(transport.board, faults) as path:
            yield path
    finally:
        transport.close()


@contextmanager
def served(board: Board, faults: Faults | None = None) -> Iterator[str]:
    """Yield the path of a device with this board behind it."""
    lines = None if faults is None else served_lines(board, faults, pins=False)
    with PtyBoard(board, lines=lines) as pty:
        server = threading.Thread(target=pty.serve, name="the board")
        server.start()
        try:
            yield pty.device
        finally:
            pty.stop()
            server.join(_END_S)
