"""FPGA boards with open tools: their descriptions, their bitstreams, and the netlists on the way there.

From the bottom up: `fpga` (families, PLLs, pins), `board` and `boards` (one file a board), `gateware` (what
surrounds the array on a board), `toolchain` (the open tools), `bitstreams` (from a board to its bitstream and
its stamp), `netlist` (simulation after synthesis). Commands, run by ``python -m``: `build_all`,
`boards_check`, `cost`, `netlist`.
"""
