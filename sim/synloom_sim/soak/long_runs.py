"""Millions of steps on the fast engine, and on engine, model and simulated board in turn."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from synloom.device.device import Device
from synloom.device.targets import open_port
from synloom.selftest.comparison import changing
from synloom_sim.fast_port import FastPort
from synloom_sim.model_port import ModelPort
from synloom_sim.soak.session import PARAMS, image
from synloom_sim.soak.verdict import Tally, Tell, judge

__all__ = ["long_run", "relay"]

_LONGEST: Final = 1_000_000
_BRANCHES: Final = 64
"""So many parts of the run are compared, so that a difference is found near where it began."""
_BETWEEN_SNAPSHOTS: Final = 100_000
_SNAPSHOTS: Final = 4
"""A short relay passes on so often."""
_COUNTED: Final = ("steps", "spikes")


def long_run(steps: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield whether a run is the same in parts of any length."""
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
    one.close()
    other.close()


def relay(steps: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield whether fast engine, model and simulated board go on alike, each from another one's snapshot."""
    del seed  # The network's own seed decides everything.
    tally = Tally("snapshots moved between targets", "steps")
    targets = [Device(port) for port in (FastPort(PARAMS), ModelPort(PARAMS), open_port("sim", PARAMS))]
    for device in targets:
        device.load(image())
    size = max(1, min(_BETWEEN_SNAPSHOTS, steps // _SNAPSHOTS))
    while tally.amount < steps:
        part = min(size, steps - tally.amount)
        what = f"steps {tally.amount} to {tally.amount + part}"
        judge(tally, what, partial(_pass_on, targets, part), 120.0 + part / 100)
        tally.amount += part
        tell(tally.part, tally.amount, steps)
    for device in targets:
        device.close()
    yield tally


def _pass_on(targets: list[Device], steps: int) -> bool:
    """Run all for some steps, compare spikes and snapshots, and restore each from the one before it."""
    spikes = []
    for device in targets:
        spikes.append(_Spikes())
        spikes[-1].add(device, steps)
    snapshots = [device.snapshot() for device in targets]
    for device, snapshot in zip(targets, (snapshots[-1], *snapshots[:-1]), strict=True):
        device.restore(snapshot)
    digests = {snapshot.digest() for snapshot in snapshots}
    return len({each.digests() for each in spikes}) == len(digests) == 1


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
