"""A fake device behind a serial line with a rate at each end, and limits to what the line can carry."""

from random import Random

from fake_device import FakeDevice

from synloom.base.errors import ParameterError
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import link

PARAMS = ArrayParams(inputs=8, neurons=20, record_words=256, event_words=256)
DIVISOR = Region.LINK, link("divisor").offset


class RatedLine:
    """A transport: bytes arrive if both ends have the same rate, within 4 %.

    Parameters
    ----------
    params : ArrayParams
        The device's.
    dirty_above : int
        Above this rate some bytes change on their way.
    deaf_above, mute_above : int
        Above these rates nothing that the host sends, or that the device sends, arrives unchanged.
    host_rates : collection of int, optional
        The rates that the host's end has; all, if left out.
    loses : int
        So many of the host's next writes do not arrive.
    """

    virtual_time = True
    name = "the rated line"
    never = 1 << 40

    def __init__(
        self,
        params=PARAMS,
        *,
        dirty_above=never,
        deaf_above=never,
        mute_above=never,
        host_rates=None,
        loses=0,
    ):
        self.device = FakeDevice(params)
        self.clock_hz = params.clock_hz
        self.baud = params.baud
        self.device.memory[DIVISOR] = round(params.clock_hz / params.baud)
        self.dirty_above, self.deaf_above, self.mute_above = dirty_above, deaf_above, mute_above
        self.host_rates, self.loses = host_rates, loses
        self.rng = Random(1)
        self.tried = []

    @property
    def device_baud(self):
        return self.clock_hz / self.device.memory[DIVISOR]

    def set_baud(self, baud):
        self.tried.append(baud)
        self.read(0)
        if self.host_rates is not None and baud not in self.host_rates:
            raise ParameterError(f"no {baud} baud here")
        self.baud = baud

    def write(self, data):
        if self.loses:
            self.loses -= 1
            return
        arrived = self._carry(data, self.deaf_above)
        if arrived == data:
            self.device.write(data)
        elif arrived and self._in_tune():
            self.device.memory[Region.LINK, link("crc_errors").offset] = 1

    def read(self, timeout):
        data = self.device.read(timeout)
        return self._carry(data, self.mute_above)

    def close(self):
        self.device.close()

    def _in_tune(self):
        return abs(self.device_baud / self.baud - 1) < 0.04

    def _carry(self, data, limit):
        """Return what arrives."""
        rate = max(self.baud, self.device_baud)
        if not self._in_tune() or rate > limit:
            return bytes(byte ^ 0x55 for byte in data[: len(data) // 2])
        if rate > self.dirty_above:
            return bytes(byte ^ (self.rng.random() < 0.005) for byte in data)
        return data
