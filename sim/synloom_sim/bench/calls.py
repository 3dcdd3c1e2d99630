"""What a call of a device costs on the software targets: closed loops, short and long runs."""

from __future__ import annotations

import importlib.util
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from synloom.compiler import compile
from synloom.device.device import Device
from synloom.device.targets import connect
from synloom.image.image import Image
from synloom.network.cells import LIF
from synloom.network.connectors import AllToAll
from synloom.network.distributions import Uniform
from synloom.network.inputs import InputPopulation
from synloom.network.network import Network, Population, Projection

__all__ = ["CALLS", "ROWS", "call_rows", "image"]

_INPUTS: Final = 64
_NEURONS: Final = 64
_LONG_STEPS: Final = 1000
_SHORT_STEPS: Final = 10
_TARGETS: Final = ("fast", "model")
_SECONDS: Final = 0.5
_ROUNDS: Final = 5

_Call = Callable[[Device], object]


_RASTER: Final = np.random.default_rng(1).random((_LONG_STEPS, _INPUTS)) < 0.05
"""One of 20 channels spikes in a step, and about as many neurons fire."""
ROWS: Final = itertools.cycle(_RASTER)
"""Rows for `Device.step`, over and over."""
_CHANNELS: Final = itertools.cycle([row.nonzero()[0].tolist() for row in _RASTER])

CALLS: Final[dict[str, tuple[_Call, int]]] = {
    "step without spikes": (lambda device: device.step(), 1),
    "step with a row of bool": (lambda device: device.step({"in": next(ROWS)}), 1),
    "step with a list of channels": (lambda device: device.step({"in": next(_CHANNELS)}), 1),
    "run of 10 steps": (lambda device: device.run(float(_SHORT_STEPS)), _SHORT_STEPS),
    "present of 10 steps, a raster": (
        lambda device: device.present({"in": _RASTER[:_SHORT_STEPS]}, float(_SHORT_STEPS)),
        _SHORT_STEPS,
    ),
    "run of 1,000 steps": (lambda device: device.run(float(_LONG_STEPS)), _LONG_STEPS),
    "inject of a raster, and its run of 1,000 steps": (
        lambda device: (device.inject("in", _RASTER), device.run(float(_LONG_STEPS))),
        _LONG_STEPS,
    ),
}
"""Calls by name, each with the steps that it runs."""


def call_rows(seconds: float = _SECONDS, rounds: int = _ROUNDS) -> Iterator[dict[str, Any]]:
    """Measure all calls in turns on each target that is installed.

    Parameters
    ----------
    seconds : float
        Processor time for a call in a round, about.
    rounds : int
        The figure is the median of so many.

    Yields
    ------
    dict
        ``target``, ``call``, ``steps`` of it, ``microseconds`` of processor time and ``steps_per_second``.
    """
    for target in _TARGETS:
        if target == "fast" and importlib.util.find_spec("numba") is None:
            continue
        with connect(target, image()) as device:
            device.record("cells")
            found: dict[str, list[float]] = {name: [] for name in CALLS}
            for _ in range(rounds):
                for name, (call, _steps) in CALLS.items():
                    found[name].append(_seconds_of(call, device, seconds))
        for name, times in found.items():
            steps, each = CALLS[name][1], statistics.median(times)
            yield {
                "target": target,
                "call": name,
                "steps": steps,
                "microseconds": 1e6 * each,
                "steps_per_second": steps / each,
            }


def image() -> Image:
    """Return the network: 64 inputs, 64 neurons, all-to-all."""
    net = Network()
    inputs = net.add(InputPopulation(_INPUTS, label="in"))
    cells = net.add(Population(_NEURONS, LIF(), label="cells"))
    net.add(Projection(inputs, cells, AllToAll(), weight=Uniform(0.0, 0.2)))
    return compile(net)


def _seconds_of(call: _Call, device: Device, seconds: float) -> float:
    """Return the processor time of one call in s, from as many as `seconds` hold."""
    count = 0
    call(device)
    started = time.process_time()
    while (spent := time.process_time() - started) < seconds or not count:
        call(device)
        count += 1
    return spent / count
