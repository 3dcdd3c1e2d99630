"""Commands and their replies: sessions, sequence numbers, time-outs, repetitions."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from synloom.base.errors import ArrayLostError, DeviceError, LinkError
from synloom.contract.frames import (
    CHECK_BYTES,
    COMMAND_HEADER,
    MAX_PAYLOAD,
    NO_SESSION,
    RECORDS_HEADER,
    REPLY_HEADER,
    RX_WINDOW,
    SESSION_BYTES,
    Kind,
    Op,
    Status,
)
from synloom.link.codec import Decoder, encode_frame
from synloom.link.reply_times import CommandKind, ReplyTimes, kind_of
from synloom.link.transport import Transport

__all__ = ["FAULTS", "Exchange", "LinkStatistics", "Reply"]

_MAX_WAITING: Final = 8
"""Most commands in flight: eight replies fit any operating system's receive buffer; more are not faster."""
_LONGEST_TIMEOUT_S: Final = 4.0
_OPENINGS: Final = 64
"""Answers without a session after which opening one is given up."""
_NOISY: Final = 10
"""How many times as often as `retries` says a command is repeated while there is time: noise passes."""
_GIVE_UP_S: Final = 16.0
"""Time without a reply after which a line that worked counts as broken."""
_LINE_BITS: Final = 10 * 2 * (RX_WINDOW + MAX_PAYLOAD)
"""Most bits on the line between the first command and the first reply, with all bytes stuffed."""
_MAY_WAIT: Final = frozenset({Op.RUN, Op.EVENTS})
"""Commands that may be answered with BUSY."""


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


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: its status, OK or BUSY, and its data."""

    status: Status
    data: bytes


class _Answer(NamedTuple):
    """A reply as it came."""

    session: int
    seq: int
    op: int
    status: int
    data: bytes


@dataclass(slots=True)
class _Pending:
    """A command that waits for its reply."""

    index: int
    kind: CommandKind
    frame: bytes
    cost: int
    sent: float
    attempts: int = 1


class Exchange:
    """Sends commands over a transport, waits for their replies, and hands on records.

    The array executes a command only if it belongs to the open session and is the next one, or the last one
    again. After anything that leaves in doubt which was the last (an error, an interruption), a new session
    is opened before the next command.

    Parameters
    ----------
    transport : Transport
        The line.
    on_records : callable
        Called with (offset, bytes of the words) for every record frame.
    timeout : float
        Seconds without an awaited reply after which a command is sent again; on a line that has lost frames
        less, if replies usually come sooner. The time of the bytes on a line of known rate is added; each
        repetition doubles it, up to 4 s.
    retries : int
        Repetitions of one command after which the link counts as broken, if they took 16 s; ten times as many
        do not need to.

    Attributes
    ----------
    broken : str
        Why the link counts as broken; empty while it does not.
    times : ReplyTimes
        How long replies take, and how many commands are lost.
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
        self._answers: deque[_Answer] = deque()
        self.times = ReplyTimes()
        # The open session, those that this host may have opened, one of these that is opened without hearing;
        # the last command's number, and whether the array is known to have executed that one last.
        self._session = NO_SESSION
        self._mine: frozenset[int] = frozenset()
        self._unheard = NO_SESSION
        self._seq = secrets.randbelow(256)
        self._sure = False

    def patience(self, op: Op, arguments: bytes = b"") -> float:
        """Return how many seconds to wait for a reply, with the time of both frames on the line."""
        baud = getattr(self.transport, "baud", None)
        usual = self.timeout
        if self.times.loss or self._decoder.errors:
            usual = self.times.patience(kind_of(op, arguments), usual)
        return usual + (_LINE_BITS / baud if baud else 0.0)

    @property
    def lost(self) -> bool:
        """Whether no session is open: none was opened yet, or the array has left it."""
        return not self._mine

    def fail(self, why: str) -> LinkError:
        """Note that the link is broken, and return the error that says so."""
        self.broken = why
        return LinkError(why)

    def send(self, op: Op, arguments: bytes = b"") -> None:
        """Send one command without waiting for its reply; whether it was executed stays open.

        It needs no order, as a session of its own is opened before it, without hearing.
        """
        self._sure = False
        if self._unheard == NO_SESSION:
            self._unheard = _another(self._mine)
            self._mine |= {self._unheard}
        self._seq = (self._seq + 1) & 0xFF
        for session in self._mine:
            self._write(_command(session, self._seq, Op.OPEN, _token(self._unheard)))
        self._seq = (self._seq + 1) & 0xFF
        self._write(_command(self._unheard, self._seq, op, arguments))

    def forget(self) -> None:
        """Drop received bytes and replies that were not used: they belong to another rate of the line."""
        self._decoder.restart()
        self._answers.clear()

    # ---- sessions ------------------------------------------------------------------------------

    def greet(self, *, timeout: float | None = None, retries: int | None = None) -> tuple[int, bytes]:
        """Ask who is there, which changes nothing; return the array's session and its greeting.

        Raises
        ------
        DeviceError
            If the array refused the greeting.
        LinkError
            If nothing answers.
        """
        answer = self._insist(NO_SESSION, Op.HELLO, b"", timeout, retries)
        return answer.session, _accept(Op.HELLO, answer).data

    def open(self, *, timeout: float | None = None, retries: int | None = None) -> None:
        """Open a new session: from then on the array ignores all that was sent before.

        Raises
        ------
        ArrayLostError
            If the array has left the session that was open.
        LinkError
            If the array does not answer.
        """
        current, _ = self.greet(timeout=timeout, retries=retries)
        if self._mine and current not in self._mine:
            raise self._lose(current)
        before, wanted = current, _another(self._mine | {current})
        self._mine, self._unheard = frozenset({current, wanted}), NO_SESSION
        tries = 0
        while current != wanted:
            answer = self._insist(current, Op.OPEN, _token(wanted), timeout, retries)
            if (answer.session, answer.status) == (wanted, Status.OK):
                break
            tries += 1
            if tries > _OPENINGS:
                raise self.fail(
                    f"the array answers but opens no session (its last answer is {answer.status}); "
                    f"switch its power off and on and connect again"
                )
            # Its reply was lost, and the command found that it had been executed; or this was an old reply.
            opened = self._seq
            current, _ = self.greet(timeout=timeout, retries=retries)
            if current == wanted:
                # A greeting has no place in the order: the command that opened the session was the last.
                self._seq = opened
            if current not in (before, wanted):
                raise self._lose(current)
        self._session, self._mine, self._sure = wanted, frozenset({wanted}), True

    def _lose(self, current: int) -> ArrayLostError:
        """Note that the array has left the session, and return the error that says so."""
        self._session, self._mine, self._sure = NO_SESSION, frozenset(), False
        if current == NO_SESSION:
            return ArrayLostError(
                "the array was reset since this connection was made (its power, its reset button, or new "
                "gateware), so what was loaded is gone; load the image again"
            )
        return ArrayLostError(
            "another program has connected to the array since, and may have loaded something else; end that "
            "program and load the image again"
        )

    def _insist(
        self, session: int, op: Op, arguments: bytes, timeout: float | None, retries: int | None
    ) -> _Answer:
        """Send a command that needs no order until it is answered."""
        self._seq = (self._seq + 1) & 0xFF
        frame = _command(session, self._seq, op, arguments)
        pending = _Pending(0, kind_of(op, arguments), frame, 0, time.monotonic())
        timer = _Timer(timeout or self.patience(op, arguments))
        self._write(frame)
        while True:
            heard = self.pump(timer.left)
            while self._answers:
                answer = self._answers.popleft()
                if (answer.seq, answer.op) == (self._seq, op):
                    return answer
                self.statistics.strays += 1
            if timer.over or (self.virtual_time and not heard):
                self._repeat(op, pending, retries)
                timer.lengthen()

    # ---- commands ------------------------------------------------------------------------------

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
            Seconds to wait for the first attempt. Default: that of `patience` for the first of them.
        retries : int, optional
            Repetitions of one command. Default: those of the exchange.

        Raises
        ------
        ArrayLostError
            If the array was reset, or another host has opened a session.
        DeviceError
            If the array refused a command.
        LinkError
            If a command was not answered after all repetitions.
        """
        if not self._sure:
            self.open(timeout=timeout, retries=retries)
        self._sure = False
        batch = _Batch(arguments)
        timer = _Timer(timeout or self.patience(op, arguments[0]))
        while batch.unanswered:
            while (k := batch.next_index()) is not None:
                self._seq = (self._seq + 1) & 0xFF
                frame = _command(self._session, self._seq, op, arguments[k])
                batch.waiting[self._seq] = _Pending(
                    k, kind_of(op, arguments[k]), frame, _cost(arguments[k]), time.monotonic()
                )
                self._write(frame)
            damaged = self._decoder.errors
            heard = self.pump(timer.left)
            progress, again = self._sort(op, batch)
            if progress:
                timer = _Timer(timeout or self.patience(op, arguments[0]))
            elif self._decoder.errors > damaged:
                # The frame that came damaged was probably the reply; with more to come, these will tell.
                again = again or batch.waits_for_one
            if again or timer.over or (self.virtual_time and not heard and not progress):
                for pending in list(batch.waiting.values()):
                    self._repeat(op, pending, retries)
                batch.overtaken = len(batch.waiting) - 1 if again else 0
                if not again:
                    timer.lengthen()
        self._sure = True
        return [batch.replies[k] for k in range(len(arguments))]

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
                self._answers.append(_Answer(session, seq, op, status, payload[REPLY_HEADER:]))
            elif kind == Kind.RECORDS and len(payload) % 2 == 1 and len(payload) >= RECORDS_HEADER:
                if session == self._session:
                    offset = int.from_bytes(payload[SESSION_BYTES + 1 : RECORDS_HEADER], "little")
                    self._on_records(offset, payload[RECORDS_HEADER:])
                else:
                    self.statistics.strays += 1
            else:
                self._decoder.errors += 1
        self.statistics.crc_errors = self._decoder.errors
        return bool(data)

    def _sort(self, op: Op, batch: _Batch) -> tuple[bool, bool]:
        """Match the received replies with the commands that wait.

        Returns whether any was answered, and whether those that wait must be sent again at once.
        """
        progress = again = False
        while self._answers:
            answer = self._answers.popleft()
            pending = batch.waiting.get(answer.seq)
            if pending is None or answer.op != op:
                self.statistics.strays += 1
                self.times.note_second_reply(answer.seq)
            elif answer.status == Status.SESSION:
                self._check_session()
                again = True
            elif answer.session != self._session:
                self.statistics.strays += 1
            elif answer.status == Status.ORDER and batch.overtaken:
                # It was sent before those in front of it were sent again.
                batch.overtaken -= 1
            elif answer.status in (Status.ORDER, Status.LENGTH):
                again = True
            else:
                progress = True
                batch.accept(answer.seq, _accept(op, answer))
                self.statistics.commands += 1
                took = time.monotonic() - pending.sent
                self.times.note(pending.kind, answer.seq, pending.attempts, took)
        return progress, again

    def _check_session(self) -> None:
        """Find out whether the array really has another session: that reply may be an old one."""
        seq = self._seq
        current, _ = self.greet()
        if current != self._session:
            raise self._lose(current)
        # A greeting is outside of the order.
        self._seq = seq

    def _repeat(self, op: Op, pending: _Pending, retries: int | None) -> None:
        limit = self.retries if retries is None else retries
        if pending.attempts > limit and (
            retries is not None
            or pending.attempts > _NOISY * limit
            or (not self.virtual_time and time.monotonic() - pending.sent > _GIVE_UP_S)
        ):
            raise self.fail(
                f"no reply to {op.name} after {pending.attempts} attempts; "
                "check the cable and the power, and connect again"
            )
        pending.attempts += 1
        self.statistics.retries += 1
        self._write(pending.frame)

    def _write(self, frame: bytes) -> None:
        self.statistics.bytes_out += len(frame)
        try:
            self.transport.write(frame)
        except LinkError as error:
            raise self.fail(str(error)) from error


class _Timer:
    """A time-out that doubles."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._end

    def lengthen(self) -> None:
        self._seconds = min(2 * self._seconds, max(self._seconds, _LONGEST_TIMEOUT_S))
        self._end = time.monotonic() + self._seconds


