"""The line: byte stuffing, check sum, opcodes and statuses (docs/protocol.md)."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

__all__ = [
    "ESCAPE",
    "FLAG",
    "MAX_PAYLOAD",
    "MAX_READ_BYTES",
    "RECORD_FRAME_WORDS",
    "RX_WINDOW",
    "STUFF",
    "ControlAction",
    "Kind",
    "Op",
    "RunFlag",
    "Status",
    "StreamFlag",
]

FLAG: Final = 0x7E
ESCAPE: Final = 0x7D
STUFF: Final = 0x20
MAX_PAYLOAD: Final = 256
"""Bytes of a frame's payload, sequence number included, check sum excluded."""
MAX_READ_BYTES: Final = 240
"""Data bytes of a READ's reply and of a WRITE."""
RX_WINDOW: Final = 512
"""Bytes of payload (with two of overhead a frame) that the array buffers while it is busy."""
RECORD_FRAME_WORDS: Final = 112


class Op(IntEnum):
    """Commands."""

    HELLO = 0x01
    READ = 0x10
    WRITE = 0x11
    FILL = 0x12
    RUN = 0x20
    CONTROL = 0x21
    EVENTS = 0x22
    RATES8 = 0x23
    STREAM = 0x24


class Status(IntEnum):
    """Outcome of a command."""

    OK = 0
    BUSY = 1
    BAD_OP = 2
    BAD_ARG = 3


class Kind(IntEnum):
    """First byte of a frame from the array."""

    REPLY = 1
    RECORDS = 2


class RunFlag(IntFlag):
    """Flags of RUN."""

    PACED = 1
    GATED = 2
    FLUSH = 4


class ControlAction(IntEnum):
    """Actions of CONTROL."""

    PAUSE = 0
    RESUME = 1
    ABORT = 2


class StreamFlag(IntFlag):
    """Flags of STREAM."""

    REWIND = 1
    FLUSH = 2
    DISCARD = 4
