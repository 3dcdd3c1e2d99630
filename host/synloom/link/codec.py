"""Frames on the line: byte stuffing and checksum, with the speed of methods of bytes."""

from __future__ import annotations

import zlib
from typing import Final

from synloom.base.errors import ParameterError
from synloom.contract.frames import CHECK_BYTES, ESCAPE, FLAG, MAX_PAYLOAD, STUFF

__all__ = ["Decoder", "encode_frame"]

_FLAG: Final = bytes([FLAG])
_ESCAPE: Final = bytes([ESCAPE])
_STUFFED_FLAG: Final = bytes([ESCAPE, FLAG ^ STUFF])
_STUFFED_ESCAPE: Final = bytes([ESCAPE, ESCAPE ^ STUFF])
_LONGEST_STUFFED: Final = 2 * (MAX_PAYLOAD + CHECK_BYTES)


def encode_frame(payload: bytes) -> bytes:
    """Return the bytes on the line for one payload, flags included.

    Raises
    ------
    ParameterError
        If the payload has more than MAX_PAYLOAD bytes.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ParameterError(f"a frame's payload must have at most {MAX_PAYLOAD} bytes, not {len(payload)}")
    body = payload + zlib.crc32(payload).to_bytes(CHECK_BYTES, "little")
    return _FLAG + body.replace(_ESCAPE, _STUFFED_ESCAPE).replace(_FLAG, _STUFFED_FLAG) + _FLAG


class Decoder:
    """Finds the payloads in a byte stream, which may arrive in pieces of any size.

    Bytes before the first flag are ignored; wrong frames are dropped and counted.

    Attributes
    ----------
    errors : int
        Frames dropped because their checksum was wrong, or they were too long or cut off.
    """

    def __init__(self) -> None:
        self.errors = 0
        self.restart()

    def restart(self) -> None:
        """Drop the incomplete frame, and ignore bytes until the next flag."""
        self._inside = False
        self._tail = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Decode the next bytes of the line and return the payloads that they complete, in order."""
        *frames, self._tail = (self._tail + data).split(_FLAG)
        if frames and not self._inside:
            self._inside = True
            del frames[0]
        if len(self._tail) > _LONGEST_STUFFED:
            # The part that is kept is still too long, so that the end of this frame cannot pass as a frame.
            self._tail = self._tail[: _LONGEST_STUFFED + 1] if self._inside else b""
        payloads = []
        for frame in frames:
            if frame:
                payload = _decode(frame)
                if payload is None:
                    self.errors += 1
                else:
                    payloads.append(payload)
        return payloads


def _decode(frame: bytes) -> bytes | None:
    if len(frame) > _LONGEST_STUFFED:
        return None
    body = frame.replace(_STUFFED_FLAG, _FLAG).replace(_STUFFED_ESCAPE, _ESCAPE)
    if frame.count(_ESCAPE) != len(frame) - len(body):
        return None  # an escape before a byte that must not be escaped
    payload = body[:-CHECK_BYTES]
    if not 1 <= len(payload) <= MAX_PAYLOAD:
        return None
    if zlib.crc32(payload) != int.from_bytes(body[-CHECK_BYTES:], "little"):
        return None
    return payload
