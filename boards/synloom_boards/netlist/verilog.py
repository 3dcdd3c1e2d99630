"""The netlist for place and route as Verilog that simulates fast."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from synloom.base.errors import BuildError
from synloom_boards.netlist.luts import LUTS, Lut, expression

__all__ = ["CONTENTS", "cell_types", "netlist_verilog"]

CONTENTS: Final[Mapping[str, int]] = {
    "SB_RAM40_4K": 16,
    "DP16KD": 64,
    "SDPB": 64,
    "SDPX9B": 64,
    "SP": 64,
    "SPX9": 64,
}
"""Memories, with the number of parameters that hold their contents (``INIT_RAM_00`` and so on).

Our models have one parameter INIT instead, with number 0 in its lowest bits."""

_UNSEEN: Final = "$scopeinfo"
"""Type of cells that only name the source of others."""
_DIGITS: Final = re.compile(r"[01xz]+")
_PADDED: Final = re.compile(r"[01xz]* +")
_CONTENTS: Final = re.compile(r"(?:INITVAL|INIT_RAM|INIT)_([0-9A-F]+)")

Module = Mapping[str, Any]


def cell_types(netlist: Mapping[str, Any]) -> set[str]:
    """Return the types of all cells in a netlist that yosys wrote as JSON."""
    return {cell["type"] for cell in _top(netlist)["cells"].values() if cell["type"] != _UNSEEN}


def netlist_verilog(netlist: Mapping[str, Any], name: str, family: str, inputs: Collection[str] = ()) -> str:
    """Return the flat top module of a netlist as Verilog: tables as expressions, other cells as instances.

    Each net becomes a wire of one bit with a number for a name: in vectors a simulator sees combinational
    loops where there are none, and long names cost it more time than the logic.

    Parameters
    ----------
    netlist : mapping
        What yosys wrote with ``write_json``.
    name : str
        Name of the module.
    family : str
        "ice40", "ecp5" or "gowin".
    inputs : collection of str
        Bidirectional ports that are inputs; the others of that kind are outputs.

    Raises
    ------
    BuildError
        If a memory lacks a part of its contents.
    """
    top, nets = _top(netlist), _Nets()
    body = [*_port_lines(top, nets, inputs), *_cell_lines(top, nets, family)]
    ports = ", ".join(map(_escaped, top["ports"]))
    return "\n".join([f"module {name} ({ports});", *nets.declarations(), *body, "endmodule", ""])


class _Nets:
    """The nets that a netlist uses: number n is the wire ``n<n>``."""

    def __init__(self) -> None:
        self._used: set[int] = set()

    def vector(self, bits: Sequence[int | str]) -> str:
        """Return an operand of nets and constants, the lowest bit first in `bits`."""
        return self._bit(bits[0]) if len(bits) == 1 else f"{{{', '.join(map(self._bit, reversed(bits)))}}}"

    def declarations(self) -> list[str]:
        """Return the declarations of all nets that were in a vector."""
        return [f"wire n{net};" for net in sorted(self._used)]

    def _bit(self, value: int | str) -> str:
        if isinstance(value, int):
            self._used.add(value)
            return f"n{value}"
        return f"1'b{value}"


def _port_lines(top: Module, nets: _Nets, inputs: Collection[str]) -> Iterator[str]:
    """Yield the declaration of each port, and the assignment between it and its nets."""
    for port, facts in top["ports"].items():
        width = len(facts["bits"])
        direction = facts["direction"]
        if direction == "inout":
            direction = "input" if port in inputs else "output"
        yield f"{direction} {f'[{width - 1}:0] ' if width > 1 else ''}{_escaped(port)};"
        sides = nets.vector(facts["bits"]), _escaped(port)
        target, source = sides if direction == "input" else sides[::-1]
        yield f"assign {target} = {source};"


def _cell_lines(top: Module, nets: _Nets, family: str) -> Iterator[str]:
    """Yield an assignment for each look-up table and an instance for each other cell."""
    for number, cell in enumerate(top["cells"].values()):
        kind = cell["type"]
        if kind == _UNSEEN:
            continue
        if lut := LUTS[family].get(kind):
            yield _lut_line(lut, cell, nets)
        else:
            yield _instance_line(f"c{number}", cell, nets)


def _lut_line(lut: Lut, cell: Mapping[str, Any], nets: _Nets) -> str:
    connections = cell["connections"]
    operands = [nets.vector(connections.get(pin, "0")) for pin in lut.inputs]
    value = expression(cell["parameters"][lut.table], operands)
    return f"assign {nets.vector(connections[lut.output])} = {value};"


def _instance_line(name: str, cell: Mapping[str, Any], nets: _Nets) -> str:
    kind, parameters = cell["type"], cell["parameters"]
    if kind in CONTENTS:
        parameters = _join(kind, parameters, CONTENTS[kind])
    settings = ", ".join(f".{key}({_literal(value)})" for key, value in parameters.items())
    pins = ", ".join(f".{pin}({nets.vector(bits)})" for pin, bits in cell["connections"].items() if bits)
    return f"{kind} {f'#({settings}) ' if settings else ''}{name} ({pins});"


def _top(netlist: Mapping[str, Any]) -> Module:
    module: Module = netlist["modules"]["top"]
    return module


def _join(kind: str, parameters: Mapping[str, str], count: int) -> dict[str, str]:
    """Join the numbered parameters of a memory's contents into one."""
    others: dict[str, str] = {}
    parts: dict[int, str] = {}
    for name, value in parameters.items():
        if match := _CONTENTS.fullmatch(name):
            parts[int(match[1], 16)] = value
        else:
            others[name] = value
    if sorted(parts) != list(range(count)):
        raise BuildError(
            f"a cell {kind} of the netlist must have {count} parts of its contents, not {len(parts)}"
        )
    return {**others, "INIT": "".join(parts[k] for k in reversed(range(count)))}


def _literal(value: str) -> str:
    """Return the value of a parameter; yosys ends a text that looks like a number with a space."""
    if _DIGITS.fullmatch(value):
        return f"{len(value)}'b{value}"
    return f'"{value[:-1] if _PADDED.fullmatch(value) else value}"'


def _escaped(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"\\{name} "
