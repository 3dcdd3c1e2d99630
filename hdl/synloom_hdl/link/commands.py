"""Shape of the commands: how long each is and where its arguments go."""

from dataclasses import dataclass

from synloom.contract.frames import Op

__all__ = ["COMMANDS", "Arguments", "Command"]


class Arguments:
    """Places of argument bytes in the processor's register: region, offset (3), count (3)."""

    REGION = 0
    OFFSET = 1
    COUNT = 4
    BYTES = 7


@dataclass(frozen=True)
class Command:
    """What the processor must know of an op before it reads the arguments.

    Parameters
    ----------
    size : int
        Bytes of the arguments, those of a list that may follow excepted.
    first : int
        Place of the first argument byte.
    has_list : bool
        More bytes may follow.
    repeats : bool
        Executed again if it comes again with the same sequence number.
    """

    size: int
    first: int = Arguments.REGION
    has_list: bool = False
    repeats: bool = False


COMMANDS = {
    Op.HELLO: Command(0, repeats=True),
    Op.READ: Command(6, repeats=True),
    Op.WRITE: Command(4, has_list=True, repeats=True),
    Op.FILL: Command(9, repeats=True),
    Op.RUN: Command(5),
    Op.CONTROL: Command(1),
    Op.EVENTS: Command(0, has_list=True),
    Op.RATES8: Command(3, first=Arguments.OFFSET, has_list=True),
    Op.STREAM: Command(3, repeats=True),
}
