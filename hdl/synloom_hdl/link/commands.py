"""The commands: where the bytes of their arguments go."""

from collections.abc import Container
from dataclasses import dataclass

from synloom.contract.frames import Op

__all__ = ["COMMANDS", "PLACES", "Command"]

PLACES = 8
"""Bytes of the processor's argument register: region, offset (3), count (2), value (2)."""


@dataclass(frozen=True)
class Command:
    """What the processor must know about an op before it reads the arguments.

    Parameters
    ----------
    places : container of int
        Places in the argument register for the argument bytes, in order; the others become 0.
    repeats : bool
        Executed again if it is received again with the same sequence number.
    answers : bool
        The reply has data.
    """

    places: Container[int] = ()
    repeats: bool = False
    answers: bool = False


COMMANDS = {
    # The greeting is the beginning of INFO.
    Op.HELLO: Command(repeats=True, answers=True),
    Op.OPEN: Command(range(2)),
    Op.READ: Command(range(6), repeats=True, answers=True),
    Op.WRITE: Command(range(4), repeats=True),
    Op.FILL: Command(range(8), repeats=True),
    Op.RUN: Command(range(5)),
    Op.CONTROL: Command(range(1)),
    Op.EVENTS: Command(answers=True),
    # The input is an offset; shift, exponent and mode wait where other commands have a count.
    Op.RATES8: Command((1, 2, 4)),
    Op.STREAM: Command(range(3), repeats=True),
}
