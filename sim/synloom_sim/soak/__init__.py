"""Endurance: bad lines, kills, resets, random bytes, signals and long runs; `python -m synloom_sim.soak`."""
