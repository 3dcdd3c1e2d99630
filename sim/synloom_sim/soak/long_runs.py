"""Millions of steps on the fast engine, and what the model and a simulated board make of where they end."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np

from synloom.contract.registers import CONTROL_REGISTERS
from synloom.device.device import Device
from synloom.device.loader import read_register, write_register
from synloom.device.targets import open_port
from synloom.selftest.comparison import changing
from synloom_sim.fast_port import FastPort
from synloom_sim.model_port import ModelPort
from synloom_sim.soak.session import PARAMS, image
from synloom_sim.soak.verdict import Tally, Tell, judge

__all__ = ["long_run"]

_LONGEST: Final = 1_000_000
_BRANCHES: Final = 64
"""So many parts of the run are compared, so that a difference is found near where it began."""
_COUNTED: Final = ("steps", "spikes")


def long_run(steps: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield whether a run is the same in parts of any length, and goes on alike on model and board."""
    rng, tally = random.Random(seed), Tally("long run on the fast engine", "steps")
    one, other = Device(FastPort(PARAMS)), Device(FastPort(PARAMS))
    for device in (one, other):
        device.load(image())
    size = max(1, min(_LONGEST, steps // _BRANCHES))
    while tally.amount < steps:
        part = min(size, steps - tally.amount)
        seconds = 60.0 + part / 1000
        what = f"steps {tally.amount} to {tally.amount + part}"
        judge(tally, what, partial(_equal_parts, one, other, part, rng.randrange(1 << 30)), seconds)
        tally.amount += part
        tell(tally.part, tally.amount, steps)
    tally.figures["steps a second, both engines"] = round(2 * steps / max(tally.seconds, 1e-9))
    yield tally
    for target in ("model", "sim"):
        after = Tally(
            f"the same array goes on at {target!r}", "steps", amount=min(2000, max(100, steps // 1000))
        )
        judge(after, f"after {steps} steps", partial(_goes_on, one, target, after.amount), 600.0)
        yield after
    one.close()
    other.close()


def _equal_parts(one: Device, other: Device, steps: int, seed: int) -> bool:
    """Run both, one at a time and the other in random parts, and compare spikes and all that changes."""
    rng = random.Random(seed)
    whole, parts = _Spikes(), _Spikes()
    whole.add(one, steps)
    while steps:
        part = min(steps, rng.randint(1, max(1, steps // 3)))
        parts.add(other, part)
        steps -= part
    return whole.digests() == parts.digests() and _state(one) == _state(other)


class _Spikes:
    """Digests of all spikes of a run, which may come in parts."""

    def __init__(self) -> None:
        self._steps, self._neurons = hashlib.sha256(), hashlib.sha256()

    def add(self, device: Device, steps: int) -> None:
        recording = device.run(float(steps))
        self._steps.update(recording.spike_steps["cells"].tobytes())
        self._neurons.update(recording.spike_indices["cells"].tobytes())

    def digests(self) -> tuple[bytes, bytes]:
        return self._steps.digest(), self._neurons.digest()


def _state(device: Device) -> tuple[Any, ...]:
    """Return the words of all memories that a run changes, and the counters that say how far it is."""
    counters = device.counters()
    memories = tuple(memory.read_all(device.port).tobytes() for memory in changing(PARAMS))
    return (*memories, *(counters[name] for name in _COUNTED))


def _goes_on(device: Device, target: str, steps: int) -> bool:
    """Carry the array of a device to another target, run both for some steps, and compare."""
    port = ModelPort(PARAMS) if target == "model" else open_port(target, PARAMS)
    with Device(port) as copy, Device(FastPort(PARAMS)) as original:
        for each in (copy, original):
            carry_over(device, each)
        spikes = [each.run(float(steps)).raster("cells") for each in (copy, original)]
        memories = [[m.read_all(each.port) for m in changing(PARAMS)] for each in (copy, original)]
    return np.array_equal(spikes[0], spikes[1]) and all(
        np.array_equal(a, b) for a, b in zip(*memories, strict=True)
    )


def carry_over(source: Device, target: Device) -> None:
    """Load the image into the target, and give it the state of the source, word by word.

    A snapshot of a device is to take the place of this.
    """
    target.load(source.image)
    for memory in changing(PARAMS):
        words = memory.read_all(source.port)
        for block in memory.blocks:
            memory.write(target.port, block, words[block.place : block.place + block.count])
    for name, register in CONTROL_REGISTERS.items():
        # The time stays that of the load: it is the device's too.
        if register.live and register.writable and name != "now":
            write_register(target.port, name, read_register(source.port, name))
