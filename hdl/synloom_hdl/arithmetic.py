"""Small combinational helpers."""

from __future__ import annotations

from amaranth.hdl import Const, Mux, Value

__all__ = ["minimum", "population"]


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
