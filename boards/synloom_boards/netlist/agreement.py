"""Does a target do what the model does? A learning network runs on both, and every bit is compared."""

from __future__ import annotations

from dataclasses import replace

from synloom.contract.array_port import Port
from synloom.contract.memory_map import memory_map
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.traces import TRACES
from synloom.selftest.comparison import Agreement, Place, agreement, play
from synloom.selftest.first_difference import differences
from synloom.selftest.random_network import random_network
from synloom_sim.model_port import ModelPort

__all__ = ["compare"]


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
    network = random_network(params, seed, steps)
    probes = _probes(params)
    model = ModelPort(params)
    expected, got = play(model, network, probes), play(port, network, probes)
    found = agreement(network, expected, got)
    faults = differences(network, expected, got, model, port) if found.differing else []
    return replace(found, faults=tuple(faults))


def _probes(params: ArrayParams) -> tuple[Place, ...]:
    """Return places to look at after each step, as many as the array has probes."""
    memories, n = memory_map(params), params.neurons
    state = memories[Region.NEURON_STATE]
    places = [
        (Region.NEURON_STATE, state.offset(0)),
        (Region.WEIGHTS, memories[Region.WEIGHTS].offset(0, 0)),
        *((trace.region, memories[trace.region].offset(n // 2)) for trace in TRACES),
        (Region.NEURON_STATE, state.offset(n - 1)),
        (Region.NEURON_STATE, state.offset(n // 2, field="ie")),
    ]
    return tuple(places[: params.probes])
