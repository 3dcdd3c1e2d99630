"""Does a target do what the model does? A learning network runs on both, and every bit is compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.contract.array_port import Port
from synloom.contract.regions import NEURON_STATE_STRIDE, WIDE_COUNTERS, Region, weight_offset
from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS
from synloom.selftest.comparison import Played, differences, play
from synloom.selftest.random_network import KnownNetwork, known_network
from synloom_sim.model_port import ModelPort

__all__ = ["Agreement", "compare"]

_OF_TIME: Final = frozenset({"busy_clocks", "stall_clocks", "late_steps", "chunks"})
"""Counters that say how long something took, which the model does not know."""

_WORD_BITS: Final = 16
_COUNTER_BITS: Final = 32
"""So much of a counter is looked at."""

Bits = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a comparison found.

    Attributes
    ----------
    steps, spikes : int
        What was run.
    learned : int
        Weights that are no longer what they were at the start.
    bits : int
        Bits that were compared, none of which is always 0: of spikes, probes, memories, registers and
        counters.
    differing : mapping of str to int
        How many of them differ, for each part that differs at all.
    faults : tuple of str
        The same in words, with the first step that shows it.
    """

    steps: int
    spikes: int
    learned: int
    bits: int
    differing: Mapping[str, int]
    faults: tuple[str, ...]


def compare(port: Port, *, steps: int = 256, seed: int = 1) -> Agreement:
    """Run a learning network on a target and on the model.

    The network is that of the self-test: random, recurrent, with pair STDP on rows and columns, rounded at
    random where the array can. What is in the target is lost.

    Parameters
    ----------
    port : Port
        The target.
    steps : int
        Steps of the run.
    seed : int
        Which network.
    """
    params = port.params
    network = known_network(params, seed, steps)
    probes = _probes(network)
    model = ModelPort(params)
    expected, got = play(model, network, probes), play(port, network, probes)
    bits, differing = 0, {}
    for name, width, left, right in _parts(network, expected, got):
        bits += width
        wrong = _differing_bits(left, right)
        if wrong:
            differing[name] = wrong
    start = next(words for region, _, words in network.writes if region is Region.WEIGHTS)
    learned = int(np.count_nonzero(expected.state[Region.WEIGHTS] & 0xFF != start & 0xFF))
    faults = differences(network, expected, got, model, port) if differing else []
    return Agreement(steps, len(expected.spikes), learned, bits, differing, tuple(faults))


def _probes(network: KnownNetwork) -> tuple[tuple[Region, int], ...]:
    """Return places to look at after each step, as many as the array has probes."""
    n = network.params.neurons
    places = [
        (Region.NEURON_STATE, 0),
        (Region.WEIGHTS, weight_offset(0, 0)),
        (Region.X_TRACE, 0),
        (Region.Y_TRACE, n // 2),
        (Region.NEURON_STATE, NEURON_STATE_STRIDE * (n - 1)),
        (Region.NEURON_STATE, NEURON_STATE_STRIDE * (n // 2) + 2),
    ]
    return tuple(places[: network.params.probes])


def _parts(network: KnownNetwork, expected: Played, got: Played) -> Iterator[tuple[str, int, Bits, Bits]]:
    """Yield what is compared: name, bits, the model's, the target's."""
    params = network.params
    yield "spikes", network.steps * params.neurons, _raster(network, expected), _raster(network, got)
    yield "probes", _WORD_BITS * expected.samples.size, _flat(expected.samples), _flat(got.samples)
    for region, words in expected.state.items():
        width = params.weight_bits if region is Region.WEIGHTS else _WORD_BITS
        yield region.name, width * words.size, _flat(words), _flat(got.state[region])
    for name, value in expected.registers.items():
        yield name, _WORD_BITS * CONTROL_REGISTERS[name].words, _flat([value]), _flat([got.registers[name]])
    for name, _ in COUNTERS:
        if name not in _OF_TIME:
            width = _COUNTER_BITS if name in WIDE_COUNTERS else params.counter_bits
            left, right = (played.counters[name] % (1 << _COUNTER_BITS) for played in (expected, got))
            yield f"counter {name}", width, _flat([left]), _flat([right])


def _raster(network: KnownNetwork, played: Played) -> Bits:
    """Return a bit for each neuron in each step."""
    raster = np.zeros((network.steps, 32 * -(-network.params.neurons // 32)), dtype=np.uint8)
    raster[played.spikes[:, 0], played.spikes[:, 1]] = 1
    return np.packbits(raster, axis=1).view(np.uint32).ravel()


def _flat(values: npt.ArrayLike) -> Bits:
    return np.asarray(values).astype(np.uint32).ravel()


def _differing_bits(left: Bits, right: Bits) -> int:
    if left.size != right.size:
        return 32 * max(left.size, right.size)
    return int(np.unpackbits((left ^ right).view(np.uint8)).sum())
