"""Commands and their replies: sent in order, several at a time, until they are answered."""

from __future__ import annotations

import time
from collections.abc import Sequence

from synloom.contract.frames import Op, Status
from synloom.link.batch import Batch, Pending, cost_of
from synloom.link.line import Line
from synloom.link.replies import Reply, accepted
from synloom.link.reply_times import kind_of
from synloom.link.sessions import Sessions
from synloom.link.timer import Timer

__all__ = ["Exchange"]


class Exchange:
    """Sends commands over a line and waits for their replies.

    Parameters
    ----------
    line : Line
        The line.
    timeout, retries
        As in `Sessions`.

    Attributes
    ----------
    line : Line
        The line.
    sessions : Sessions
        The sessions to which the commands belong.
    """

    def __init__(self, line: Line, *, timeout: float = 1.0, retries: int = 5) -> None:
        self.line = line
        self.sessions = Sessions(line, timeout, retries)

    def send(self, op: Op, arguments: bytes = b"") -> None:
        """Send one command without waiting for its reply; whether it was executed stays open."""
        self.sessions.send(op, arguments)

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
        line, sessions = self.line, self.sessions
        if not sessions.sure:
            sessions.open(timeout=timeout, retries=retries)
        sessions.sure = False
        batch = Batch(arguments)
        timer = Timer(timeout or sessions.patience(op, arguments[0]))
        while batch.unanswered:
            while (k := batch.next_index()) is not None:
                seq, frame = sessions.next_command(op, arguments[k])
                batch.waiting[seq] = Pending(
                    k, kind_of(op, arguments[k]), frame, cost_of(arguments[k]), time.monotonic()
                )
                line.write(frame)
            damaged = line.errors
            heard = line.pump(timer.left)
            progress, again = self._sort(op, batch)
            if progress:
                timer = Timer(timeout or sessions.patience(op, arguments[0]))
            elif line.errors > damaged:
                # The frame that came damaged was probably the reply; with more to come, these will tell.
                again = again or batch.waits_for_one
            if again or timer.over or (line.virtual_time and not heard and not progress):
                for pending in list(batch.waiting.values()):
                    sessions.repeat(op, pending, retries)
                batch.overtaken = len(batch.waiting) - 1 if again else 0
                if not again:
                    timer.lengthen()
        sessions.sure = True
        return [batch.replies[k] for k in range(len(arguments))]

    def _sort(self, op: Op, batch: Batch) -> tuple[bool, bool]:
        """Match the received replies with the commands that wait.

        Returns whether any was answered, and whether those that wait must be sent again at once.
        """
        progress = again = False
        line, sessions = self.line, self.sessions
        while line.answers:
            answer = line.answers.popleft()
            pending = batch.waiting.get(answer.seq)
            if pending is None or answer.op != op:
                line.statistics.strays += 1
                sessions.times.note_second_reply(answer.seq)
            elif answer.status == Status.SESSION:
                sessions.check()
                again = True
            elif answer.session != line.session:
                line.statistics.strays += 1
            elif answer.status == Status.ORDER and batch.overtaken:
                # It was sent before those in front of it were sent again.
                batch.overtaken -= 1
            elif answer.status in (Status.ORDER, Status.LENGTH):
                again = True
            else:
                progress = True
                batch.accept(answer.seq, accepted(op, answer))
                line.statistics.commands += 1
                took = time.monotonic() - pending.sent
                sessions.times.note(pending.kind, answer.seq, pending.attempts, took)
        return progress, again
