"""The simulated board: Verilated gateware behind the same transport as a serial port."""

from synloom_sim.board.cache import BoardCache
from synloom_sim.board.design import Design
from synloom_sim.board.library import Board, BoardStatus, RunReason
from synloom_sim.board.library_build import build_board
from synloom_sim.board.transport import SimTransport

__all__ = [
    "Board",
    "BoardCache",
    "BoardStatus",
    "Design",
    "RunReason",
    "SimTransport",
    "build_board",
]
