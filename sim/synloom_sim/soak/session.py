"""What a user does with a device: a session of calls whose results the model knows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synloom.compiler.compilation import compile
from synloom.contract.params import ArrayParams
from synloom.device.device import Device
from synloom.image.image import Image
from synloom.network.cells import LIF
from synloom.network.connectors import AllToAll, FixedProbability
from synloom.network.distributions import Uniform
from synloom.network.inputs import InputPopulation, PoissonInput
from synloom.network.network import Network, Population, Projection
from synloom.network.plasticity import STDP
from synloom_sim.model_port import ModelPort

__all__ = ["PARAMS", "Result", "agrees", "expected", "image", "session"]

PARAMS: Final = ArrayParams(
    inputs=20, neurons=24, lanes=4, segments=32, record_words=512, event_words=64, baud=12_000_000
)
"""A small array, with small queues, so that they fill."""

Result = tuple[str, npt.NDArray[Any]]
_EPOCH_MS: Final = 60.0
_COUNTED: Final = ("steps", "spikes", "inputs_merged")


@cache
def image() -> Image:
    """Return the network of all sessions, compiled: generators, inputs, and weights that learn."""
    network = Network(seed=7)
    noise = network.add(PoissonInput(12, rate=60.0, label="noise"))
    kicks = network.add(InputPopulation(8, label="kicks"))
    cells = network.add(Population(24, LIF(theta_plus=0.2), label="cells"))
    rule = STDP(A_plus=0.05, A_minus=0.03, w_max=4.0)
    network.add(
        Projection(noise, cells, AllToAll(), weight=Uniform(0.5, 3.0), plasticity=rule, label="learns")
    )
    network.add(Projection(kicks, cells, AllToAll(), weight=Uniform(0.5, 4.0), label="drives"))
    network.add(Projection(cells, cells, FixedProbability(0.3), weight=-0.5, label="holds"))
    return compile(network, PARAMS)


def session(device: Device, seed: int) -> Iterator[Result]:
    """Load, run, teach and read; yield a name and the result of each call as it comes."""
    rng = np.random.default_rng([seed, 91])
    device.load(image())
    device.inject("kicks", rng.random((40, 8)) < 0.2)
    yield "run", device.run(_EPOCH_MS).raster("cells")
    device.set_rates("noise", rng.uniform(0.0, 200.0, 12).round())
    for _ in range(3):
        yield "step", device.step({"kicks": rng.random(8) < 0.5})["cells"]
    yield "weights", device.read_weights("learns")
    shown = {"kicks": rng.random((20, 8)) < 0.3}
    yield "present", device.present(shown, 30.0)["cells"]
    device.write_weights("learns", rng.permuted(device.read_weights("learns"), axis=1))
    yield "run", device.run(_EPOCH_MS).raster("cells")
    yield "weights", device.read_weights("learns")
    yield "v", device.read_state("cells")["v"]
    counters = device.counters()
    yield "counters", np.array([counters[name] for name in _COUNTED])


@lru_cache(maxsize=64)
def expected(seed: int) -> tuple[Result, ...]:
    """Return the results of a session on the model."""
    with Device(ModelPort(PARAMS)) as device:
        return tuple(session(device, seed))


def agrees(device: Device, seed: int) -> bool:
    """Hold a session, and return whether all of its results are the model's."""
    results = session(device, seed)
    return all(
        name == wanted and np.array_equal(got, right, equal_nan=got.dtype.kind == "f")
        for (name, got), (wanted, right) in zip(results, expected(seed), strict=True)
    )
