"""Simulation after synthesis: the netlist for place and route, with models of the vendors' cells."""

from synloom.selftest.comparison import Agreement
from synloom_boards.netlist.agreement import compare
from synloom_boards.netlist.arrays import SMALL_ARRAYS
from synloom_boards.netlist.design import BoardNetlist, NetlistDesign
from synloom_boards.netlist.transport import connect

__all__ = ["SMALL_ARRAYS", "Agreement", "BoardNetlist", "NetlistDesign", "compare", "connect"]
