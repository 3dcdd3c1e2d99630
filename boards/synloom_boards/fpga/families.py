"""The FPGA families: how each is synthesised, placed and packed, and how its cells are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

__all__ = ["FAMILIES", "Family", "count_cells"]

_GOWIN_BLOCK_RAM: Final = """\
ram block $__GOWIN_SDP_ {
	abits 14;
	widths 1 2 4 9 18 36 per_port;
	cost 128;
	byte 9;
	init no_undef;
	port sr "R" {
		clock posedge;
		clken;
		option "RESET_MODE" "SYNC" {
			rdsrst zero ungated;
		}
		option "RESET_MODE" "ASYNC" {
			rdarst zero;
		}
		rdinit zero;
	}
	port sw "W" {
		clock posedge;
		clken;
		wrbe_separate;
	}
}
"""
"""The description that yosys has, without the true dual port, which GW1NR-9C lacks."""


@dataclass(frozen=True)
class Family:
    """One FPGA family.

    Parameters
    ----------
    name : str
        Value of ``platform.fpga_family``: "ice40", "ecp5" or "gowin".
    title : str
        The vendor's name of the family.
    synthesis : str
        yosys commands that map the module `top` to the family's cells.
    cells : mapping of str to mapping of str to int
        For each column of the cost table: patterns of cell types, with the weight of one cell.
    placer : str
        nextpnr's name of the family.
    place : sequence of str
        nextpnr's options for files and algorithms; the board adds the device.
    packer : str
        The tool that makes the bitstream.
    pack : sequence of str
        The packer's arguments, which follow the board's.
    bitstream : str
        The file that the packer writes.
    columns : mapping of str to str
        For each column of the board table: nextpnr's name of the resource.
    block_ram : tuple of str
        Patterns of the types of block memory cells.
    multipliers : tuple of str
        Patterns of the types of multiplier cells.
    multiplier_bits : int
        Width of a factor of the widest multiplier, in bits.
    forbidden : mapping of str to str
        Cells that synthesis must not use, and why.
    alone : sequence of str
        nextpnr's options to place a block without pins; empty if it cannot.
    libraries : mapping of str to str
        Files that `synthesis` reads beside the design: names and texts.
    """

    name: str
    title: str
    synthesis: str
    cells: Mapping[str, Mapping[str, int]]
    placer: str
    place: Sequence[str]
    packer: str
    pack: Sequence[str]
    bitstream: str
    columns: Mapping[str, str]
    block_ram: tuple[str, ...]
    multipliers: tuple[str, ...]
    multiplier_bits: int
    forbidden: Mapping[str, str] = field(default_factory=dict)
    alone: Sequence[str] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)

    @property
    def tools(self) -> tuple[str, str, str]:
        """Names of the tools for synthesis, placing and packing."""
        return "yosys", f"nextpnr-{self.placer}", self.packer

    def resources(self, used: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        """Return used and available resources by column, from nextpnr's counts."""
        return {column: used[name] for column, name in self.columns.items() if name in used}


FAMILIES: Final[dict[str, Family]] = {
    "ice40": Family(
        name="ice40",
        title="Lattice iCE40 UltraPlus",
        # Operators whose operands are chosen are shared before arithmetic becomes carry chains.
        synthesis="proc; flatten; opt -full; opt_share; synth_ice40 -dsp -device u -top top",
        cells={
            "LUT4": {"SB_LUT4": 1},
            "flip-flops": {"SB_DFF*": 1},
            "RAM40": {"SB_RAM40_4K*": 1},
            "SPRAM": {"SB_SPRAM256KA": 1},
            "MAC16": {"SB_MAC16": 1},
        },
        placer="ice40",
        place=("--pcf", "top.pcf", "--asc", "top.asc"),
        packer="icepack",
        pack=("top.asc", "top.bin"),
        bitstream="top.bin",
        columns={
            "LUT": "ICESTORM_LC",
            "RAM": "ICESTORM_RAM",
            "SPRAM": "ICESTORM_SPRAM",
            "DSP": "ICESTORM_DSP",
        },
        block_ram=("SB_RAM40_4K*", "SB_SPRAM256KA"),
        multipliers=("SB_MAC16",),
        multiplier_bits=16,
    ),
    "ecp5": Family(
        name="ecp5",
        title="Lattice ECP5",
        synthesis="synth_ecp5 -top top",
        cells={
            # A carry cell is two look-up tables, a distributed memory of 16 x 4 is four.
            "LUT4": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4},
            "flip-flops": {"TRELLIS_FF": 1},
            "DP16KD": {"DP16KD": 1},
            "MULT18X18D": {"MULT18X18D": 1},
        },
        placer="ecp5",
        # Not --tmg-ripup: while any path misses the clock it routes again, up to 1,500 times, so that a build
        # that misses by little takes hours.
        place=("--lpf", "top.lpf", "--textcfg", "top.config", "--router", "router2"),
        packer="ecppack",
        pack=("--compress", "top.config", "top.bit"),
        bitstream="top.bit",
        columns={"LUT": "TRELLIS_COMB", "FF": "TRELLIS_FF", "RAM": "DP16KD", "DSP": "MULT18X18D"},
        block_ram=("DP16KD",),
        multipliers=("MULT18X18D",),
        multiplier_bits=18,
        alone=("--85k", "--package", "CABGA381", "--speed", "6", "--router", "router2", "--out-of-context"),
    ),
    "gowin": Family(
        name="gowin",
        title="Gowin LittleBee and Arora",
        synthesis=(
            "synth_gowin -top top -run begin:map_ram; "
            "memory_libmap -lib +/gowin/lutrams.txt -lib block_ram.txt; "
            "techmap -map +/gowin/lutrams_map.v -map +/gowin/brams_map.v; "
            "synth_gowin -top top -nowidelut -run map_ffram:"
        ),
        cells={
            # A distributed memory of 16 x 4 takes up eight look-up tables.
            "LUT4": {"LUT[1-4]": 1, "ALU": 1, "RAM16SDP4": 8},
            "flip-flops": {"DFF*": 1},
            "BSRAM": {"SDPB": 1, "SDPX9B": 1, "DPB": 1, "DPX9B": 1, "SP": 1, "SPX9": 1, "pROM*": 1},
            "multipliers": {"MULT*": 1},
        },
        placer="himbaechel-gowin",
        place=("--vopt", "cst=top.cst", "--write", "top.pnr.json"),
        packer="gowin_pack",
        pack=("-o", "top.fs", "top.pnr.json"),
        bitstream="top.fs",
        columns={"LUT": "LUT4", "FF": "DFF", "RAM": "BSRAM", "DSP": "MULT18X18"},
        block_ram=("SDPB", "SDPX9B", "SP", "SPX9", "pROM*"),
        multipliers=("MULT*",),
        multiplier_bits=18,
        forbidden={
            "DPB": "GW1NR-9C has no true dual port memory",
            "DPX9B": "GW1NR-9C has no true dual port memory",
        },
        libraries={"block_ram.txt": _GOWIN_BLOCK_RAM},
    ),
}
"""Families by name."""


def count_cells(family: Family, numbers: Mapping[str, int]) -> dict[str, int]:
    """Return the columns of the cost table from the number of cells of each type."""
    return {column: _weigh(patterns, numbers) for column, patterns in family.cells.items()}


def _weigh(patterns: Mapping[str, int], numbers: Mapping[str, int]) -> int:
    return sum(
        weight * count
        for pattern, weight in patterns.items()
        for name, count in numbers.items()
        if fnmatchcase(name, pattern)
    )
