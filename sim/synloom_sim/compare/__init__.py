"""One network three ways: in floating point, with the array's parameters, in the array's whole numbers."""

from synloom_sim.compare.comparison import Comparison, PopulationComparison, compare
from synloom_sim.compare.picture import draw_comparison, draw_report

__all__ = ["Comparison", "PopulationComparison", "compare", "draw_comparison", "draw_report"]
