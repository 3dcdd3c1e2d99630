"""Foundations of all other packages: errors, argument checks, progress, atomic files, requirements."""
