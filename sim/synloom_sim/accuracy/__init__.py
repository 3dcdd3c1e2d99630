"""Accuracy of the integer array, measured against the floating-point reference (docs/accuracy.md)."""

from synloom_sim.accuracy.cases import CASES, Case, measure, measure_nir
from synloom_sim.accuracy.distance import Distance, distance

__all__ = ["CASES", "Case", "Distance", "distance", "measure", "measure_nir"]
