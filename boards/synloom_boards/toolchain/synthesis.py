"""From a design as RTLIL to a netlist of one family's cells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from synloom_boards.fpga.families import Family
from synloom_boards.toolchain.tools import run_tool

__all__ = ["Netlist", "synthesise", "without_collisions"]

_OLD_DATA: Final = re.compile(
    r"(TRANSPARENCY_MASK 1'0\s+parameter .COLLISION_X_MASK 1)'0((?:\n.*){4}\n\s+parameter .CLK_ENABLE 1\b)"
)
"""A clocked read port that returns the old word while its address is written."""
_READ: Final = "read_rtlil top.il"
_HIDE: Final = "flatten; rename -hide w:*; rename -hide c:*"


@dataclass(frozen=True, slots=True)
class Netlist:
    """The result of synthesis.

    Parameters
    ----------
    json : Path
        The netlist for place and route.
    cells : mapping of str to int
        Number of cells of each type.
    verilog : Path or None
        The netlist as Verilog without attributes, if requested; its module is `top`.
    """

    json: Path
    cells: Mapping[str, int]
    verilog: Path | None = None


def synthesise(
    rtlil: str,
    folder: Path,
    family: Family,
    *,
    verilog: bool = False,
    names: bool = True,
    watch: Callable[[str], None] | None = None,
) -> Netlist:
    """Run yosys on a design whose top module is `top`.

    Parameters
    ----------
    rtlil : str
        The design, as ``amaranth.back.rtlil.convert(component, name="top", platform=...)`` returns it.
    folder : Path
        Folder for all files: `top.il`, `top.json`, `cells.json`, `build.log`, `top.v`.
    family : Family
        The family to map it to.
    verilog : bool
        Write the netlist as Verilog, too.
    names : bool
        Keep the names of signals; without them the tools are a little faster.
    watch : callable, optional
        Called with each line that yosys writes.

    Raises
    ------
    BuildError
        If yosys is missing or fails.
    """
    (folder / "top.il").write_text(without_collisions(rtlil), encoding="utf-8")
    for name, text in family.libraries.items():
        (folder / name).write_text(text, encoding="utf-8")
    script = [_READ, *([] if names else [_HIDE]), family.synthesis]
    if verilog:
        script.append("write_verilog -noattr top.v")
    script += ["write_json top.json", "tee -q -o cells.json stat -json"]
    run_tool("yosys", ["-p", "; ".join(script)], folder, watch=watch)
    cells = json.loads((folder / "cells.json").read_text(encoding="utf-8"))["design"]["num_cells_by_type"]
    return Netlist(folder / "top.json", cells, folder / "top.v" if verilog else None)


def without_collisions(rtlil: str) -> str:
    """Return the design with the result of a read undefined while the same address is written.

    Amaranth's memories return the old word then. Few devices do, and to emulate it costs registers and
    comparators for each memory. Only the traces of two-ported arrays rely on it. They are in distributed
    memory, which returns the old word (`block_ram`); `make_plan` refuses such arrays on devices without it.
    In simulated netlists such a read of block memory returns garbage, so that a test finds any block that
    relies on it.
    """
    return _OLD_DATA.sub(r"\1'1\2", rtlil)
