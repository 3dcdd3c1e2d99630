"""Counters that can also be loaded, at one logic cell a bit."""

from __future__ import annotations

from amaranth.hdl import Mux, Value

__all__ = ["down_or_load", "up_or_load"]


def up_or_load(value: Value, load: Value, start: Value) -> Value:
    """Return ``start if load else value + 1``, modulo the width of `value`.

    `load` is also an addend, which does not matter where the sum is used. So an iCE40 computes carry, sum and
    choice of a bit in one cell instead of two.

    Parameters
    ----------
    value : Value
        The count, of n bits.
    load : Value
        Whether to load, one bit.
    start : Value
        What is loaded, of at most n bits.
    """
    return Mux(load, start, (value + load.replicate(len(value)) + 1)[: len(value)])


def down_or_load(value: Value, load: Value, start: Value) -> Value:
    """Return ``start if load else value - 1``, modulo the width of `value`; see `up_or_load`."""
    return Mux(load, start, (value + (~load).replicate(len(value)))[: len(value)])
