"""Discovery of the array at the other end of a line."""

from __future__ import annotations

from typing import Final

import numpy as np

from synloom.base.errors import DeviceError, LinkError, TargetError
from synloom.contract.frames import Op
from synloom.contract.info import INFO_WORDS, MAGIC, PROTOCOL_VERSION, decode_info
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.link.exchange import Exchange
from synloom.link.line import Line
from synloom.link.transport import Transport

__all__ = ["answers", "discover"]

_GREETING_BYTES: Final = 6
_GREETING_TIMEOUT_S: Final = 0.1
"""First time-out: an array answers a greeting at once, and a missing array should be noticed soon."""
_GREETINGS: Final = 6
"""Repetitions of the greeting, each twice as long."""
_PIECE: Final = 16
"""Words of INFO that are read at once: few, since nothing is known about the line yet."""
_READS: Final = [
    bytes([Region.INFO, k, 0, 0, min(_PIECE, INFO_WORDS - k), 0]) for k in range(0, INFO_WORDS, _PIECE)
]


def answers(transport: Transport) -> bool:
    """Return whether an array greets back within about half a second."""
    exchange = Exchange(Line(transport, lambda position, data: None), timeout=_GREETING_TIMEOUT_S, retries=1)
    try:
        _, greeting = exchange.sessions.greet(timeout=_GREETING_TIMEOUT_S, retries=1)
    except (LinkError, DeviceError):
        return False
    return len(greeting) == _GREETING_BYTES


def discover(exchange: Exchange, name: str) -> ArrayParams:
    """Greet the array, open a session, and read and return the array's parameters.

    Parameters
    ----------
    exchange : Exchange
        The commands of the line.
    name : str
        Name of the target, for messages.

    Raises
    ------
    TargetError
        If nothing answers, or if the answer is not that of a Synloom array with this version of the protocol.
    """
    try:
        _, greeting = exchange.sessions.greet(timeout=_GREETING_TIMEOUT_S, retries=_GREETINGS)
    except LinkError as error:
        raise TargetError(_silence(exchange, name)) from error
    except DeviceError as error:
        raise TargetError(
            f"{name} answers but refuses the greeting: {error}; check that it is a Synloom array"
        ) from error
    words = [int.from_bytes(greeting[k : k + 2], "little") for k in range(0, len(greeting), 2)]
    if len(greeting) != _GREETING_BYTES or tuple(words[:2]) != MAGIC:
        raise TargetError(
            f"{name} is not a Synloom array: its greeting is {greeting.hex(' ') or 'empty'}; check the path, "
            f"and that the board is flashed"
        )
    if words[2] != PROTOCOL_VERSION:
        raise TargetError(
            f"{name} speaks protocol {words[2]}, this SDK speaks protocol {PROTOCOL_VERSION}; "
            f"flash the board again or install the matching version of synloom"
        )
    try:
        exchange.sessions.open()
        replies = exchange.pipeline(Op.READ, _READS)
    except (LinkError, DeviceError) as error:
        raise TargetError(
            f"{name} answers the greeting, but its parameters cannot be read: {error}"
        ) from error
    data = b"".join(reply.data for reply in replies)
    if len(data) != 2 * INFO_WORDS:
        raise TargetError(
            f"{name} answers the greeting, but its parameters have {len(data)} bytes instead of "
            f"{2 * INFO_WORDS}; flash the board again"
        )
    return decode_info(np.frombuffer(data, dtype="<u2").tolist())


def _silence(exchange: Exchange, name: str) -> str:
    received = exchange.line.statistics.bytes_in
    if received:
        return (
            f"{name} sends {received} bytes, but no Synloom frames; check the baud rate, "
            "and that no other program uses the array"
        )
    return (
        f"nothing answers at {name}; check the cable, the power, the baud rate, and that the board is flashed"
    )
