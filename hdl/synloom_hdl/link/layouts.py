"""Shapes of the bytes that the link's blocks hand to each other."""

from amaranth.lib import data

__all__ = ["FrameByte"]

FrameByte = data.StructLayout({"data": 8, "last": 1})
"""A byte of a payload to send; `last` ends the frame."""
