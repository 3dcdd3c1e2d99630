"""Demonstrations: networks that learn on the chip, through the public SDK alone."""
