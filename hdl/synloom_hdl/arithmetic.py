"""Small combinational helpers."""

from __future__ import annotations

from amaranth.hdl import Array, Const, Mux, Value

__all__ = ["minimum", "population", "rounded_shift"]


def population(bits: Value) -> Value:
    """Return the number of ones, as a balanced tree of adders."""
    terms = [bits[n] for n in range(len(bits))] or [Const(0, 1)]
    while len(terms) > 1:
        pairs = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(terms) & ~1 :]
    return terms[0]


def minimum(value: Value, top: int) -> Value:
    """Return the smaller of an unsigned value and a constant."""
    return Mux(value > top, top, value)


def rounded_shift(product: Value, fine: Value) -> Value:
    """Return ``(product + 2**(s-1)) >> s`` with s = 16 + 4 * fine: rounded, halves up."""
    # The bit below the cut is the half; it is chosen along, so that there is one adder.
    cut = Array([product >> (s - 1) for s in (16, 20, 24, 28)])[fine]
    return (cut >> 1) + cut[0]
