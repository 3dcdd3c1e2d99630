"""How long replies take, and how many commands are lost: what tells a late reply from a lost one."""

from __future__ import annotations

from typing import Final

from synloom.contract.frames import Op

__all__ = ["CommandKind", "ReplyTimes", "kind_of"]

CommandKind = tuple[Op, int]
"""Commands that take about the same time."""

_GAIN: Final = 0.125
"""Weight of a new reply in the smoothed time to a reply (Jacobson 1988)."""
_SHORTEST_S: Final = 0.05
"""An operating system may let a process wait that long for its turn."""
_FILL_COUNT: Final = slice(4, 6)
"""Where a FILL says how many offsets it writes."""


def kind_of(op: Op, arguments: bytes) -> CommandKind:
    """Return the kind of a command: its op, and of a FILL also how many binary digits its count has."""
    count = int.from_bytes(arguments[_FILL_COUNT], "little") if op is Op.FILL else 0
    return op, count.bit_length()


class ReplyTimes:
    """Smoothed times to the replies of each kind, because a long FILL may take fifty times as long as a READ.

    A command that was sent again says nothing about the time, as either attempt may have been answered
    (Karn and Partridge 1987).

    Attributes
    ----------
    loss : float
        Smoothed share of commands that had to be sent more than once.
    """

    def __init__(self) -> None:
        self.loss = 0.0
        self._known: dict[CommandKind, tuple[float, float]] = {}
        self._again: set[int] = set()

    def patience(self, kind: CommandKind, most: float) -> float:
        """Return how many seconds to wait for the reply to a kind of command: not more than `most`."""
        if kind not in self._known:
            return most
        mean, deviation = self._known[kind]
        return min(most, max(_SHORTEST_S, mean + 4 * deviation))

    def note(self, kind: CommandKind, seq: int, attempts: int, took: float) -> None:
        """Learn from a command that was answered `took` s after it was first sent."""
        self.loss += _GAIN * ((attempts > 1) - self.loss)
        self._again.discard(seq)
        if attempts > 1:
            self._again.add(seq)
            return
        mean, deviation = self._known.get(kind, (took, took / 2))
        error = took - mean
        self._known[kind] = mean + _GAIN * error, deviation + 2 * _GAIN * (abs(error) - deviation)

    def note_second_reply(self, seq: int) -> None:
        """Learn from a second reply that the first one was late, so that no frame was lost after all."""
        if seq in self._again:
            self._again.remove(seq)
            self.loss = max(0.0, self.loss - _GAIN)
