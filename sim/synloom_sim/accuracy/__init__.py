"""Accuracy of the integer array, measured against the floating-point reference (docs/accuracy.md)."""

from synloom_sim.accuracy.cases import CASES, Case, Measured, measure, measure_nir, run_reference
from synloom_sim.accuracy.compiled import OnArray, run_on_array
from synloom_sim.accuracy.distance import Distance, distance

__all__ = [
    "CASES",
    "Case",
    "Distance",
    "Measured",
    "OnArray",
    "distance",
    "measure",
    "measure_nir",
    "run_on_array",
    "run_reference",
]
