"""Random bytes and random commands into the array's receiver: no board may be dead afterwards."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from typing import Final

from synloom.contract.frames import FLAG, Op
from synloom.device.device import Device
from synloom.device.execution import stop
from synloom.link import LinkPort
from synloom.link.codec import encode_frame
from synloom_sim.board import Design, SimTransport
from synloom_sim.soak.session import PARAMS, agrees
from synloom_sim.soak.verdict import Tally, Tell, judge

__all__ = ["random_bytes", "random_commands"]

_PIECE: Final = 10_000
_COMMANDS: Final = 50
_SESSION_EVERY: Final = 10
_SEEDS: Final = 8
_READ_S: Final = 0.0001
_ARGUMENTS: Final = {
    Op.READ: (6, 6),
    Op.WRITE: (5, 120),
    Op.FILL: (9, 9),
    Op.RUN: (5, 5),
    Op.CONTROL: (1, 1),
    Op.EVENTS: (0, 120),
    Op.RATES8: (3, 60),
    Op.STREAM: (3, 3),
}
"""Least and most bytes of the arguments of commands; HELLO has none."""


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
    transport = SimTransport.build(Design(PARAMS))
    number = 0
    while tally.amount < count:
        commands = [_command(rng) for _ in range(min(_COMMANDS, count - tally.amount))]
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


def _command(rng: random.Random) -> bytes:
    op = rng.choice([*_ARGUMENTS, Op.HELLO])
    least, most = _ARGUMENTS.get(op, (0, 0))
    arguments = bytearray(rng.randbytes(rng.randint(least, most)))
    if op in (Op.READ, Op.WRITE, Op.FILL) and rng.random() < 0.9:
        # Regions and offsets that exist, mostly.
        arguments[0] = rng.randrange(32)
        arguments[3] = 0
    if op is Op.FILL:
        # A fill of 16 million words is no fault, but takes minutes here.
        arguments[6] = 0
    if op is Op.READ:
        arguments[4:6] = rng.randrange(130).to_bytes(2, "little")
    return encode_frame(bytes([rng.randrange(256), op]) + bytes(arguments))


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
