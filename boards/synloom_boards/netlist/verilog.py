"""A netlist as place and route gets it, as Verilog that a simulator gets through quickly."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from synloom.base.errors import BuildError
from synloom_boards.netlist.luts import LUTS, expression

__all__ = ["CONTENTS", "cell_types", "netlist_verilog"]

CONTENTS: Final[Mapping[str, int]] = {
    "SB_RAM40_4K": 16,
    "DP16KD": 64,
    "SDPB": 64,
    "SDPX9B": 64,
    "SP": 64,
    "SPX9": 64,
}
"""Memories whose contents come as so many numbered parameters (``INIT_RAM_00`` and so on).

Our models of them have one parameter INIT, with number 0 in its lowest bits."""

_UNSEEN: Final = "$scopeinfo"
"""Cells that only say where something came from."""
_DIGITS: Final = re.compile(r"[01xz]+")
_PADDED: Final = re.compile(r"[01xz]* +")
_CONTENTS: Final = re.compile(r"(?:INITVAL|INIT_RAM|INIT)_([0-9A-F]+)")

Module = Mapping[str, Any]


def cell_types(netlist: Mapping[str, Any]) -> set[str]:
    """Return the types of all cells of a netlist that yosys wrote as JSON."""
    return {cell["type"] for cell in _top(netlist)["cells"].values() if cell["type"] != _UNSEEN}


def netlist_verilog(netlist: Mapping[str, Any], name: str, family: str, inputs: Collection[str] = ()) -> str:
    """Return the flat top module of a netlist as Verilog: tables written out, other cells as instances.

    Each net is a wire of one bit without its former name: in vectors a simulator sees loops that are none,
    and long names cost it more time than the logic.

    Parameters
    ----------
    netlist : mapping
        What yosys wrote with ``write_json``.
    name : str
        Name of the module.
    family : str
        "ice40", "ecp5" or "gowin".
    inputs : collection of str
        Ports that count as inputs if they could be both; others of that kind are outputs.

    Raises
    ------
    BuildError
        If a memory lacks a part of its contents.
    """
    top = _top(netlist)
    nets: set[int] = set()

    def bit(value: int | str) -> str:
        if isinstance(value, int):
            nets.add(value)
            return f"n{value}"
        return f"1'b{value}"

    def vector(bits: Sequence[int | str]) -> str:
        return bit(bits[0]) if len(bits) == 1 else f"{{{', '.join(map(bit, reversed(bits)))}}}"

    body = []
    for port, facts in top["ports"].items():
        width = len(facts["bits"])
        direction = facts["direction"]
        if direction == "inout":
            direction = "input" if port in inputs else "output"
        body.append(f"{direction} {f'[{width - 1}:0] ' if width > 1 else ''}{_escaped(port)};")
        sides = vector(facts["bits"]), _escaped(port)
        target, source = sides if direction == "input" else sides[::-1]
        body.append(f"assign {target} = {source};")
    for number, cell in enumerate(top["cells"].values()):
        kind = cell["type"]
        if kind == _UNSEEN:
            continue
        parameters, connections = cell["parameters"], cell["connections"]
        if lut := LUTS[family].get(kind):
            inputs = [vector(connections.get(pin, "0")) for pin in lut.inputs]
            body.append(
                f"assign {vector(connections[lut.output])} = {expression(parameters[lut.table], inputs)};"
            )
            continue
        if kind in CONTENTS:
            parameters = _join(kind, parameters, CONTENTS[kind])
        settings = ", ".join(f".{key}({_literal(value)})" for key, value in parameters.items())
        pins = ", ".join(f".{pin}({vector(bits)})" for pin, bits in connections.items() if bits)
        body.append(f"{kind} {f'#({settings}) ' if settings else ''}c{number} ({pins});")
    ports = ", ".join(map(_escaped, top["ports"]))
    wires = [f"wire n{net};" for net in sorted(nets)]
    return "\n".join([f"module {name} ({ports});", *wires, *body, "endmodule", ""])


def _top(netlist: Mapping[str, Any]) -> Module:
    module: Module = netlist["modules"]["top"]
    return module


def _join(kind: str, parameters: Mapping[str, str], count: int) -> dict[str, str]:
    """Put the numbered parameters of the contents into one."""
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
    """Return a parameter; yosys marks a text that could be a number by a space at its end."""
    if _DIGITS.fullmatch(value):
        return f"{len(value)}'b{value}"
    return f'"{value[:-1] if _PADDED.fullmatch(value) else value}"'


def _escaped(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"\\{name} "
