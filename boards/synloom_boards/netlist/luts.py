"""Look-up tables as short expressions, which a simulator evaluates faster than tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

__all__ = ["LUTS", "Lut", "expression"]


class Lut(NamedTuple):
    """A cell that is a look-up table.

    Parameters
    ----------
    table : str
        Name of the parameter with the table; bit k is the output for inputs of value k.
    inputs : sequence of str
        Names of the input pins, least significant first.
    output : str
        Name of the output pin.
    """

    table: str
    inputs: Sequence[str]
    output: str


LUTS: Final = {
    "ice40": {"SB_LUT4": Lut("LUT_INIT", ("I0", "I1", "I2", "I3"), "O")},
    "ecp5": {"LUT4": Lut("INIT", ("A", "B", "C", "D"), "Z")},
    "gowin": {f"LUT{n}": Lut("INIT", tuple(f"I{k}" for k in range(n)), "F") for n in range(1, 5)},
}
"""Look-up tables of each family, by cell type."""


def expression(table: str, inputs: Sequence[str]) -> str:
    """Return the shortest expression found for a table.

    Parameters
    ----------
    table : str
        2**n binary digits, from the output for all inputs high to that for all low; x counts as 0.
    inputs : sequence of str
        n operands, least significant first; "1'b0", "1'b1" and "1'bx" are constants.
    """
    bits = table.replace("x", "0")[::-1]
    fixed = {k: name == "1'b1" for k, name in enumerate(inputs) if name.startswith("1'b")}
    kept = [k for k in range(len(bits)) if all(k >> n & 1 == level for n, level in fixed.items())]
    value = sum(int(bits[k]) << n for n, k in enumerate(kept))
    names = [name for k, name in enumerate(inputs) if k not in fixed]
    return _simplest(value, len(names))[1].format(*names)


@cache
def _simplest(table: int, inputs: int) -> tuple[int, str]:
    """Return the number of operators and the expression, whose inputs are {0}, {1} and so on."""
    ones = (1 << (1 << inputs)) - 1
    if table in (0, ones):
        return 0, "1'b1" if table else "1'b0"
    return min((_split(table, inputs, k) for k in range(inputs)), key=lambda found: found[0])


def _split(table: int, inputs: int, chosen: int) -> tuple[int, str]:
    """Expand a table that is not constant by one of its inputs."""
    places = [k for k in range(1 << inputs) if not k >> chosen & 1]
    low = sum((table >> k & 1) << n for n, k in enumerate(places))
    high = sum((table >> (k | 1 << chosen) & 1) << n for n, k in enumerate(places))
    ones = (1 << len(places)) - 1
    others = [f"{{{k}}}" for k in range(inputs) if k != chosen]
    x = f"{{{chosen}}}"

    def rest(part: int) -> tuple[int, str]:
        cost, text = _simplest(part, inputs - 1)
        return cost, text.format(*others)

    if low == high:
        return rest(low)
    if {low, high} == {0, ones}:
        return (1, x) if high else (1, f"~{x}")
    cost, text = rest(low if high in (0, ones) else high)
    if low == 0:
        return cost + 1, f"({x} & {text})"
    if low == ones:
        return cost + 1, f"(~{x} | {text})"
    if high == 0:
        return cost + 1, f"(~{x} & {text})"
    if high == ones:
        return cost + 1, f"({x} | {text})"
    low_cost, low_text = rest(low)
    if low == high ^ ones:
        return low_cost + 1, f"({x} ^ {low_text})"
    return cost + low_cost + 3, f"({x} & {text} | ~{x} & {low_text})"