class _Batch:
    """Commands of which several may wait for their replies.

    Attributes
    ----------
    waiting : dict
        Those that were sent, by sequence number, in order.
    replies : dict
        Replies by index.
    overtaken : int
        Replies of the status ORDER that are still to come for frames that were sent again since.
    """

    def __init__(self, arguments: Sequence[bytes]) -> None:
        self._arguments = arguments
        self._unsent = deque(range(len(arguments)))
        self.waiting: dict[int, _Pending] = {}
        self.replies: dict[int, Reply] = {}
        self.overtaken = 0

    @property
    def unanswered(self) -> bool:
        return len(self.replies) < len(self._arguments)

    @property
    def waits_for_one(self) -> bool:
        """Whether a single command waits, and was not sent again yet."""
        return len(self.waiting) == 1 and all(pending.attempts == 1 for pending in self.waiting.values())

    def next_index(self) -> int | None:
        """Remove and return the index of the next command if it may be sent now."""
        if not self._unsent or len(self.waiting) >= _MAX_WAITING:
            return None
        used = sum(pending.cost for pending in self.waiting.values())
        if used + _cost(self._arguments[self._unsent[0]]) > RX_WINDOW:
            return None
        return self._unsent.popleft()

    def accept(self, seq: int, reply: Reply) -> None:
        """Note a reply; those to commands before it were lost, so these are sent anew."""
        for earlier in list(self.waiting):
            pending = self.waiting.pop(earlier)
            if earlier == seq:
                self.replies[pending.index] = reply
                break
            self._unsent.appendleft(pending.index)


