"""Replies as they come, and those that are accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from synloom.base.errors import DeviceError
from synloom.contract.frames import Op, Status

__all__ = ["Answer", "Reply", "accepted"]

_MAY_WAIT: Final = frozenset({Op.RUN, Op.EVENTS})
"""Commands that may be answered with BUSY."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: its status, OK or BUSY, and its data."""

    status: Status
    data: bytes


class Answer(NamedTuple):
    """A reply as it came."""

    session: int
    seq: int
    op: int
    status: int
    data: bytes


def accepted(op: Op, answer: Answer) -> Reply:
    """Return the reply to a command; DeviceError if the array refused it."""
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
