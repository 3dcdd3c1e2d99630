"""Devices: arrays that run networks, in SI units."""

from __future__ import annotations

from types import TracebackType

from synloom.base.checks import choice, switch
from synloom.base.errors import ParameterError
from synloom.base.wording import shown
from synloom.contract.array_port import Port
from synloom.device.device_contents import DeviceContents
from synloom.device.device_history import DeviceHistory
from synloom.device.device_runs import DeviceRuns
from synloom.device.device_settings import DeviceSettings
from synloom.device.recorders import Recorders
from synloom.device.session import Session
from synloom.device.turns import exclusive
from synloom.image.image import Image

__all__ = ["Device"]


class Device(DeviceHistory, DeviceRuns, DeviceSettings, DeviceContents):
    """An array that loads and runs images, with all quantities in ms, mV and nA.

    A device is a context manager that disconnects on leaving. After an error an image can be loaded again.
    It serves one thread at a time: a call while another thread is in a call raises DeviceError, and so does
    every call after `close`.

    Parameters
    ----------
    port : Port
        Register-level interface of the target; `synloom.connect` makes one.
    """

    def __init__(self, port: Port):
        super().__init__(Session(port))

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        what = repr(self.image) if self._session.loaded else "nothing loaded"
        return f"<Device: {self.params.inputs} inputs, {self.params.neurons} neurons, {what}>"

    @exclusive
    def load(self, image: Image) -> None:
        """Load an image: replace everything in the array, set the time to 0, and record all spikes.

        Raises
        ------
        MismatchError
            If the image was compiled for another array; the message lists the differences.
        ParameterError
            If `image` is not an Image.
        """
        if not isinstance(image, Image):
            raise ParameterError(
                f"load needs an Image: compile(network) or Image.load(path), not {shown(image)}"
            )
        self._load(image)

    def _load(self, image: Image) -> None:
        def record_all() -> None:
            self._recorders, self._last = Recorders(list(image.populations)), None
            # The load has cleared the probes.
            self._recorders_written = True

        self._session.load(image, record_all)

    @exclusive
    def reset(self, what: str = "dynamics", *, keep_theta: bool = True) -> None:
        """Return to time 0.

        Parameters
        ----------
        what : str
            ``"dynamics"`` resets potentials, currents, traces, generator phases, spikes on their way and
            spike counts, and keeps weights, random generators, rates and recorders. ``"all"`` loads the image
            again.
        keep_theta : bool
            Whether ``"dynamics"`` keeps the adapted thresholds.
        """
        switch("keep_theta", keep_theta)
        if choice("what", what, ("dynamics", "all")) == "all":
            self._load(self.image)
        else:
            self._session.reset(keep_theta)

    @exclusive
    def set_baud(self, baud: int) -> None:
        """Change the rate of the serial line at both ends, without a change to the network in the array.

        The array keeps the new rate until it is powered off; programs that connect later must give it
        (`connect(path, baud=...)`). If the line does not work at the new rate, both ends return to the old
        one.

        Parameters
        ----------
        baud : int
            Bits per second: at most a quarter of the array's clock, and within 2 % of that clock divided by a
            whole number. `synloom selftest` finds the best rate.

        Raises
        ------
        ParameterError
            If the target has no serial line, or one of its ends cannot have this rate; nothing was changed.
        DeviceError
            If a run is going on, or if the line does not work at the new rate; it has the old one again.
        LinkError
            If the array does not answer at either rate.
        """
        change = getattr(self.port, "set_baud", None)
        if change is None:
            raise ParameterError(
                "this target has no serial line, so it has no rate to change; connect to a board for that"
            )
        change(baud)

    @exclusive
    def close(self) -> None:
        """Disconnect from the target; closing a device again does nothing."""
        self._turns.closed = True
        try:
            self._session.end_log()
        finally:
            self._session.close()

    @exclusive
    def forget(self) -> None:
        """Treat the array as empty, because something else has written to it; load an image to go on."""
        self._session.forget()
        self._recorders = Recorders()
