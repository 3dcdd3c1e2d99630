"""Shapes of the bytes that the link's blocks hand to each other."""

from amaranth.lib import data

__all__ = ["CommandByte", "FrameByte"]

CommandByte = data.StructLayout({"data": 8, "more": 8})
"""A byte of a received payload, and how many bytes of the same payload follow it."""

FrameByte = data.StructLayout({"data": 8, "last": 1})
"""A byte of a payload to send; `last` ends the frame."""
