"""Bit-exact models, the float reference and the simulated board."""
