"""The line: byte stuffing, headers, opcodes and statuses (docs/protocol.md)."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

__all__ = [
    "BRIEF_FRAME_WORDS",
    "CHECK_BYTES",
    "COMMAND_HEADER",
    "ESCAPE",
    "FLAG",
    "FRAME_BYTES",
    "MAX_PAYLOAD",
    "MAX_READ_BYTES",
    "MOST_FILLED",
    "NO_SESSION",
    "RECORDS_HEADER",
    "RECORD_FRAME_WORDS",
    "REPLY_HEADER",
    "RX_WINDOW",
    "SESSION_BYTES",
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
"""Bytes of a frame's payload, header included, checksum excluded."""
CHECK_BYTES: Final = 4
"""Bytes of a frame's checksum: the CRC-32 of HDLC, Ethernet and zlib, low byte first."""
FRAME_BYTES: Final = 2 + CHECK_BYTES
"""Bytes of a frame beside its payload: two flags and the checksum."""
SESSION_BYTES: Final = 2
COMMAND_HEADER: Final = SESSION_BYTES + 3
"""Bytes of a command before its arguments: session, sequence number, op, length."""
REPLY_HEADER: Final = SESSION_BYTES + 4
"""Bytes of a reply before its data: session, kind, sequence number, op, status."""
RECORDS_HEADER: Final = SESSION_BYTES + 3
"""Bytes of a frame of records before its words: session, kind, offset (2)."""
NO_SESSION: Final = 0
"""The session of an array after a reset; no host opens it."""
MAX_READ_BYTES: Final = 240
"""Data bytes of a READ's reply and of a WRITE."""
RX_WINDOW: Final = 512
"""Bytes of payload (with four of overhead a frame) that the array buffers while it is busy."""
MOST_FILLED: Final = 0xFFFF
"""Most offsets of a FILL, so that no command keeps the array from the next one for long."""
RECORD_FRAME_WORDS: Final = 112
BRIEF_FRAME_WORDS: Final = 16
"""The same on a bad line, where a short frame is more likely to arrive."""


class Op(IntEnum):
    """Commands."""

    HELLO = 0x01
    OPEN = 0x02
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
    ORDER = 4
    SESSION = 5
    LENGTH = 6


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
    BRIEF = 8
