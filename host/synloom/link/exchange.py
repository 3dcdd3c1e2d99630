"""Commands and their replies: sequence numbers, time-outs, repetitions."""

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
"""Most commands in flight: eight replies fit any operating system's receive buffer; more are not faster."""
_REPLY_HEADER: Final = 4
_LONGEST_TIMEOUT_S: Final = 4.0
_LINE_BITS: Final = 10 * 2 * (RX_WINDOW + MAX_PAYLOAD)
"""Most bits on the line between the first command and the first reply, with all bytes stuffed."""


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
    rewinds : int
        Requests for lost record frames.
    """

    bytes_in: int = 0
    bytes_out: int = 0
    commands: int = 0
    retries: int = 0
    crc_errors: int = 0
    rewinds: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: its status, OK or BUSY, and its data."""

    status: Status
    data: bytes


@dataclass(slots=True)
class _Pending:
    index: int
    frame: bytes
    cost: int
    attempts: int = 1


class Exchange:
    """Sends commands over a transport, waits for their replies, and hands on records.

    Parameters
    ----------
    transport : Transport
        The line.
    on_records : callable
        Called with (offset, bytes of the words) for every record frame.
    timeout : float
        Seconds without an awaited reply after which a command is sent again. The time of the bytes on a line
        of known rate is added; each repetition doubles it, up to 4 s.
    retries : int
        Repetitions of one command after which the link counts as broken.

    Attributes
    ----------
    broken : str
        Why the link counts as broken; empty while it does not.
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
        self.broken = ""
        self.virtual_time = bool(getattr(transport, "virtual_time", False))
        self._on_records = on_records
        self._decoder = Decoder()
        self._replies: deque[bytes] = deque()
        self._seq = 0

    @property
    def patience(self) -> float:
        """Seconds to wait for a reply, including the time of the command and the reply on the line."""
        baud = getattr(self.transport, "baud", None)
        return self.timeout + (_LINE_BITS / baud if baud else 0.0)

    def fail(self, why: str) -> LinkError:
        """Note that the link is broken, and return the error that says so."""
        self.broken = why
        return LinkError(why)

    def send(self, op: Op, arguments: bytes = b"") -> None:
        """Send one command without waiting for its reply."""
        self._seq = (self._seq + 1) & 0xFF
        self._write(encode_frame(bytes([self._seq, op]) + arguments))

    def forget(self) -> None:
        """Drop received bytes and replies that were not used: they belong to another rate of the line."""
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

        Parameters
        ----------
        op : Op
            The command; only READ and WRITE allow more than one (docs/protocol.md).
        arguments : sequence of bytes
            The arguments of each command.
        timeout : float, optional
            Seconds to wait for the first attempt. Default: `patience`.
        retries : int, optional
            Repetitions of one command. Default: those of the exchange.

        Raises
        ------
        DeviceError
            If the array refused a command.
        LinkError
            If a command was not answered after all repetitions.
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
        """Read once, waiting up to `timeout` s, and return whether anything came."""
        try:
            data = self.transport.read(timeout)
        except LinkError as error:
            raise self.fail(str(error)) from error
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
        """Match the received replies with the commands that wait; return whether any matched."""
        matched = False
        while self._replies:
            _, seq, answered, status, *_ = payload = self._replies.popleft()
            if seq not in waiting or answered != op:
                continue  # a second reply: the first one was late, not lost
            matched = True
            for earlier in list(waiting):
                if earlier == seq:
                    break
                # Replies come in order, so those to earlier commands were lost.
                self._repeat(op, waiting, earlier, limit)
            pending = waiting.pop(seq)
            self.statistics.commands += 1
            replies[pending.index] = _accept(op, status, payload[_REPLY_HEADER:])
        return matched

    def _repeat(self, op: Op, waiting: dict[int, _Pending], seq: int, limit: int) -> None:
        pending = waiting.pop(seq)
        if pending.attempts > limit:
            raise self.fail(
                f"no reply to {op.name} after {pending.attempts} attempts; "
                "check the cable and the power, and connect again"
            )
        pending.attempts += 1
        waiting[seq] = pending
        self.statistics.retries += 1
        self._write(pending.frame)

    def _write(self, frame: bytes) -> None:
        self.statistics.bytes_out += len(frame)
        try:
            self.transport.write(frame)
        except LinkError as error:
            raise self.fail(str(error)) from error


def _accept(op: Op, status: int, data: bytes) -> Reply:
    if status in (Status.OK, Status.BUSY):
        return Reply(Status(status), data)
    reasons: dict[int, str] = {
        Status.BAD_OP: "it does not know this command",
        Status.BAD_ARG: "an argument is wrong",
    }
    reason = reasons.get(status, f"unknown status {status}")
    raise DeviceError(f"the array refused {op.name}: {reason}; flash gateware that matches this SDK")
