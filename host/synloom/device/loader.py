"""Loading images and single registers."""

from __future__ import annotations

from typing import Final

import numpy as np

from synloom.base.errors import MismatchError
from synloom.contract.array_port import Port
from synloom.contract.params import ArrayParams
from synloom.contract.regions import COUNTER_STRIDE, Region, region_size, weight_offset
from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS, control
from synloom.image.image import Image

__all__ = ["check_fits", "clear_dynamics", "load_image", "write_register"]

_SETTABLE: Final = [r for r in CONTROL_REGISTERS.values() if r.writable]


def check_fits(image: Image, params: ArrayParams) -> None:
    """Check that an array runs an image.

    Raises
    ------
    MismatchError
        If it does not; the message lists the parameters that differ.
    """
    if image.params.semantics_digest() == params.semantics_digest():
        return
    mine, theirs = image.params.semantics(), params.semantics()
    differing = "; ".join(
        f"{name}: {mine[name]} in the image, {theirs[name]} in the device"
        for name in mine
        if mine[name] != theirs[name]
    )
    raise MismatchError(
        f"the image was compiled for another array ({differing}); compile it with "
        f"compile(network, device.params)"
    )


def load_image(port: Port, image: Image) -> None:
    """Write everything that an image says into an array that stands still."""
    params = port.params
    write_register(port, "mode", 0)
    for region in (Region.SOURCE, Region.TARGET, Region.PROBES, Region.NEURON_STATE):
        port.fill(region, 0, region_size(params, region), 0)
    port.fill(
        Region.WEIGHTS, weight_offset(0, 0), params.sources * params.neurons, params.weight_absent & 0xFF
    )
    for region, offset, words in image.writes():
        port.write(region, offset, words)
    port.fill(Region.COUNTERS, 0, COUNTER_STRIDE * len(COUNTERS), 0)
    clear_dynamics(port)
    period = round(params.clock_hz * image.dt / 1000.0)
    values = {"now": 0, "period": min(period, 0xFFFFFFFF), "probe_every": 1, **image.registers}
    block: list[int] = []
    for register in _SETTABLE:
        value = values.get(register.name, 0)
        block += [(value >> (16 * k)) & 0xFFFF for k in range(register.words)]
    port.write(Region.CTRL, _SETTABLE[0].offset, np.array(block, dtype=np.uint16))


def clear_dynamics(port: Port) -> None:
    """Forget traces, spikes on their way, generator phases and spike counts."""
    params = port.params
    regions = [Region.X_TRACE, Region.Y_TRACE, Region.WHEEL]
    regions += [Region.GEN_PHASE] if params.generators else []
    regions += [Region.SPIKE_COUNTS] if params.spike_counters else []
    for region in regions:
        port.fill(region, 0, region_size(params, region), 0)


def write_register(port: Port, name: str, value: int) -> None:
    """Write one CTRL register."""
    register = control(name)
    words = [(value >> (16 * k)) & 0xFFFF for k in range(register.words)]
    port.write(Region.CTRL, register.offset, np.array(words, dtype=np.uint16))


def read_register(port: Port, name: str) -> int:
    """Read one CTRL register, unsigned."""
    register = control(name)
    words = port.read(Region.CTRL, register.offset, register.words)
    return sum(int(word) << (16 * k) for k, word in enumerate(words))
