"""Noise after resets, times off the grid, changes between runs, wrong values, and currents that clip."""

import numpy as np
import pytest

pytest.importorskip("pyNN")

from pyNN import errors

import synloom.pynn as sim


@pytest.fixture(autouse=True)
def a_new_simulation():
    sim.setup(timestep=1.0, target="model")
    yield
    sim.end()


def times(population, cell=0, segment=-1):
    return population.get_data().segments[segment].spiketrains[cell].magnitude


# ---- noise -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [None, 7])
def test_noise_goes_on_after_a_reset(seed):
    rng = None if seed is None else sim.NumpyRNG(seed=seed)
    cells = sim.Population(1, sim.IF_curr_exp())
    noise = sim.NoisyCurrentSource(mean=0.0, stdev=0.1, dt=1.0, rng=rng)
    noise.inject_into(cells)
    noise.record()
    sim.run(200.0)
    first = noise.get_data().magnitude[:200, 0]
    sim.reset()
    sim.run(200.0)
    second = noise.get_data().magnitude[:200, 0]
    # Independent streams: five standard deviations of a correlation of 200 numbers.
    assert abs(np.corrcoef(first, second)[0, 1]) < 5.0 / np.sqrt(200)
    assert 0.07 < second.std() < 0.13
