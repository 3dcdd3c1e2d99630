"""Random contents of memories, drawn from their layouts: a field that is added is drawn by itself."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import IntArray
from synloom.contract.layout import Field, Layout

__all__ = ["Fields", "random_field", "random_fields"]

Fields = dict[str, IntArray]
"""One (n,) int64 array for each field of a memory's records."""


def random_field(field: Field, n: int, rng: np.random.Generator) -> IntArray:
    """Return n values of a field: its limits as often as small values, and as any between."""
    small = rng.integers(max(field.low, -40), min(field.high, 40) + 1, n)
    between = rng.integers(field.low, field.high + 1, n)
    limits = rng.choice([field.low, field.high, 0, field.high // 2], n)
    return np.choose(rng.integers(0, 4, n), [small, between, between >> 4, limits])


def random_fields(layout: Layout, n: int, rng: np.random.Generator) -> Fields:
    """Return n records of a layout, reserved bits left out."""
    fields = layout.fields.values()
    return {field.name: random_field(field, n, rng) for field in fields if field.name != "reserved"}
