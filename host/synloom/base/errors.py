"""Errors of Synloom: one root, and one subclass for each remedy."""

from __future__ import annotations

__all__ = [
    "ArrayLostError",
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
    """Base class of all errors that Synloom raises deliberately."""


class ParameterError(SynloomError, ValueError):
    """A value is wrong: change the argument named in the message."""


class NetworkError(SynloomError, ValueError):
    """A network is inconsistent, or has no such part: change populations, projections or their rules."""


class CapacityError(SynloomError):
    """A valid network needs a larger array or another feature: use the array named in the message."""


class MismatchError(SynloomError):
    """An image and a device belong to different arrays: compile the network or flash the board again."""


class TargetError(SynloomError):
    """A target is missing or is not a Synloom array: check the name, the cable and the permissions."""


class LinkError(SynloomError):
    """The connection broke or timed out: connect again."""


class DeviceError(SynloomError):
    """The device cannot do what was asked: the message says why."""


class ArrayLostError(DeviceError):
    """The array no longer has the image that was loaded, after a reset or the like: load it again."""


class BuildError(SynloomError):
    """A build failed, or a tool for it is missing: see the log named in the message."""


class ExperimentError(SynloomError, ValueError):
    """An experiment file is wrong: the message gives the key and its allowed values."""
