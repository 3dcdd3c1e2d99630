"""A bad line around a transport."""

from __future__ import annotations

import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any, Final

from synloom.base.errors import ParameterError
from synloom_sim.faults.line import LossyLine
from synloom_sim.faults.rates import Faults

if TYPE_CHECKING:
    from synloom.link.transport import Transport

__all__ = ["LossyTransport"]

_STALL_S: Final = 0.05


class LossyTransport:
    """A transport whose line damages what passes, and counts how.

    It has the name, the clock, the rate and the kind of time of the transport inside, so it can stand
    wherever that could. On simulated boards the same seed, faults and calls give the same faults; at a serial
    port the pieces in which bytes arrive depend on the machine, and with them stalls and delays.

    Parameters
    ----------
    inner : Transport
        The line without faults; closed with this one.
    faults : Faults
        How bad the line is.

    Raises
    ------
    ParameterError
        If the target has no such fault: resets are for simulated boards, faults at the pins for ``sim-pins``.
    """

    def __init__(self, inner: Transport, faults: Faults) -> None:
        self._inner: Any = inner
        self.faults = faults
        self.name = str(getattr(inner, "name", "the target"))
        self._out = LossyLine(faults, "to the board")
        self._in = LossyLine(faults, "from the board")
        self._rng = Random(f"{faults.seed} calls")
        self._own: Counter[str] = Counter()
        self._gave_nothing = False
        self._prepare()

    def _prepare(self) -> None:
        faults, inner = self.faults, self._inner
        if faults.resets and not hasattr(inner, "reset"):
            raise ParameterError("this target cannot be reset from here; leave resets out, or use 'sim'")
        if faults.at_pins:
            if self.baud is None or not hasattr(inner, "spoil_pins"):
                raise ParameterError(
                    "glitches, framing and skew are faults at pins; leave them out, or use 'sim-pins'"
                )
            inner.spoil_pins(
                skew=faults.skew, glitches=faults.glitches, framing=faults.framing, seed=faults.seed
            )

    @property
    def virtual_time(self) -> bool:
        """Whether time passes only inside `read`, as in the transport inside."""
        return bool(getattr(self._inner, "virtual_time", False))

    @property
    def baud(self) -> int | None:
        """Rate of the line in bits per second; None if it has none."""
        rate = getattr(self._inner, "baud", None)
        return None if rate is None else int(rate)

    @property
    def counts(self) -> Counter[str]:
        """Bytes and frames so far, and how often each fault struck, both directions together."""
        return self._out.counts + self._in.counts + self._own + Counter(getattr(self._inner, "spoilt", {}))

    def time(self) -> float:
        """Return the time in seconds on the clock of the transport inside, else on this machine's."""
        return float(getattr(self._inner, "time", time.monotonic)())

    def set_baud(self, baud: int) -> None:
        """Change the rate of the host's end, and drop what is on its way.

        Raises
        ------
        ParameterError
            If the line has no rate, or cannot have this one.
        """
        if self.baud is None:
            raise ParameterError(f"{self.name} has no serial line, so it has no rate to change")
        self._inner.set_baud(baud)
        self._in.forget()
        self._out.forget()

    def reset(self) -> None:
        """Switch the board off and on.

        Raises
        ------
        ParameterError
            If the target cannot be reset from here.
        """
        if not hasattr(self._inner, "reset"):
            raise ParameterError(f"{self.name} cannot be reset from here")
        self._inner.reset()

    def write(self, data: bytes) -> None:
        """Send bytes; raise LinkError if the connection is broken."""
        if self.faults.resets and self._rng.random() < self.faults.resets:
            self._own["resets"] += 1
            self._inner.reset()
        # What a host writes at once is whole.
        self._inner.write(self._out.carry(bytes(data), whole=True))

    def read(self, timeout: float) -> bytes:
        """Return the bytes that have arrived, waiting up to `timeout` s for the first; b'' if none came."""
        if self._gave_nothing:
            self._gave_nothing = False
            self._inner.write(self._out.release())
            if late := self._in.release():
                return late
        if self.faults.stalls and self._rng.random() < self.faults.stalls:
            self._own["stalls"] += 1
            if not self.virtual_time:
                time.sleep(min(timeout, _STALL_S))
            return b""
        deadline = time.monotonic() + timeout
        while True:
            data = self._inner.read(max(0.0, deadline - time.monotonic()))
            arrived = self._in.carry(data, whole=not data)
            # Only silence may look like silence: on a clock of its own, a board does not go on after that.
            if arrived or not data:
                self._gave_nothing = not arrived and (self._in.holds or self._out.holds)
                return arrived

    def close(self) -> None:
        """Close the transport inside."""
        self._inner.close()
