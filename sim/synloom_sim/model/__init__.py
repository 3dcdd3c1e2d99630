"""The bit-exact model: docs/numbers.md in its readable form, on NumPy arrays."""

from synloom_sim.model.array import ArrayModel

__all__ = ["ArrayModel"]
