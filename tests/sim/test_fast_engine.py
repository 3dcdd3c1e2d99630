"""The fast engine gives the model's bits, in everything that can be read."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synloom.base.errors import ParameterError
from synloom.contract import ArrayParams
from synloom.contract.frames import ControlAction, RunFlag
from synloom.contract.memory_map import memory_map
from synloom.contract.regions import Region
from synloom.selftest.random_array import STYLES, random_array
from synloom.selftest.random_network import random_network
from synloom_sim.fast.array import FastArray
from synloom_sim.model import ArrayModel

LANES = (1, 2, 4, 8, 16)
BASE = ArrayParams(
    inputs=30,
    neurons=33,
    axons=21,
    lanes=16,
    neuron_lanes=1,
    accumulator_bits=15,
    delay_slots=32,
    dendritic_delays=True,
)


def pair(params):
    return ArrayModel(params), FastArray(params)


def load(arrays, contents):
    for array in arrays:
        for write in contents.writes():
            array.write(*write)


def everything(array):
    """All readable words by region, weights at their places."""
    words = {}
    for region, memory in memory_map(array.params).items():
        region_, offset, count = memory.extent()
        words[region.name] = array.read(region_, offset, count)
    return words


def assert_same(arrays):
    model, fast = (everything(array) for array in arrays)
    for name, words in model.items():
        different = np.flatnonzero(words != fast[name])
        assert different.size == 0, (name, different[:10], words[different[:10]], fast[name][different[:10]])


def run(arrays, steps, limits, flags=RunFlag(0)):
    """Run both in pieces, and compare everything after each."""
    for array in arrays:
        array.start(steps, flags)
    for limit in limits:
        done = [array.advance(limit) for array in arrays]
        assert done[0] == done[1]
        records = [array.recorder.take().tolist() for array in arrays]
        assert records[0] == records[1]
        assert_same(arrays)


@pytest.mark.parametrize("seed", range(4 * len(STYLES)))
def test_generated_arrays_give_the_models_bits(seed):
    arrays = pair(BASE)
    contents = random_array(BASE, seed, steps=24)
    load(arrays, contents)
    for array in arrays:
        assert array.push_events(contents.events.tolist())
    run(arrays, contents.steps, (1, 2, 3, 1, 7, 100))
