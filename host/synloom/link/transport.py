"""Ways to move bytes to an array and back."""

from __future__ import annotations

import errno
from typing import Final, Protocol

import serial

from synloom.errors import LinkError, TargetError

__all__ = ["SerialTransport", "Transport"]

_WRITE_TIMEOUT_S: Final = 10.0


class Transport(Protocol):
    """A byte stream in both directions, which may lose or change bytes.

    A transport may have an attribute ``virtual_time = True``: then time passes only inside `read`, and a read
    that returns nothing need not be repeated before something was written.
    """

    def write(self, data: bytes) -> None:
        """Send all of `data`; LinkError if the connection broke."""
        ...

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, waiting up to `timeout` s for the first byte; b'' if none came."""
        ...

    def close(self) -> None:
        """Let go of the connection; twice does no harm."""
        ...


class SerialTransport:
    """A serial port, or a pseudo-terminal that stands for one.

    Parameters
    ----------
    path : str
        Name of the port, as ``/dev/ttyUSB1`` or ``COM3``.
    baud : int
        Bits per second; what the gateware was built for.

    Raises
    ------
    TargetError
        If there is no such port, it may not be opened, or another program has it.
    """

    def __init__(self, path: str, baud: int) -> None:
        self.name = path
        try:
            self._port = serial.Serial(path, baud, timeout=0, write_timeout=_WRITE_TIMEOUT_S, exclusive=True)
        except (serial.SerialException, ValueError, OSError) as error:
            raise TargetError(_why_not_open(path, baud, error)) from error

    def write(self, data: bytes) -> None:
        """Send all of `data`; LinkError if the port is gone or takes nothing for 10 s."""
        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as error:
            raise LinkError(f"{self.name} cannot be written any more ({error}); connect again") from error

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, waiting up to `timeout` s for the first byte."""
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
            # TypeError is what pyserial raises if another thread closes the port during a read.
            raise LinkError(f"{self.name} cannot be read any more ({error}); connect again") from error

    def close(self) -> None:
        """Close the port."""
        self._port.close()


def _why_not_open(path: str, baud: int, error: Exception) -> str:
    number = getattr(error, "errno", None)
    text = str(error).lower()
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "filenotfound" in text:
        return f"there is no serial port {path}; `synloom doctor` lists the ports of this machine"
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        return f"{path} is used by another program; close that program and try again"
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"no permission to open {path}; on Linux, `sudo usermod -aG dialout $USER` and log in again "
            f"lets you use serial ports"
        )
    return f"{path} cannot be opened at {baud} baud: {error}"
