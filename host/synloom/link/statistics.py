"""What was counted on a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["FAULTS", "LinkStatistics"]


@dataclass(slots=True)
class LinkStatistics:
    """Numbers of bytes, commands and errors on a line so far.

    Attributes
    ----------
    bytes_in, bytes_out : int
        Bytes received from and sent to the transport.
    commands : int
        Commands answered.
    retries : int
        Commands sent again because their reply did not arrive.
    crc_errors : int
        Wrong frames from the array.
    strays : int
        Right frames that belonged to another connection, or answered nothing that was asked.
    rewinds : int
        Requests for lost record frames.
    """

    bytes_in: int = 0
    bytes_out: int = 0
    commands: int = 0
    retries: int = 0
    crc_errors: int = 0
    strays: int = 0
    rewinds: int = 0


FAULTS: Final = ("retries", "crc_errors", "strays", "rewinds")
"""The statistics of what went wrong."""
