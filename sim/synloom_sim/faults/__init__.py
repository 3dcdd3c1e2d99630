"""Faults of a line on purpose: a seeded bad line around any transport, for classes and for users' tests."""

from synloom_sim.faults.line import LossyLine
from synloom_sim.faults.rates import PRESETS, Faults
from synloom_sim.faults.served import served_lines
from synloom_sim.faults.transport import LossyTransport

__all__ = ["PRESETS", "Faults", "LossyLine", "LossyTransport", "served_lines"]
