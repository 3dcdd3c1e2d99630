"""A design after synthesis, to be simulated like any other: the same transport, the same client."""

from __future__ import annotations

import hashlib
import json
from dataclasses import KW_ONLY, dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from amaranth.back import rtlil, verilog
from amaranth.hdl import ClockSignal, Instance, Module, Signal
from amaranth.lib import wiring

from synloom_boards.families import FAMILIES
from synloom_boards.netlist.cells import cell_models
from synloom_boards.netlist.verilog import cell_types, netlist_verilog
from synloom_boards.synthesis import synthesise
from synloom_boards.tools import TOOLS
from synloom_sim.board import Design
from synloom_sim.board.shell import shell

__all__ = ["NetlistDesign"]

_MODULE = "netlist"
_RESET_CLOCKS = 8
_SOURCES = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class NetlistDesign(Design):
    """A top component of the gateware, synthesised for one family of FPGAs.

    Parameters
    ----------
    params, pins, top
        As in `Design`; the array's netlist has pins.
    family : str
        "ice40", "ecp5" or "gowin".
    """

    pins: bool = True
    _: KW_ONLY
    family: str

    def key(self) -> str:
        """Return 32 hex digits that change with everything the netlist and its simulation are made from."""
        family = FAMILIES[self.family]
        digest = hashlib.sha256(Design.key(self).encode())
        facts = [family.name, family.synthesis, dict(family.libraries), TOOLS["yosys"].version()]
        digest.update(json.dumps(facts).encode())
        here = Path(__file__).parent
        for path in (_SOURCES / "synthesis.py", *sorted(here.glob("*.py")), *sorted(here.glob("cells/*.v"))):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:32]

    def netlist(self) -> dict[str, Any]:
        """Synthesise and return what place and route gets: yosys's JSON.

        Raises
        ------
        BuildError
            If yosys is missing or fails.
        """
        return self._synthesise(self._component())

    def verilog(self, *, enclosed: bool = False) -> str:
        """Synthesise and return the netlist with the models of its cells.

        Parameters
        ----------
        enclosed : bool
            Put it into the simulated board's shell, in module `top`; else the netlist is module `netlist`.

        Raises
        ------
        BuildError
            If yosys is missing or fails, or a cell has no model.
        """
        component = self._component()
        netlist = self._synthesise(component)
        parts = [
            netlist_verilog(netlist, _MODULE, self.family),
            cell_models(self.family, cell_types(netlist)),
        ]
        if enclosed:
            module, ports = shell(_Placed(component.signature), pins=self.pins)
            parts.append(verilog.convert(module, name="top", ports=ports, emit_src=False))
        return "\n".join(parts)

    def _component(self) -> wiring.Component:
        module, _, name = self.component.partition(":")
        made: wiring.Component = getattr(import_module(module), name)(self.params)
        return made

    def _synthesise(self, component: wiring.Component) -> dict[str, Any]:
        text = rtlil.convert(component, name="top", platform=_Platform(self.family), emit_src=False)
        with TemporaryDirectory(prefix="synloom-netlist-") as folder:
            made = synthesise(text, Path(folder), FAMILIES[self.family], names=False)
            netlist: dict[str, Any] = json.loads(made.json.read_text(encoding="utf-8"))
        return netlist


class _Platform:
    """All that the gateware asks of a platform."""

    def __init__(self, family: str):
        self.fpga_family = family


class _Placed(wiring.Component):
    """The netlist in the place of the component it was made from, reset after power-up."""

    def __init__(self, signature: wiring.Signature):
        super().__init__(signature)

    def elaborate(self, platform):
        m = Module()
        waited = Signal(range(_RESET_CLOCKS + 1))
        with m.If(waited < _RESET_CLOCKS):
            m.d.sync += waited.eq(waited + 1)
        pins = {"i_clk": ClockSignal(), "i_rst": waited < _RESET_CLOCKS}
        for path, member, value in self.signature.flatten(self):
            pins[f"{'o' if member.flow is wiring.Out else 'i'}_{'__'.join(path)}"] = value
        m.submodules.netlist = Instance(_MODULE, **pins)
        return m
