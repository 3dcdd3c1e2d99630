"""Checks of a netlist: whether synthesis used the cells that the design is meant for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

from synloom.base.errors import BuildError
from synloom.contract import ArrayParams
from synloom_boards.fpga.families import Family
from synloom_boards.toolchain.synthesis import Netlist

__all__ = ["check_netlist", "large_memories", "most_multipliers"]

LARGE_BITS: Final = 4096
"""A writable memory of so many bits or more must be block memory, if it is not meant to be distributed."""

_SPRAM: Final = "SB_SPRAM256KA"
_SPRAM_BITS: Final = 16 * 16384

_MODULE = re.compile(r"^module \\(\S+)$(.*?)^end$", re.M | re.S)
_MEMORY = re.compile(r"^ *memory width (\d+) size (\d+) \\(\S+)$", re.M)
_DISTRIBUTED = re.compile(
    r'^ *attribute \\ram_style "distributed"$\n(?: *attribute .*\n)* *memory .* \\(\S+)$', re.M
)
_WRITTEN = re.compile(r'^ *cell \$memwr.*?MEMID "\\*(\S+?)"', re.M | re.S)
_PRODUCT = re.compile(
    r"^ *cell \$mul .*?\\A_WIDTH (\d+)$.*?\\B_WIDTH (\d+)$.*?connect \\A (\S+).*?connect \\B (\S+)",
    re.M | re.S,
)
_INSTANCE = re.compile(r"^ *cell \\(\S+) ", re.M)

_SHIFTS = 4
"""Ones of a constant factor up to which a product should be a sum of shifts."""


def check_netlist(family: Family, params: ArrayParams, rtlil: str, netlist: Netlist) -> None:
    """Check that memories and multipliers became the cells that they were meant to be.

    Parameters
    ----------
    family : Family
        What the design was mapped to.
    params : ArrayParams
        The array in the design.
    rtlil : str
        The design.
    netlist : Netlist
        What synthesis made of it.

    Raises
    ------
    BuildError
        If a forbidden cell is used, a large memory is not in block memory, or there are more multipliers than
        the design has products, because a shift or a rotation became one.
    """
    for name, reason in family.forbidden.items():
        if count := netlist.cells.get(name, 0):
            raise BuildError(f"synthesis used {count} {name}, but {reason}; please report this")
    _check_spram(family, params, netlist.cells)
    _check_memories(family, rtlil, netlist)
    used = sum(n for name, n in netlist.cells.items() if _matches(name, family.multipliers))
    most = most_multipliers(family, rtlil)
    if used > most:
        raise BuildError(
            f"synthesis used {used} multipliers, but the products of the design need {most}: a shift, a "
            f"rotation or a constant became a multiplier; please report this"
        )


def large_memories(rtlil: str) -> dict[str, int]:
    """Return the sizes, in bits, of the memories that must become block memory, by path."""
    found = {}
    for module, body in _modules(rtlil):
        written = set(_WRITTEN.findall(body)) - set(_DISTRIBUTED.findall(body))
        for width, depth, name in _MEMORY.findall(body):
            if name in written and int(width) * int(depth) >= LARGE_BITS:
                found[f"{module}{name}"] = int(width) * int(depth)
    return found


def most_multipliers(family: Family, rtlil: str) -> int:
    """Return how many multiplier cells a design's products and instances need at most.

    Products by a constant of a few ones need none: they are sums of shifts. Those of the dither's constants
    are meant to be multipliers.
    """
    size = family.multiplier_bits
    count = 0
    for width_a, width_b, a, b in _PRODUCT.findall(rtlil):
        if _is_factor(a) and _is_factor(b):
            count += -(-int(width_a) // size) * -(-int(width_b) // size)
    return count + sum(_matches(cell, family.multipliers) for cell in _INSTANCE.findall(rtlil))


def _is_factor(operand: str) -> bool:
    """Return whether an operand is a signal, or a constant of too many ones for a sum of shifts."""
    _, is_constant, digits = operand.partition("'")
    return not is_constant or digits.count("1") > _SHIFTS


def _check_spram(family: Family, params: ArrayParams, cells: Mapping[str, int]) -> None:
    if family.name != "ice40" or not params.single_port:
        return
    bits = params.sources * 16 * params.neuron_words * params.weight_bits
    blocks = -(-bits // _SPRAM_BITS)
    used = cells.get(_SPRAM, 0)
    if used < blocks:
        raise BuildError(f"the weights need {blocks} {_SPRAM}, but synthesis used {used}; please report this")


def _check_memories(family: Family, rtlil: str, netlist: Netlist) -> None:
    blocks = tuple(_block_memories(family, netlist))
    for path, bits in large_memories(rtlil).items():
        if not any(block.startswith(f"{path}.") for block in blocks):
            raise BuildError(
                f"the memory {path} of {bits:,} bits did not become block memory; please report this"
            )


def _block_memories(family: Family, netlist: Netlist) -> Iterator[str]:
    modules = json.loads(netlist.json.read_text(encoding="utf-8"))["modules"]
    for name, cell in modules["top"]["cells"].items():
        if _matches(cell["type"], family.block_ram):
            yield name


def _modules(rtlil: str) -> Iterator[tuple[str, str]]:
    """Yield each module's path in the flat design, with a dot at its end, and its text."""
    for name, body in _MODULE.findall(rtlil):
        path = name.removeprefix("top").removeprefix(".")
        yield f"{path}." if path else "", body


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
