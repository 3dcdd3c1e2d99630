"""The host's end of a line: frames out, replies and records in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from synloom.base.errors import LinkError
from synloom.contract.frames import NO_SESSION, RECORDS_HEADER, REPLY_HEADER, SESSION_BYTES, Kind
from synloom.link.codec import Decoder
from synloom.link.replies import Answer
from synloom.link.statistics import LinkStatistics
from synloom.link.transport import Transport

__all__ = ["Line"]

_MOST_ANSWERS: Final = 256
"""Most replies that are kept unused: each sequence number has one."""


class Line:
    """Sends frames over a transport, keeps the replies that arrive, and hands on records.

    Parameters
    ----------
    transport : Transport
        The line.
    on_records : callable
        Called with (offset, bytes of the words) for every record frame of the session.

    Attributes
    ----------
    broken : str
        Why the link counts as broken; empty while it does not.
    session : int
        The open session, whose records are handed on.
    answers : deque of Answer
        Replies that arrived and were not used yet.
    """

    def __init__(self, transport: Transport, on_records: Callable[[int, bytes], None]) -> None:
        self.transport = transport
        self.statistics = LinkStatistics()
        self.broken = ""
        self.virtual_time = bool(getattr(transport, "virtual_time", False))
        self.session = NO_SESSION
        self.answers: deque[Answer] = deque(maxlen=_MOST_ANSWERS)
        self._on_records = on_records
        self._decoder = Decoder()

    @property
    def errors(self) -> int:
        """Wrong frames from the array so far."""
        return self._decoder.errors

    def fail(self, why: str) -> LinkError:
        """Note that the link is broken, and return the error that says so."""
        self.broken = why
        return LinkError(why)

    def forget(self) -> None:
        """Drop received bytes and replies that were not used: they belong to another rate of the line."""
        self._decoder.restart()
        self.answers.clear()

    def pump(self, timeout: float) -> bool:
        """Read once, waiting up to `timeout` s, and return whether anything came."""
        try:
            data = self.transport.read(timeout)
        except LinkError as error:
            raise self.fail(str(error)) from error
        self.statistics.bytes_in += len(data)
        for payload in self._decoder.feed(data):
            session = int.from_bytes(payload[:SESSION_BYTES], "little")
            kind = payload[SESSION_BYTES] if len(payload) > SESSION_BYTES else None
            if kind == Kind.REPLY and len(payload) >= REPLY_HEADER:
                _, seq, op, status = payload[SESSION_BYTES:REPLY_HEADER]
                self.answers.append(Answer(session, seq, op, status, payload[REPLY_HEADER:]))
            elif kind == Kind.RECORDS and len(payload) % 2 == 1 and len(payload) >= RECORDS_HEADER:
                if session == self.session:
                    offset = int.from_bytes(payload[SESSION_BYTES + 1 : RECORDS_HEADER], "little")
                    self._on_records(offset, payload[RECORDS_HEADER:])
                else:
                    self.statistics.strays += 1
            else:
                self._decoder.errors += 1
        self.statistics.crc_errors = self._decoder.errors
        return bool(data)

    def write(self, frame: bytes) -> None:
        """Send a frame; LinkError if the transport cannot."""
        self.statistics.bytes_out += len(frame)
        try:
            self.transport.write(frame)
        except LinkError as error:
            raise self.fail(str(error)) from error
