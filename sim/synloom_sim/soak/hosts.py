"""Hosts that are killed, boards that are switched off, signals: none may end in silent differences."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import FrameType
from typing import Any, Final

import numpy as np

from synloom.base.errors import DeviceError
from synloom.device.device import Device
from synloom.device.targets import connect
from synloom.link import LinkPort
from synloom_sim.board import Design, SimTransport
from synloom_sim.model_port import ModelPort
from synloom_sim.soak.served import served_board
from synloom_sim.soak.session import PARAMS, agrees, image
from synloom_sim.soak.verdict import Tally, Tell, judge

__all__ = ["kills", "resets", "signals"]

_SEEDS: Final = 32
_READY_S: Final = 60.0
_LIFE_S: Final = 1.0
"""Longest life of a host after its board was found: some sessions."""
_RESET_S: Final = 30.0
_STEPS: Final = 300


def kills(count: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield what the next host finds after each SIGKILL of a host that drives a board."""
    rng, tally = random.Random(seed), Tally("SIGKILL of the host", "kills")
    with served_board() as path:
        for k in range(count):
            life = rng.uniform(0.0, _LIFE_S)
            judge(tally, f"kill {k}, after {life:.3f} s", partial(_killed, path, life, k % _SEEDS))
            tally.amount += 1
            tell(tally.part, tally.amount, count)
    yield tally


def _killed(path: str, life: float, seed: int) -> bool:
    victim = subprocess.Popen(
        [sys.executable, "-m", "synloom_sim.soak.victim", path], stdout=subprocess.PIPE, text=True
    )
    try:
        assert victim.stdout is not None
        if victim.stdout.readline() != "ready\n":
            return False
        time.sleep(life)
    finally:
        victim.kill()
        victim.communicate()
    with connect(path) as device:
        return agrees(device, seed)


class _Switched:
    """A transport to a board that is switched off and on before one of the host's writes."""

    virtual_time = True

    def __init__(self, at: int) -> None:
        self.writes = 0
        self._at = at
        self._inner = SimTransport.build(Design(PARAMS))

    def write(self, data: bytes) -> None:
        self.writes += 1
        if self.writes == self._at:
            self._inner.reset()
        self._inner.write(data)

    def read(self, timeout: float) -> bytes:
        return self._inner.read(timeout)

    def close(self) -> None:
        self._inner.close()


def _held(transport: _Switched, seed: int) -> bool:
    with Device(LinkPort(transport, timeout=0.05)) as device:
        return agrees(device, seed)


def resets(count: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield what a host says whose board is switched off and on at a random moment of its session."""
    rng, tally = random.Random(seed), Tally("reset of the board", "resets")

    clean = _Switched(0)
    _held(clean, 0)
    for k in range(count):
        at = rng.randint(1, clean.writes)
        what = f"reset {k}, at write {at} of {clean.writes}"
        judge(tally, what, partial(_held, _Switched(at), k % _SEEDS), _RESET_S)
        tally.amount += 1
        tell(tally.part, tally.amount, count)
    yield tally


class _Cut(KeyboardInterrupt):
    """What the handler of a signal raises here."""


@contextmanager
def _struck(number: int, delay: float) -> Iterator[None]:
    """Send a signal to this process some seconds after the beginning of a context, or at its end."""
    before = signal.signal(number, _cut)
    timer = threading.Timer(delay, os.kill, (os.getpid(), number))
    try:
        timer.start()
        yield
        # The signal belongs to this case, not to the next.
        timer.join()
        time.sleep(0)
    finally:
        timer.cancel()
        signal.signal(number, before)


def _cut(number: int, frame: FrameType | None) -> None:
    raise _Cut


def signals(count: int, seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield what a device does after SIGINT and SIGTERM at random moments of its calls."""
    rng, tally = random.Random(seed), Tally("SIGINT and SIGTERM", "signals")
    raster = np.random.default_rng([seed, 17]).random((_STEPS, 8)) < 0.2
    with Device(ModelPort(PARAMS)) as model:
        model.load(image())
        right = _finished(model, raster)
    with served_board() as path, connect(path) as device:
        started = time.monotonic()
        device.load(image())
        _finished(device, raster)
        usual = time.monotonic() - started
        for k in range(count):
            number = rng.choice([signal.SIGINT, signal.SIGTERM])
            delay = rng.uniform(0.0, 1.1 * usual)
            what = f"{number.name} {k}, after {delay:.4f} s"
            judge(tally, what, partial(_interrupted, device, raster, right, _struck(number, delay)))
            tally.amount += 1
            tell(tally.part, tally.amount, count)
    yield tally


_Outcome = tuple[Any, Any]


def _finished(device: Device, raster: Any) -> _Outcome:
    """Run the whole stimulus; return the spikes and the weights."""
    device.inject("kicks", raster)
    spikes = device.run(float(_STEPS)).raster("cells")
    return spikes, device.read_weights("learns")


def _interrupted(device: Device, raster: Any, right: _Outcome, struck: AbstractContextManager[None]) -> bool:
    """Load and run under a signal, go on where the device stopped, and compare the whole with the model."""
    spikes = np.zeros((_STEPS, PARAMS.neurons), dtype=np.uint8)
    stage = "load"
    try:
        with struck:
            device.load(image())
            stage = "inject"
            device.inject("kicks", raster)
            stage = "run"
            spikes[:] = device.run(float(_STEPS)).raster("cells")
            stage = "read"
            device.read_weights("learns")
            stage = "done"
    except _Cut:
        pass
    if stage in ("load", "inject"):
        # Whether they acted is open; that the next session is right is not.
        return _loadable(device, raster, right)
    try:
        if stage == "run":
            begun, done = device.last_recording, round(device.time)
            if (begun.steps if begun else 0) != done:
                return False
            if begun:
                spikes[:done] = begun.raster("cells")
            if done < _STEPS:
                spikes[done:] = device.run(float(_STEPS - done)).raster("cells")
        weights = device.read_weights("learns")
    except DeviceError as error:
        return "device.load" in str(error) and _loadable(device, raster, right)
    return np.array_equal(spikes, right[0]) and np.array_equal(weights, right[1], equal_nan=True)


def _loadable(device: Device, raster: Any, right: _Outcome) -> bool:
    device.load(image())
    spikes, weights = _finished(device, raster)
    return np.array_equal(spikes, right[0]) and np.array_equal(weights, right[1], equal_nan=True)
