"""One network three ways: in floating point, with the array's parameters, in the array's whole numbers."""

from synloom_sim.compare.comparison import Comparison, Learned, PopulationComparison, compare
from synloom_sim.compare.picture import draw_comparison, draw_learned, draw_report

__all__ = [
    "Comparison",
    "Learned",
    "PopulationComparison",
    "compare",
    "draw_comparison",
    "draw_learned",
    "draw_report",
]
