"""Find out whether there is an array at the other end of a line, and which."""

from __future__ import annotations

from typing import Final

import numpy as np

from synloom.base.errors import DeviceError, LinkError, TargetError
from synloom.contract.frames import Op
from synloom.contract.info import INFO_WORDS, MAGIC, PROTOCOL_VERSION, decode_info
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.link.exchange import Exchange

__all__ = ["discover"]

_GREETING_BYTES: Final = 6
_GREETING_TIMEOUT_S: Final = 0.1
"""At first; a greeting is answered at once, and nobody wants to wait long to hear that nothing is there."""
_READ_HEADER: Final = bytes([Region.INFO, 0, 0, 0])


def discover(exchange: Exchange, name: str) -> ArrayParams:
    """Greet the array and read its parameters.

    Parameters
    ----------
    exchange : Exchange
        The line, unused so far.
    name : str
        What the user calls the target, for messages.

    Raises
    ------
    TargetError
        If nothing answers, or something that is not a Synloom array of this protocol.
    """
    try:
        greeting = exchange.command(Op.HELLO, timeout=_GREETING_TIMEOUT_S).data
    except LinkError as error:
        raise TargetError(_silence(exchange, name)) from error
    except DeviceError as error:
        raise TargetError(f"{name} answers, but refuses the greeting: {error}") from error
    words = [int.from_bytes(greeting[k : k + 2], "little") for k in range(0, len(greeting), 2)]
    if len(greeting) != _GREETING_BYTES or tuple(words[:2]) != MAGIC:
        raise TargetError(f"{name} is not a Synloom array: it greets with {greeting.hex(' ')}")
    if words[2] != PROTOCOL_VERSION:
        raise TargetError(
            f"{name} speaks protocol {words[2]}, this SDK speaks protocol {PROTOCOL_VERSION}; "
            f"flash the board again or install the matching synloom"
        )
    try:
        data = exchange.command(Op.READ, _READ_HEADER + INFO_WORDS.to_bytes(2, "little")).data
    except (LinkError, DeviceError) as error:
        raise TargetError(f"{name} greets, but does not tell its parameters: {error}") from error
    return decode_info(np.frombuffer(data, dtype="<u2").tolist())


def _silence(exchange: Exchange, name: str) -> str:
    received = exchange.statistics.bytes_in
    if received:
        return (
            f"{name} sends something ({received} bytes), but no Synloom frames; check the baud rate, "
            "and that no other program uses the array"
        )
    return (
        f"nothing answers at {name}; check the cable, the power, the baud rate, and that the board is flashed"
    )
