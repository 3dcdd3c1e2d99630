"""The serial line to an array: frame codec, transports, and the client that offers a Port over them."""

from synloom.link.client import LinkPort
from synloom.link.statistics import LinkStatistics
from synloom.link.transport import SerialTransport, Transport

__all__ = ["LinkPort", "LinkStatistics", "SerialTransport", "Transport"]
