"""Random bytes and random commands into the array's receiver: no board may be dead afterwards."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from functools import partial
from typing import Final

from synloom.contract.frames import FLAG, SESSION_BYTES, Op
from synloom.device.device import Device
from synloom.device.execution import stop
from synloom.link import LinkPort
from synloom.link.codec import Decoder, encode_frame
from synloom_sim.board import Design, SimTransport
from synloom_sim.soak.session import PARAMS, agrees
from synloom_sim.soak.verdict import Tally, Tell, judge

__all__ = ["random_bytes", "random_commands"]

_PIECE: Final = 10_000
_COMMANDS: Final = 50
_SESSION_EVERY: Final = 10
_SEEDS: Final = 8
_READ_S: Final = 0.0001
_ANSWER_S: Final = 0.01
_WRONG: Final = 0.1
"""Share of commands of a random session, place, length and op."""
_ARGUMENTS: Final = {
    Op.READ: (6, 6),
    Op.WRITE: (5, 120),
    Op.FILL: (8, 8),
    Op.RUN: (5, 5),
    Op.CONTROL: (1, 1),
    Op.EVENTS: (0, 120),
    Op.RATES8: (3, 60),
    Op.STREAM: (3, 3),
}
"""Least and most bytes of the arguments of commands."""


def random_bytes(count: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield whether the board answers, and works, after random bytes: noise, and what looks like frames."""
    rng, tally = random.Random(seed), Tally("random bytes to the board", "bytes")
    transport = SimTransport.build(Design(PARAMS))
    number = 0
    while tally.amount < count:
        piece = _noise(rng, min(_PIECE, count - tally.amount))
        what = f"seed {seed}, piece {number}"
        judge(tally, what, partial(_survives, transport, [piece], number))
        tally.amount, number = tally.amount + len(piece), number + 1
        tell(tally.part, tally.amount, count)
    transport.close()
    yield tally


def random_commands(count: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield whether the board answers, and works, after random commands with right checksums."""
    rng, tally = random.Random(seed), Tally("random commands to the board", "commands")
    transport, source = SimTransport.build(Design(PARAMS)), _Commands(rng)
    number = 0
    while tally.amount < count:
        source.open(transport)
        commands = [source.next() for _ in range(min(_COMMANDS, count - tally.amount))]
        what = f"seed {seed}, batch {number}"
        judge(tally, what, partial(_survives, transport, commands, number))
        tally.amount, number = tally.amount + len(commands), number + 1
        tell(tally.part, tally.amount, count)
    transport.close()
    yield tally


def _noise(rng: random.Random, size: int) -> bytes:
    if rng.random() < 0.5:
        return rng.randbytes(size)
    data = bytearray(rng.randbytes(size))
    # Flags near each other: frames of all lengths, none of them right.
    place = 0
    while (place := place + rng.randrange(1, 300)) < size:
        data[place] = FLAG
    return bytes(data)


class _Commands:
    """Random commands with right checksums, most of them in the open session and the right order."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._session = self._seq = 0

    def open(self, transport: SimTransport) -> None:
        """Open a session with the board, whatever it does."""
        transport.write(self._frame(Op.HELLO, b""))
        (answer, *_) = Decoder().feed(transport.read(_ANSWER_S)) or [bytes(SESSION_BYTES)]
        self._session = int.from_bytes(answer[:SESSION_BYTES], "little")
        new = self._rng.randrange(1, 1 << 16)
        transport.write(self._frame(Op.OPEN, new.to_bytes(SESSION_BYTES, "little")))
        transport.read(_ANSWER_S)
        self._session = new

    def next(self) -> bytes:
        """Return a frame."""
        rng = self._rng
        if rng.random() < _WRONG:
            session, seq, size = rng.randrange(1 << 16), rng.randrange(256), rng.randrange(256)
            return encode_frame(
                struct.pack("<HBBB", session, seq, rng.randrange(256), size) + rng.randbytes(9)
            )
        op = rng.choice([*_ARGUMENTS])
        least, most = _ARGUMENTS[op]
        arguments = bytearray(rng.randbytes(rng.randint(least, most)))
        if op in (Op.READ, Op.WRITE, Op.FILL) and rng.random() < 0.9:
            # Regions and offsets that exist, mostly.
            arguments[0] = rng.randrange(32)
            arguments[3] = 0
        if op is Op.READ:
            arguments[4:6] = rng.randrange(130).to_bytes(2, "little")
        return self._frame(op, bytes(arguments))

    def _frame(self, op: Op, arguments: bytes) -> bytes:
        self._seq = (self._seq + 1) & 0xFF
        return encode_frame(struct.pack("<HBBB", self._session, self._seq, op, len(arguments)) + arguments)


def _survives(transport: SimTransport, pieces: list[bytes], number: int) -> bool:
    """Send bytes to the board; return whether it then answers, can be stopped, and works as the model."""
    for piece in pieces:
        transport.write(piece)
        transport.read(_READ_S)
    port = LinkPort(transport, timeout=0.05)
    stop(port)
    if port.params != PARAMS:
        return False
    return number % _SESSION_EVERY != 0 or agrees(Device(port), number % _SEEDS)