def _command(session: int, seq: int, op: Op, arguments: bytes) -> bytes:
    """Return the frame of a command."""
    return encode_frame(_token(session) + bytes([seq, op, len(arguments)]) + arguments)


def _token(session: int) -> bytes:
    return session.to_bytes(SESSION_BYTES, "little")


def _another(known: frozenset[int]) -> int:
    """Return the number of a session that is none of these."""
    while (session := secrets.randbelow(1 << 8 * SESSION_BYTES)) in known | {NO_SESSION}:
        pass
    return session


def _cost(arguments: bytes) -> int:
    """Return what a command takes of the array's buffer, bytes."""
    return COMMAND_HEADER + len(arguments) + CHECK_BYTES


def _accept(op: Op, answer: _Answer) -> Reply:
    status = answer.status
    if status == Status.OK or (status == Status.BUSY and op in _MAY_WAIT):
        return Reply(Status(status), answer.data)
    reasons: dict[int, str] = {
        Status.BUSY: "it is busy, which this command never has to wait for",
        Status.BAD_OP: "it does not know this command",
        Status.BAD_ARG: "an argument is wrong",
    }
    reason = reasons.get(status, f"unknown status {status}")
    raise DeviceError(f"the array refused {op.name}: {reason}; flash gateware that matches this SDK")
