"""Commands on their way: which wait for a reply, and which may be sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from synloom.contract.frames import CHECK_BYTES, COMMAND_HEADER, RX_WINDOW
from synloom.link.replies import Reply
from synloom.link.reply_times import CommandKind

__all__ = ["Batch", "Pending", "cost_of"]

_MAX_WAITING: Final = 8
"""Most commands in flight: eight replies fit any operating system's receive buffer; more are not faster."""


@dataclass(slots=True)
class Pending:
    """A command that waits for its reply."""

    index: int
    kind: CommandKind
    frame: bytes
    cost: int
    sent: float
    attempts: int = 1


class Batch:
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
        self.waiting: dict[int, Pending] = {}
        self.replies: dict[int, Reply] = {}
        self.overtaken = 0

    @property
    def unanswered(self) -> bool:
        """Whether replies are missing."""
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
        if used + cost_of(self._arguments[self._unsent[0]]) > RX_WINDOW:
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


def cost_of(arguments: bytes) -> int:
    """Return what a command takes of the array's buffer, bytes."""
    return COMMAND_HEADER + len(arguments) + CHECK_BYTES
