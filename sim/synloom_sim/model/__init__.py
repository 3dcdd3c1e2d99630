"""The bit-exact model: docs/numbers.md as readable NumPy code."""

from synloom_sim.model.array import ArrayModel

__all__ = ["ArrayModel"]
