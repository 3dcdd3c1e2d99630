"""The bit-exact model, the floating-point reference and the simulated board."""
