"""How independent the array's random numbers are: spikes of generators, and stochastic rounding."""

from synloom_sim.noise.independence import Independence, independence
from synloom_sim.noise.sources import rounded_up, spikes

__all__ = ["Independence", "independence", "rounded_up", "spikes"]
