"""The fast engine: docs/numbers.md as one compiled loop, with the model's bits; needs Numba."""
