"""Errors of Synloom: one root, one subclass for each thing that a caller can do about it."""

from __future__ import annotations

__all__ = [
    "BuildError",
    "CapacityError",
    "DeviceError",
    "ExperimentError",
    "LinkError",
    "MismatchError",
    "NetworkError",
    "ParameterError",
    "SynloomError",
    "TargetError",
]


class SynloomError(Exception):
    """Root of all errors that Synloom raises on purpose."""


class ParameterError(SynloomError, ValueError):
    """A value is wrong: change the argument that the message names."""


class NetworkError(SynloomError, ValueError):
    """A network cannot mean anything: change populations, projections or their rules."""


class CapacityError(SynloomError):
    """A network is legal but too big for this array: take a larger one, which the message names."""


class MismatchError(SynloomError):
    """An image and a device were made for different arrays: compile again, or flash again."""


class TargetError(SynloomError):
    """A target is not there or not Synloom: check the name, the cable, the permission."""


class LinkError(SynloomError):
    """The connection broke or timed out: reconnect."""


class DeviceError(SynloomError):
    """The device refused a command: the message says which and why."""


class BuildError(SynloomError):
    """A tool is missing or failed while something was built: see the log that the message names."""


class ExperimentError(SynloomError, ValueError):
    """An experiment file is wrong: the message gives the key and what is allowed."""
