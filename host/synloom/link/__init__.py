"""The line to an array: codec, transports, and the client that makes a Port of them."""

from synloom.link.client import LinkPort
from synloom.link.exchange import LinkStatistics
from synloom.link.transport import SerialTransport, Transport

__all__ = ["LinkPort", "LinkStatistics", "SerialTransport", "Transport"]
