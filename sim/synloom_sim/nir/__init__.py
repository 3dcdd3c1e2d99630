"""NIR, measured: published graphs against float loops, and what each node becomes in the array."""

from synloom_sim.nir.bars import Bar, all_bars
from synloom_sim.nir.support import support_table

__all__ = ["Bar", "all_bars", "support_table"]
