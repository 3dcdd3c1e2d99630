"""Transports: byte streams to an array and back."""

from __future__ import annotations

import errno
import os
import sys
import time
from array import array
from typing import Final, Protocol, runtime_checkable

import serial

from synloom.base.errors import LinkError, ParameterError, TargetError
from synloom.base.wording import one_line

__all__ = ["RatedTransport", "SerialTransport", "Transport", "driver_rate"]

_WRITE_TIMEOUT_S: Final = 10.0
_SETTLE_S: Final = 0.03
"""How long bytes may stay in an adapter, in either direction: twice the usual latency of USB adapters."""
_TOLERANCE: Final = 0.02
_TCGETS2: Final = 0x802C542A
_SPEED_WORD: Final = 10
"""Index of the output speed in Linux's struct termios2, in words of 32 bits."""


class Transport(Protocol):
    """A byte stream in both directions, which may lose or change bytes.

    A transport may have an attribute ``virtual_time = True``: then time passes only inside `read`, and a read
    that returned nothing need not be repeated until something is written. Such a transport may have a method
    `time` that returns the seconds on its own clock.
    """

    def write(self, data: bytes) -> None:
        """Send all of `data`; raise LinkError if the connection is broken."""
        ...

    def read(self, timeout: float) -> bytes:
        """Return the bytes that have arrived, waiting up to `timeout` s for the first; b'' if none came."""
        ...

    def close(self) -> None:
        """Disconnect; closing again does nothing."""
        ...


@runtime_checkable
class RatedTransport(Transport, Protocol):
    """A transport whose line has a rate that can be changed."""

    @property
    def baud(self) -> int | None:
        """Rate of the line in bits per second; None if this one has no rate."""
        ...

    def set_baud(self, baud: int) -> None:
        """Send all written bytes, change the rate of the host's end, and drop the bytes received meanwhile.

        Raises
        ------
        ParameterError
            If the host's end cannot have this rate; it keeps the old one.
        """
        ...


class SerialTransport:
    """A serial port, or a pseudo-terminal in place of one.

    Parameters
    ----------
    path : str
        Name of the port, such as ``/dev/ttyUSB1`` or ``COM3``.
    baud : int
        Bits per second: the rate that the gateware was built for.

    Raises
    ------
    TargetError
        If there is no such port, if the user lacks the permission, or if another program uses it.
    """

    def __init__(self, path: str, baud: int) -> None:
        self.name = path
        try:
            self._port = serial.Serial(path, baud, timeout=0, write_timeout=_WRITE_TIMEOUT_S, exclusive=True)
        except (serial.SerialException, ValueError, OverflowError, OSError) as error:
            raise TargetError(_why_not_open(path, baud, error)) from error

    @property
    def baud(self) -> int | None:
        """Rate of the port in bits per second; None for a pseudo-terminal, which has no rate."""
        return None if _is_pseudo_terminal(self.name) else int(self._port.baudrate)

    def set_baud(self, baud: int) -> None:
        """Send all written bytes, change the rate of the port, and drop the bytes received meanwhile.

        Raises
        ------
        ParameterError
            If the port has no rate within 2 % of `baud`, or no rate at all; it keeps the old one.
        LinkError
            If the port is gone.
        """
        before = self.baud
        if before is None:
            raise ParameterError(f"{self.name} is a pseudo-terminal and has no line rate to change")
        try:
            self._port.flush()
            time.sleep(_SETTLE_S)
            try:
                self._port.baudrate = baud
                got = driver_rate(self._port.fileno())
            except (ValueError, OverflowError):
                got = 0
            if got is not None and abs(got / baud - 1.0) > _TOLERANCE:
                self._port.baudrate = before
                raise ParameterError(
                    f"{self.name} cannot have {baud} baud"
                    + (f" (its driver offers {got})" if got else "")
                    + "; try another rate or another adapter"
                )
            time.sleep(_SETTLE_S)
            self._port.reset_input_buffer()
        except (serial.SerialException, OSError) as error:
            raise LinkError(f"{self.name} cannot change its rate ({error}); connect again") from error

    def write(self, data: bytes) -> None:
        """Send all of `data`; raise LinkError if the port is gone or accepts nothing for 10 s."""
        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as error:
            raise LinkError(f"cannot write to {self.name} ({error}); check it and connect again") from error

    def read(self, timeout: float) -> bytes:
        """Return the bytes that have arrived, waiting up to `timeout` s for the first; b'' if none came."""
        try:
            waiting: int = self._port.in_waiting
            if waiting:
                return bytes(self._port.read(waiting))
            if self._port.timeout != timeout:
                self._port.timeout = timeout
            first = bytes(self._port.read(1))
            waiting = self._port.in_waiting if first else 0
            return first + bytes(self._port.read(waiting)) if waiting else first
        except (serial.SerialException, OSError, TypeError) as error:
            # pyserial raises TypeError if another thread closes the port during a read.
            raise LinkError(f"cannot read from {self.name} ({error}); check it and connect again") from error

    def close(self) -> None:
        """Close the port."""
        self._port.close()


def _is_pseudo_terminal(path: str) -> bool:
    return os.path.realpath(path).startswith("/dev/pts/")


def driver_rate(descriptor: int) -> int | None:
    """Return the rate that the driver really set, in bits per second; None if the system cannot tell."""
    if sys.platform != "linux":
        return None
    import fcntl

    words = array("I", [0] * 64)
    try:
        fcntl.ioctl(descriptor, _TCGETS2, words)
    except OSError:
        return None
    return words[_SPEED_WORD] or None


def _why_not_open(path: str, baud: int, error: Exception) -> str:
    number, path = getattr(error, "errno", None), one_line(path, 200)
    text = str(error).lower()
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "filenotfound" in text:
        return f"there is no serial port {path}; `synloom doctor` lists the ports of this machine"
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        return f"{path} is used by another program; close that and try again"
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"no permission to open {path}; on Linux, `sudo usermod -aG dialout $USER` and then logging in "
            f"again give you permission to use serial ports"
        )
    why = one_line(str(error), 200)
    return f"{path} cannot be opened at {baud} baud: {why}; check the port, or try another rate"
