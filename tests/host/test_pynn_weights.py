"""Weights of PyNN's projections over time are those that pauses would show."""

import numpy as np
import pytest

pytest.importorskip("pyNN")

import synloom.pynn as sim


@pytest.fixture(autouse=True)
def ended():
    yield
    sim.end()


def learner(cell=None):
    sim.setup(timestep=1.0, target="model", rng_seed=2)
    rng = np.random.default_rng(1)
    times = [np.flatnonzero(rng.random(300) < 0.1).astype(float).tolist() for _ in range(6)]
    sources = sim.Population(6, sim.SpikeSourceArray(spike_times=times))
    cells = sim.Population(4, cell or sim.IF_curr_exp(tau_refrac=2.0, i_offset=0.9))
    rule = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.05, A_minus=0.05),
        sim.AdditiveWeightDependence(w_max=0.8),
        weight=0.4,
        delay=1.0,
    )
    return sim.Projection(sources, cells, sim.FixedProbabilityConnector(0.7, rng=sim.NumpyRNG(1)), rule)


def signal(learning, segment=-1):
    return learning.get_data().segments[segment].analogsignals[0]


@pytest.mark.filterwarnings("ignore:.*0 ms are taken")
def test_samples_are_the_weights_at_their_times():
    learning = learner()
    learning.record("weight", sampling_interval=20.0)
    sim.run(70.0)
    sim.run(50.0)
    found = signal(learning)
    assert found.times.rescale("ms").magnitude.tolist() == [0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0]
    assert found.units.dimensionality.string == "nA"

    other = learner()
    for k in range(7):
        wanted = other.get(["weight"], format="list")
        assert found.array_annotations["presynaptic_index"].tolist() == [int(row[0]) for row in wanted]
        assert found.array_annotations["postsynaptic_index"].tolist() == [int(row[1]) for row in wanted]
        if k:
            np.testing.assert_array_equal(found.magnitude[k], [row[2] for row in wanted])
        sim.run(20.0)
    assert np.abs(found.magnitude[0] - 0.4).max() <= 0.4 / 127
    assert (found.magnitude[0] != found.magnitude[-1]).any()


@pytest.mark.filterwarnings("ignore:.*0 ms are taken")
def test_each_segment_has_its_samples_and_recording_may_begin_later():
    learning = learner()
    sim.run(30.0)
    learning.record("weights", sampling_interval=25.0)
    sim.run(30.0)
    assert signal(learning).times.rescale("ms").magnitude.tolist() == [30.0, 55.0]
    sim.reset()
    sim.run(60.0)
    assert signal(learning, 0).times.rescale("ms").magnitude.tolist() == [30.0, 55.0]
    assert signal(learning, 1).times.rescale("ms").magnitude.tolist() == [0.0, 25.0, 50.0]


@pytest.mark.filterwarnings("ignore:.*0 ms are taken")
def test_weights_of_delta_synapses_are_in_mv():
    learning = learner(sim.IF_curr_delta())
    learning.record("weight", sampling_interval=1.0)
    sim.run(3.0)
    assert signal(learning).units.dimensionality.string == "mV"
    assert signal(learning).shape == (4, len(learning))


@pytest.mark.parametrize("interval", [0.5, 1.5, 0.0, -1.0, float("nan"), "often", None])
def test_wrong_intervals_and_variables_are_refused(interval):
    learning = learner()
    with pytest.raises(sim.errors.InvalidParameterValueError, match="multiple of the time step"):
        learning.record("weight", sampling_interval=interval)
    with pytest.raises(sim.errors.InvalidParameterValueError, match="not 'delay'"):
        learning.record("delay", sampling_interval=1.0)
    with pytest.raises(RuntimeError, match="no weights were recorded"):
        learning.get_data()
