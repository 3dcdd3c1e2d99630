"""Commands and their replies: sequence numbers, time-outs, repetition."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from synloom.base.errors import DeviceError, LinkError
from synloom.contract.frames import MAX_PAYLOAD, RX_WINDOW, Kind, Op, Status
from synloom.link.codec import Decoder, encode_frame
from synloom.link.transport import Transport

__all__ = ["Exchange", "LinkStatistics", "Reply"]

_FRAME_OVERHEAD: Final = 2
_MAX_WAITING: Final = 8
"""Commands in flight. Eight replies fit any operating system's receive buffer, and more are not faster."""
_REPLY_HEADER: Final = 4
_LONGEST_TIMEOUT_S: Final = 4.0
_LINE_BITS: Final = 10 * 2 * (RX_WINDOW + MAX_PAYLOAD)
"""Bits on the line, at most, between the first command sent and the first reply: all bytes stuffed."""


@dataclass(slots=True)
class LinkStatistics:
    """What went over the line so far.

    Attributes
    ----------
    bytes_in, bytes_out : int
        Bytes received from and sent to the transport.
    commands : int
        Commands answered.
    retries : int
        Commands sent again because their reply did not come.
    crc_errors : int
        Frames from the array that were wrong.
    rewinds : int
        Times that lost record frames were asked for again.
    """

    bytes_in: int = 0
    bytes_out: int = 0
    commands: int = 0
    retries: int = 0
    crc_errors: int = 0
    rewinds: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and data of one reply; the status is OK or BUSY."""

    status: Status
    data: bytes


@dataclass(slots=True)
class _Pending:
    index: int
    frame: bytes
    cost: int
    attempts: int = 1


class Exchange:
    """Send commands over a transport, wait for their replies, hand records on.

    Parameters
    ----------
    transport : Transport
        The line.
    on_records : callable
        Called with (offset, bytes of the words) for every record frame.
    timeout : float
        Seconds without an awaited reply after which a command is sent again, besides what the bytes take on
        a line whose rate is known; doubles with each repetition, up to 4.
    retries : int
        Repetitions of one command after which the link counts as broken.
    """

    def __init__(
        self,
        transport: Transport,
        on_records: Callable[[int, bytes], None],
        *,
        timeout: float = 1.0,
        retries: int = 5,
    ) -> None:
        self.transport = transport
        self.statistics = LinkStatistics()
        self.timeout = timeout
        self.retries = retries
        self.virtual_time = bool(getattr(transport, "virtual_time", False))
        self._on_records = on_records
        self._decoder = Decoder()
        self._replies: deque[bytes] = deque()
        self._seq = 0

    @property
    def patience(self) -> float:
        """Seconds to wait for a reply, the time of its way and the command's included."""
        baud = getattr(self.transport, "baud", None)
        return self.timeout + (_LINE_BITS / baud if baud else 0.0)

    def send(self, op: Op, arguments: bytes = b"") -> None:
        """Send one command and do not wait for its reply."""
        self._seq = (self._seq + 1) & 0xFF
        self._write(encode_frame(bytes([self._seq, op]) + arguments))

    def forget(self) -> None:
        """Forget what came and was not used: it belongs to another rate of the line."""
        self._decoder.restart()
        self._replies.clear()

    def command(
        self, op: Op, arguments: bytes = b"", *, timeout: float | None = None, retries: int | None = None
    ) -> Reply:
        """Send one command and return its reply; see `pipeline`."""
        return self.pipeline(op, [arguments], timeout=timeout, retries=retries)[0]

    def pipeline(
        self,
        op: Op,
        arguments: Sequence[bytes],
        *,
        timeout: float | None = None,
        retries: int | None = None,
    ) -> list[Reply]:
        """Send commands of one op, several at a time, and return their replies in order.

        Only READ and WRITE may be more than one (docs/protocol.md). `timeout` (for the first attempt) and
        `retries` are those of the exchange if they are left out.

        Raises
        ------
        DeviceError
            If the array refused one.
        LinkError
            If one was not answered however often it was sent.
        """
        replies: dict[int, Reply] = {}
        waiting: dict[int, _Pending] = {}
        sent = 0
        patience = timeout = timeout or self.patience
        limit = self.retries if retries is None else retries
        deadline = time.monotonic() + timeout
        while len(replies) < len(arguments):
            while sent < len(arguments) and self._fits(waiting, arguments[sent]):
                self._seq = (self._seq + 1) & 0xFF
                payload = bytes([self._seq, op]) + arguments[sent]
                pending = _Pending(sent, encode_frame(payload), len(payload) + _FRAME_OVERHEAD)
                waiting[self._seq] = pending
                self._write(pending.frame)
                sent += 1
            heard = self.pump(max(0.0, deadline - time.monotonic()))
            if self._sort(op, waiting, replies, limit):
                timeout = patience
                deadline = time.monotonic() + timeout
            elif time.monotonic() >= deadline or (self.virtual_time and not heard):
                for seq in list(waiting):
                    self._repeat(op, waiting, seq, limit)
                timeout = min(2 * timeout, max(timeout, _LONGEST_TIMEOUT_S))
                deadline = time.monotonic() + timeout
        return [replies[k] for k in range(len(arguments))]

    def pump(self, timeout: float) -> bool:
        """Read once, waiting up to `timeout` s; True if anything came."""
        data = self.transport.read(timeout)
        self.statistics.bytes_in += len(data)
        for payload in self._decoder.feed(data):
            if payload[0] == Kind.REPLY and len(payload) >= _REPLY_HEADER:
                self._replies.append(payload)
            elif payload[0] == Kind.RECORDS and len(payload) % 2 == 1 and len(payload) >= 3:
                self._on_records(int.from_bytes(payload[1:3], "little"), payload[3:])
            else:
                self._decoder.errors += 1
        self.statistics.crc_errors = self._decoder.errors
        return bool(data)

    @staticmethod
    def _fits(waiting: dict[int, _Pending], arguments: bytes) -> bool:
        used = sum(pending.cost for pending in waiting.values())
        return len(waiting) < _MAX_WAITING and used + len(arguments) + 2 + _FRAME_OVERHEAD <= RX_WINDOW

    def _sort(self, op: Op, waiting: dict[int, _Pending], replies: dict[int, Reply], limit: int) -> bool:
        """Match what came with what is awaited; True if anything did."""
        matched = False
        while self._replies:
            _, seq, answered, status, *_ = payload = self._replies.popleft()
            if seq not in waiting or answered != op:
                continue  # answered before: the first answer was late, not lost
            matched = True
            for earlier in list(waiting):
                if earlier == seq:
                    break
                # Replies come in order, so the replies of those before were lost.
                self._repeat(op, waiting, earlier, limit)
            pending = waiting.pop(seq)
            self.statistics.commands += 1
            replies[pending.index] = _accept(op, status, payload[_REPLY_HEADER:])
        return matched

    def _repeat(self, op: Op, waiting: dict[int, _Pending], seq: int, limit: int) -> None:
        pending = waiting.pop(seq)
        if pending.attempts > limit:
            raise LinkError(
                f"no reply to {op.name} after {pending.attempts} attempts; "
                "check cable and power, and connect again"
            )
        pending.attempts += 1
        waiting[seq] = pending
        self.statistics.retries += 1
        self._write(pending.frame)

    def _write(self, frame: bytes) -> None:
        self.statistics.bytes_out += len(frame)
        self.transport.write(frame)


def _accept(op: Op, status: int, data: bytes) -> Reply:
    if status in (Status.OK, Status.BUSY):
        return Reply(Status(status), data)
    reasons: dict[int, str] = {
        Status.BAD_OP: "it does not know this command; flash matching gateware",
        Status.BAD_ARG: "an argument is wrong",
    }
    raise DeviceError(f"the array refused {op.name}: {reasons.get(status, f'unknown status {status}')}")
