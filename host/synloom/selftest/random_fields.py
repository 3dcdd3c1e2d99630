"""Random contents of memories, drawn from their layouts, so that new fields are included."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import IntArray
from synloom.contract.layout import Field, Layout

__all__ = ["Fields", "random_field", "random_fields"]

Fields = dict[str, IntArray]
"""One (n,) int64 array for each field of a memory's records."""


def random_field(field: Field, n: int, rng: np.random.Generator) -> IntArray:
    """Return n random values of a field, (n,) int64: a mixture of limits, small values and any values."""
    small = rng.integers(max(field.low, -40), min(field.high, 40) + 1, n)
    between = rng.integers(field.low, field.high + 1, n)
    limits = rng.choice([field.low, field.high, 0, field.high // 2], n)
    return np.choose(rng.integers(0, 4, n), [small, between, between >> 4, limits])


def random_fields(layout: Layout, n: int, rng: np.random.Generator) -> Fields:
    """Return n random records of a layout, without reserved bits."""
    fields = layout.fields.values()
    return {field.name: random_field(field, n, rng) for field in fields if field.name != "reserved"}
