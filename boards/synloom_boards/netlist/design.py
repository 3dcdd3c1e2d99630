"""A design after synthesis, simulated like any other: with the same transport and the same client."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Final

from amaranth.back import rtlil, verilog

from synloom_boards.bitstreams.elaboration import make_plan
from synloom_boards.bitstreams.gateware_digest import gateware_digest
from synloom_boards.catalogue import find_board
from synloom_boards.fpga.families import FAMILIES
from synloom_boards.netlist.cell_models import cell_models
from synloom_boards.netlist.placed import NETLIST, Placed, PlacedBoard, PlacedComponent
from synloom_boards.netlist.verilog import cell_types, netlist_verilog
from synloom_boards.toolchain.synthesis import synthesise
from synloom_boards.toolchain.tools import TOOLS
from synloom_sim.board import Design
from synloom_sim.board.shell import shell

__all__ = ["BoardNetlist", "NetlistDesign"]

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class NetlistDesign(Design):
    """A top component of the gateware, synthesised for one family of FPGAs.

    Parameters
    ----------
    params, pins, top
        As in `Design`; the array is behind the pins of its UART by default.
    family : str
        "ice40", "ecp5" or "gowin".
    """

    pins: bool = True
    _: KW_ONLY
    family: str

    @property
    def both_edges(self) -> bool:
        """False: cells of a netlist may make clocks of their own."""
        return False

    def key(self) -> str:
        """Return 32 hex digits that change with everything the netlist and its simulation are made from."""
        family = FAMILIES[self.family]
        facts = [family.name, family.synthesis, dict(family.libraries), TOOLS["yosys"].version()]
        digest = hashlib.sha256(json.dumps([Design.key(self), *facts]).encode())
        for path in (
            _HERE.parent / "toolchain" / "synthesis.py",
            *sorted(_HERE.glob("*.py")),
            *sorted(_HERE.glob("cells/*.v")),
        ):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:32]

    def verilog(self, *, enclosed: bool = False, family: str | None = None) -> str:
        """Synthesise and return the netlist with the models of its cells.

        Parameters
        ----------
        enclosed : bool
            Add the simulated board's shell as module `top` around the netlist, which is module `netlist`.
        family : str, optional
            Ignored: the design has its family.

        Raises
        ------
        BuildError
            If yosys is missing or fails, or a cell has no model.
        """
        text, placed = self._elaborate()
        netlist = self._synthesise(text)
        parts = [
            netlist_verilog(netlist, NETLIST, self.family, placed.inputs),
            cell_models(self.family, cell_types(netlist)),
        ]
        if enclosed:
            module, ports = shell(placed, pins=self.pins)
            parts.append(verilog.convert(module, name="top", ports=ports, emit_src=False))
        return "\n".join(parts)

    def _elaborate(self) -> tuple[str, Placed]:
        """Return the design as RTLIL, and the component that holds its netlist."""
        module, _, name = self.component.partition(":")
        component: Any = getattr(import_module(module), name)(self.params)
        platform = SimpleNamespace(fpga_family=self.family)
        text: str = rtlil.convert(component, name="top", platform=platform, emit_src=False)
        return text, PlacedComponent(component.signature)

    def _synthesise(self, text: str) -> Mapping[str, Any]:
        """Return the netlist for place and route, which yosys writes as JSON."""
        with TemporaryDirectory(prefix="synloom-netlist-") as folder:
            made = synthesise(text, Path(folder), FAMILIES[self.family], names=False)
            netlist: Mapping[str, Any] = json.loads(made.json.read_text(encoding="utf-8"))
        return netlist


@dataclass(frozen=True, slots=True)
class BoardNetlist(NetlistDesign):
    """The whole design of a board, with PLL, reset and pins.

    Parameters
    ----------
    params : ArrayParams
        As `synloom_boards.board.Board.fit` returns them.
    family : str
        The board's family.
    board : str
        The board's name.
    board_files : tuple of Path
        Files in which it may be described.
    """

    _: KW_ONLY
    board: str
    board_files: tuple[Path, ...] = ()

    @property
    def both_edges(self) -> bool:
        """False: cells of a netlist may make clocks of their own."""
        return False

    def key(self) -> str:
        """Return 32 hex digits that change with everything the netlist and its simulation are made from."""
        text = NetlistDesign.key(self) + gateware_digest(find_board(self.board, self.board_files))
        # A platform that is a class of a file is known by the file only.
        files = b"".join(file.read_bytes() for file in self.board_files)
        return hashlib.sha256(text.encode() + files).hexdigest()[:32]

    def _elaborate(self) -> tuple[str, Placed]:
        board = find_board(self.board, self.board_files)
        return make_plan(board, self.params).rtlil, PlacedBoard(board.clock)
