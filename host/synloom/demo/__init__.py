"""Demonstrations: networks that learn in the array, written with the public SDK."""
