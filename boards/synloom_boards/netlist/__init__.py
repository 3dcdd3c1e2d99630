"""Simulation after synthesis: the netlist that place and route gets, with the vendors' cells."""

from synloom_boards.netlist.design import NetlistDesign
from synloom_boards.netlist.transport import connect

__all__ = ["NetlistDesign", "connect"]
