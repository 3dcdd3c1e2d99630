"""Sessions of a host with an array: who is there, which commands are its own, and in which order."""

from __future__ import annotations

import secrets
import time
from typing import Final

from synloom.base.errors import ArrayLostError
from synloom.contract.frames import MAX_PAYLOAD, NO_SESSION, RX_WINDOW, SESSION_BYTES, Op, Status
from synloom.link.batch import Pending
from synloom.link.codec import encode_frame
from synloom.link.line import Line
from synloom.link.replies import Answer, accepted
from synloom.link.reply_times import ReplyTimes, kind_of
from synloom.link.timer import Timer

__all__ = ["Sessions"]

_OPENINGS: Final = 64
"""Answers without a session after which opening one is given up."""
_NOISY: Final = 10
"""How many times as often as `retries` says a command is repeated while there is time: noise passes."""
_GIVE_UP_S: Final = 16.0
"""Time without a reply after which a line that worked counts as broken."""
_LINE_BITS: Final = 10 * 2 * (RX_WINDOW + MAX_PAYLOAD)
"""Most bits on the line between the first command and the first reply, with all bytes stuffed."""


class Sessions:
    """Opens sessions on a line, numbers the commands of the open one, and repeats them.

    The array executes a command only if it belongs to the open session and is the next one, or the last one
    again. After anything that leaves in doubt which was the last (an error, an interruption), a new session
    is opened before the next command.

    Parameters
    ----------
    line : Line
        The line.
    timeout : float
        Seconds without an awaited reply after which a command is sent again; on a line that has lost frames
        less, if replies usually come sooner. The time of the bytes on a line of known rate is added; each
        repetition doubles it, up to 4 s.
    retries : int
        Repetitions of one command after which the link counts as broken, if they took 16 s; ten times as many
        do not need to.

    Attributes
    ----------
    times : ReplyTimes
        How long replies take, and how many commands are lost.
    sure : bool
        Whether the array is known to have executed the last command last.
    """

    def __init__(self, line: Line, timeout: float, retries: int) -> None:
        self.timeout = timeout
        self.retries = retries
        self.times = ReplyTimes()
        self.sure = False
        self._line = line
        # Those that this host may have opened, one of these that is opened without hearing; the last
        # command's number.
        self._mine: frozenset[int] = frozenset()
        self._unheard = NO_SESSION
        self._seq = secrets.randbelow(256)

    @property
    def lost(self) -> bool:
        """Whether no session is open: none was opened yet, or the array has left it."""
        return not self._mine

    def patience(self, op: Op, arguments: bytes = b"") -> float:
        """Return how many seconds to wait for a reply, with the time of both frames on the line."""
        baud = getattr(self._line.transport, "baud", None)
        usual = self.timeout
        if self.times.loss or self._line.errors:
            usual = self.times.patience(kind_of(op, arguments), usual)
        return usual + (_LINE_BITS / baud if baud else 0.0)

    def next_command(self, op: Op, arguments: bytes) -> tuple[int, bytes]:
        """Return the sequence number and the frame of the next command of the open session."""
        return self._numbered(self._line.session, op, arguments)

    def send(self, op: Op, arguments: bytes) -> None:
        """Send one command without waiting for its reply; whether it was executed stays open.

        It needs no order, as a session of its own is opened before it, without hearing.
        """
        self.sure = False
        if self._unheard == NO_SESSION:
            self._unheard = _another(self._mine)
            self._mine |= {self._unheard}
        self._seq = (self._seq + 1) & 0xFF
        for session in self._mine:
            self._line.write(_command(session, self._seq, Op.OPEN, _token(self._unheard)))
        _, frame = self._numbered(self._unheard, op, arguments)
        self._line.write(frame)

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
        return answer.session, accepted(Op.HELLO, answer).data

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
                raise self._line.fail(
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
        self._line.session, self._mine, self.sure = wanted, frozenset({wanted}), True

    def check(self) -> None:
        """Find out whether the array really has another session: the reply that said so may be an old one.

        Raises
        ------
        ArrayLostError
            If it has.
        """
        seq = self._seq
        current, _ = self.greet()
        if current != self._line.session:
            raise self._lose(current)
        # A greeting is outside of the order.
        self._seq = seq

    def _lose(self, current: int) -> ArrayLostError:
        """Note that the array has left the session, and return the error that says so."""
        self._line.session, self._mine, self.sure = NO_SESSION, frozenset(), False
        if current == NO_SESSION:
            return ArrayLostError(
                "the array was reset since this connection was made (its power, its reset button, or new "
                "gateware), so what was loaded is gone; load the image again"
            )
        return ArrayLostError(
            "another program has connected to the array since, and may have loaded something else; end that "
            "program and load the image again"
        )

    # ---- repetitions ---------------------------------------------------------------------------

    def repeat(self, op: Op, pending: Pending, retries: int | None) -> None:
        """Send a command again; LinkError if that was done too often."""
        limit = self.retries if retries is None else retries
        if pending.attempts > limit and (
            retries is not None
            or pending.attempts > _NOISY * limit
            or (not self._line.virtual_time and time.monotonic() - pending.sent > _GIVE_UP_S)
        ):
            raise self._line.fail(
                f"no reply to {op.name} after {pending.attempts} attempts; "
                "check the cable and the power, and connect again"
            )
        pending.attempts += 1
        self._line.statistics.retries += 1
        self._line.write(pending.frame)

    def _insist(
        self, session: int, op: Op, arguments: bytes, timeout: float | None, retries: int | None
    ) -> Answer:
        """Send a command that needs no order until it is answered."""
        seq, frame = self._numbered(session, op, arguments)
        line, pending = self._line, Pending(0, kind_of(op, arguments), frame, 0, time.monotonic())
        timer = Timer(timeout or self.patience(op, arguments))
        line.write(frame)
        while True:
            heard = line.pump(timer.left)
            while line.answers:
                answer = line.answers.popleft()
                if (answer.seq, answer.op) == (seq, op):
                    return answer
                line.statistics.strays += 1
            if timer.over or (line.virtual_time and not heard):
                self.repeat(op, pending, retries)
                timer.lengthen()

    def _numbered(self, session: int, op: Op, arguments: bytes) -> tuple[int, bytes]:
        self._seq = (self._seq + 1) & 0xFF
        return self._seq, _command(session, self._seq, op, arguments)


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
