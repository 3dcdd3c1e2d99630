"""What all calls of a device share: its session, its turns and its recorders."""

from __future__ import annotations

from synloom.contract.array_port import Port
from synloom.contract.params import ArrayParams
from synloom.device.recorders import Recorders
from synloom.device.recording import Recording
from synloom.device.session import Session
from synloom.device.turns import Turns
from synloom.image.image import Image

__all__ = ["DeviceBase"]


class DeviceBase:
    """The part of a `Device` that its other parts build on."""

    def __init__(self, session: Session):
        self._session = session
        self._turns = Turns()
        self._recorders = Recorders()
        # Whether the array has them: not while they are written, nor if that was cut short.
        self._recorders_written = False
        self._last: Recording | None = None

    @property
    def params(self) -> ArrayParams:
        """Parameters of the array, as discovered; pass them to `compile`."""
        return self.port.params

    @property
    def port(self) -> Port:
        """Register-level interface of the array."""
        return self._session.port

    @property
    def image(self) -> Image:
        """The loaded image.

        Raises
        ------
        DeviceError
            If no image is loaded.
        """
        return self._session.image

    @property
    def time(self) -> float:
        """Time of the next step, in ms since the start; DeviceError if no image is loaded."""
        return self._session.now * self.image.dt

    def _write_recorders(self) -> None:
        """Write the recorders to the array, unless it has them."""
        if not self._recorders_written:
            self._recorders.write(self._session.port)
            self._recorders_written = True
            if self._session.log is not None:
                self._session.log.recorders(self._recorders)
