"""Changes of the line rate that do not lose the array, which keeps its rate until it is powered off."""

from __future__ import annotations

from typing import Final

from synloom.base.errors import DeviceError, LinkError, ParameterError, SynloomError
from synloom.base.wording import shown
from synloom.contract.frames import Op
from synloom.contract.regions import Region
from synloom.contract.registers import link
from synloom.link.exchange import Exchange
from synloom.link.transport import RatedTransport

__all__ = ["LEAST_DIVISOR", "RATES", "RATE_TOLERANCE", "change_rate", "divisor_for"]

RATES: Final = (
    115_200,
    230_400,
    460_800,
    500_000,
    921_600,
    1_000_000,
    1_500_000,
    2_000_000,
    3_000_000,
    4_000_000,
    6_000_000,
    8_000_000,
    12_000_000,
)
"""Rates that adapters usually support, ascending."""

RATE_TOLERANCE: Final = 0.02
"""Largest relative difference between the rates of the two ends: a fifth of a bit after ten bits."""

LEAST_DIVISOR: Final = 4
"""Fewest clocks per bit with which the array's receiver works."""

_MOST_DIVISOR: Final = 0xFFFF
_DIVISOR: Final = bytes([Region.LINK]) + link("divisor").offset.to_bytes(3, "little")
_ATTEMPTS: Final = 2
_MOST_LOST: Final = 8
"""Lost commands after which a change is given up; one wrong byte in 200 loses one command of twenty."""
_PROBE_S: Final = 0.25
_PROBE_REPEATS: Final = 2
_BLIND: Final = 4
_RESCUE_FACTORS: Final = (1.0, 0.98, 1.02, 0.96, 1.04)


def divisor_for(clock_hz: int, baud: int) -> int:
    """Return the number of the array's clocks per bit for a line rate.

    Parameters
    ----------
    clock_hz : int
        Clock of the array, Hz.
    baud : int
        Line rate, bits per second.

    Raises
    ------
    ParameterError
        If the array has no rate within 2 % of `baud`.
    """
    if isinstance(baud, bool) or not isinstance(baud, int) or baud <= 0:
        raise ParameterError(f"baud must be a positive whole number, not {shown(baud)}")
    divisor = round(clock_hz / baud)
    low, high = -(-clock_hz // _MOST_DIVISOR), clock_hz // LEAST_DIVISOR
    if not LEAST_DIVISOR <= divisor <= _MOST_DIVISOR:
        raise ParameterError(
            f"baud must be in {low}..{high} for an array with a clock of {clock_hz} Hz, not {baud}"
        )
    actual = clock_hz / divisor
    if abs(actual / baud - 1.0) > RATE_TOLERANCE:
        raise ParameterError(
            f"baud must be within 2 % of {clock_hz} / n for a whole n, not {baud}; try {actual:.0f}"
        )
    return divisor


def change_rate(exchange: Exchange, transport: RatedTransport, clock_hz: int, new: int) -> None:
    """Change the rate of both ends of a line.

    The array changes its rate as soon as it has received the command, and sends even the reply at the new
    rate. So the host sends the command without waiting for a reply, changes its own rate and then asks the
    array for its divisor. If the array does not answer, the host returns to the old rate and asks there: an
    array that answers has not received the command, and is told again. One that does not answer is told at
    the new rate to return to the old one, again without waiting, in case the line still works in that
    direction.

    Parameters
    ----------
    exchange : Exchange
        The commands of the line.
    transport : RatedTransport
        The host's end of the line.
    clock_hz : int
        Clock of the array, Hz.
    new : int
        New rate, bits per second.

    Raises
    ------
    ParameterError
        If one of the ends cannot have the new rate; nothing was changed.
    DeviceError
        If the line does not work at the new rate; it has the old one again.
    LinkError
        If the array does not answer at either rate.
    """
    old = transport.baud
    if old is None:
        raise ParameterError("the target has no serial line, so it has no rate to change")
    line = _Line(exchange, transport)
    back, there = divisor_for(clock_hz, old), divisor_for(clock_hz, new)
    lost = refused = 0
    try:
        if old != new:
            # Try the host's end first: an array at a rate that the host cannot have would be lost.
            line.tune(new)
            line.tune(old)
        while lost < _MOST_LOST and refused < _ATTEMPTS:
            line.tell(there)
            line.tune(new)
            if line.answers(there):
                return
            if line.go_back(back, old, new):
                refused += 1
            else:
                lost += 1
    except SynloomError:
        raise
    except BaseException:
        line.go_back(back, old, new)
        raise
    name = str(getattr(transport, "name", "the target"))
    raise DeviceError(
        f"{name} does not answer at {new} baud and is at {old} baud again; "
        "try a lower rate, a shorter cable or another adapter"
    )


class _Line:
    """Both ends of a line while their rate changes."""

    def __init__(self, exchange: Exchange, transport: RatedTransport) -> None:
        self._exchange = exchange
        self._transport = transport

    def go_back(self, divisor: int, old: int, new: int) -> bool:
        """Return both ends to the old rate; return whether the array had left it."""
        self.tune(old)
        if self.answers(divisor):
            return False
        # The array has the new rate: tell it there, repeatedly, also slightly off that rate.
        for factor in _RESCUE_FACTORS:
            try:
                self.tune(round(factor * new))
            except ParameterError:
                continue
            for _ in range(_BLIND):
                self.tell(divisor)
            self.tune(old)
            if self.answers(divisor):
                return True
        raise self._exchange.line.fail(
            f"the array was set to {new} baud and answers neither at that rate nor at {old} baud; "
            "switch its power off and on: it then has the rate that it was built for"
        )

    def tell(self, divisor: int) -> None:
        """Send the array a divisor, without waiting for the reply, which comes at the new rate."""
        self._exchange.send(Op.WRITE, _DIVISOR + divisor.to_bytes(2, "little"))

    def tune(self, baud: int) -> None:
        """Change the rate of the host's end."""
        self._transport.set_baud(baud)
        self._exchange.line.forget()

    def answers(self, divisor: int) -> bool:
        """Return whether the array answers and has this divisor."""
        question = _DIVISOR + (1).to_bytes(2, "little")
        try:
            reply = self._exchange.command(Op.READ, question, timeout=_PROBE_S, retries=_PROBE_REPEATS)
        except (LinkError, DeviceError):
            # The line may work at the other rate.
            self._exchange.line.broken = ""
            return False
        return int.from_bytes(reply.data, "little") == divisor
