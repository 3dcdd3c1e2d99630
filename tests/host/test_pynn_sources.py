"""SpikeSourcePoisson runs on the array's generators where it has them."""

import numpy as np
import pytest

pytest.importorskip("pyNN")

import synloom.pynn as sim
from synloom_boards.catalogue import find_board

N, DT = 40, 0.5


@pytest.fixture(autouse=True)
def ended():
    yield
    sim.end()


def relays(cell, target="model", **options):
    """Sources, and cells that fire in each step in which their source's spikes come."""
    sim.setup(timestep=DT, target=target, rng_seed=3, **options)
    sources = sim.Population(N, cell, label="noise")
    cells = sim.Population(N, sim.IF_curr_delta(tau_refrac=0.0), label="cells")
    sim.Projection(sources, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=60.0, delay=DT))
    sources.record("spikes")
    cells.record("spikes")
    return sources, cells


def trains(population, segment=-1):
    return [np.asarray(train.magnitude) for train in population.get_data().segments[segment].spiketrains]


def image():
    return sim.state.engine.image


def same(sources, cells, until, segment=-1):
    """Check that cells fire one delay after their sources; return the number of spikes."""
    total = 0
    for mine, theirs in zip(trains(sources, segment), trains(cells, segment), strict=True):
        np.testing.assert_allclose(mine[mine + DT <= until] + DT, theirs)
        total += len(mine)
    return total


def test_spikes_of_generators_are_recorded_and_have_their_rate():
    sources, cells = relays(sim.SpikeSourcePoisson(rate=80.0))
    sim.run(4000.0)
    assert image().inputs["noise"].generator == "poisson"
    count = same(sources, cells, 4000.0)
    # Four standard deviations of a binomial count.
    assert abs(count - N * 320) < 4.0 * np.sqrt(N * 320)
    assert sources.mean_spike_count() == count / N


def test_sources_spike_from_start_on_and_for_their_duration():
    rate, begin = np.linspace(100.0, 900.0, N), np.linspace(0.0, 100.0, N).round()
    sources, cells = relays(sim.SpikeSourcePoisson(rate=rate, start=begin, duration=60.0))
    for _ in range(4):
        sim.run(50.0)
    same(sources, cells, 200.0)
    for k, train in enumerate(trains(sources)):
        assert begin[k] < train.min() <= train.max() <= begin[k] + 60.0
    counts = np.array([len(train) for train in trains(sources)])
    chance = rate * DT / 1000.0
    assert abs(counts.sum() - (rate * 0.06).sum()) < 4.0 * np.sqrt((120 * chance * (1.0 - chance)).sum())


def test_rates_may_change_in_the_middle():
    sources, _ = relays(sim.SpikeSourcePoisson(rate=0.0))
    sim.run(500.0)
    assert sources.mean_spike_count() == 0
    sources[: N // 2].set(rate=200.0)
    sim.run(1000.0)
    counts = np.array([len(train) for train in trains(sources)])
    assert not counts[N // 2 :].any()
    assert abs(counts.sum() - N / 2 * 200) < 4.0 * np.sqrt(N / 2 * 200)
    assert min(train.min() for train in trains(sources)[: N // 2]) > 500.0


def test_each_segment_has_random_numbers_of_its_own():
    sources, cells = relays(sim.SpikeSourcePoisson(rate=80.0))
    sim.run(300.0)
    sim.reset()
    sim.run(300.0)
    assert same(sources, cells, 300.0, 0) > 500
    assert same(sources, cells, 300.0, 1) > 500
    assert trains(sources, 0)[0].tolist() != trains(sources, 1)[0].tolist()


def test_a_reset_with_generators_begins_with_the_initial_weights_and_values():
    sim.setup(timestep=1.0, target="model", rng_seed=3)
    noise = sim.Population(20, sim.SpikeSourcePoisson(rate=60.0), label="noise")
    cells = sim.Population(2, sim.IF_curr_exp(), initial_values={"v": -60.0, "isyn_exc": 2.0})
    rule = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.05), sim.AdditiveWeightDependence(w_max=0.5), weight=0.25
    )
    learning = sim.Projection(noise, cells, sim.AllToAllConnector(), rule)
    cells.record(["v", "spikes"])
    device = None
    for segment in range(3):
        sim.run(1.0)
        np.testing.assert_allclose(learning.get("weight", "array"), 0.25, atol=0.5 / 127)
        sim.run(500.0)
        assert np.abs(learning.get("weight", "array") - 0.25).max() > 0.05
        v = cells.get_data().segments[segment].filter(name="v")[0].magnitude
        assert v[:2, 0] == pytest.approx(v[:2, 1])
        assert v[0, 0] == -60.0
        assert v[1, 0] > -60.0 + 1.0
        device = device or sim.state.engine.device
        # The connection stays, and with it a board's line.
        assert sim.state.engine.device is device
        sim.reset()


def test_other_parameters_may_change_without_another_stream_of_numbers():
    spikes = []
    for changes in (False, True):
        sources, cells = relays(sim.SpikeSourcePoisson(rate=80.0))
        sim.run(300.0)
        if changes:
            cells.set(tau_m=7.0)  # needs another compilation
        sim.run(300.0)
        same(sources, cells, 600.0)
        spikes.append([train.tolist() for train in trains(sources)])
    assert spikes[0] == spikes[1]


def test_model_and_fast_engine_have_the_same_spikes_and_seeds_others():
    found = []
    for target, seed in (("model", 3), ("fast", 3), ("fast", 4)):
        sources, _ = relays(sim.SpikeSourcePoisson(rate=80.0), target)
        sim.state.seed = seed
        sim.run(200.0)
        found.append([train.tolist() for train in trains(sources)])
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("options", [{"generators": False}, {"board": "icebreaker"}])
def test_where_there_are_no_generators_the_host_draws(options, monkeypatch):
    def without(board):
        return find_board(board).array.replace(generators=False)

    monkeypatch.setattr("synloom.pynn.targets._array_of", without)
    sources, cells = relays(sim.SpikeSourcePoisson(rate=80.0, start=100.0, duration=300.0), **options)
    sim.run(1000.0)
    assert image().inputs["noise"].generator is None
    count = same(sources, cells, 1000.0)
    assert abs(count - N * 24) < 4.0 * np.sqrt(N * 24)


def test_other_sources_are_drawn_by_the_host():
    sources, cells = relays(sim.SpikeSourcePoissonRefractory(rate=80.0, tau_refrac=5.0))
    sim.run(500.0)
    assert image().inputs["noise"].generator is None
    assert same(sources, cells, 500.0) > 1000
    assert min(np.diff(train).min() for train in trains(sources)) >= 5.0 - DT


@pytest.mark.parametrize("rate", [2500.0, -1.0])
def test_rates_that_cannot_be_are_refused_on_the_chip_too(rate):
    sources, _ = relays(sim.SpikeSourcePoisson(rate=rate))
    with pytest.raises(sim.errors.InvalidParameterValueError, match="rates of 'noise' must be in"):
        sim.run(1.0)
    assert sources.get("rate") == rate


@pytest.mark.slow
def test_the_simulated_board_has_the_same_spikes_of_generators():
    found = []
    for target in ("sim", "model"):
        sources, cells = relays(sim.SpikeSourcePoisson(rate=80.0, start=50.0), target, board="icebreaker")
        sim.run(200.0)
        assert same(sources, cells, 200.0) > 300
        found.append([train.tolist() for train in trains(sources)])
    assert found[0] == found[1]
