"""Loading of images, and access to single registers."""

from __future__ import annotations

from synloom.base.errors import MismatchError
from synloom.contract.array_port import Port
from synloom.contract.memory_map import memory_map
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import control, settable_block
from synloom.image.image import Image

__all__ = [
    "check_fits",
    "clear_dynamics",
    "clear_memories",
    "load_image",
    "read_register",
    "write_register",
]


def check_fits(image: Image, params: ArrayParams) -> None:
    """Check that an array can run an image.

    Raises
    ------
    MismatchError
        If it cannot; the message lists the parameters that differ.
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
    """Write an image to an array; no run may be going on."""
    params = port.params
    write_register(port, "mode", 0)
    clear_memories(port)
    for write in image.writes():
        port.write(*write)
    period = round(params.clock_hz * image.dt / 1000.0)
    block = settable_block({"period": min(period, 0xFFFFFFFF), **image.registers})
    port.write(Region.CTRL, 0, block)


def clear_memories(port: Port) -> None:
    """Clear all memories: no synapses, no settings, no state, and all counters at 0."""
    for memory in memory_map(port.params).values():
        if memory.exists and memory.empty is not None:
            port.fill(*memory.extent(), memory.empty)


def clear_dynamics(port: Port) -> None:
    """Clear traces, spikes on their way, generator phases and spike counts."""
    for memory in memory_map(port.params).values():
        if memory.exists and memory.cleared:
            port.fill(*memory.extent(), 0)


def write_register(port: Port, name: str, value: int) -> None:
    """Write one CTRL register."""
    register = control(name)
    port.write(Region.CTRL, register.offset, register.pack(value))


def read_register(port: Port, name: str) -> int:
    """Return the value of one CTRL register, unsigned."""
    register = control(name)
    return register.unpack(port.read(Region.CTRL, register.offset, register.words))
