"""Devices: targets, runs, recorders, counters, and state and weights in SI units."""
