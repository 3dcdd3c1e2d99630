"""Noise after resets, times off the grid, changes between runs, wrong values, and currents that clip."""

import numpy as np
import pytest

pytest.importorskip("pyNN")

from pyNN import errors

import synloom.pynn as sim
from synloom.base.warning import SynloomWarning


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


# ---- times off the grid ------------------------------------------------------------------------------


@pytest.mark.parametrize(("dt", "delay", "held"), [(1.0, 1.3, 1.0), (0.1, 0.15, 0.2), (1.0, 2.5, 3.0)])
def test_delays_off_the_grid_are_moved_with_a_warning(dt, delay, held):
    sim.setup(timestep=dt, min_delay=dt, target="model")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    cells = sim.Population(2, sim.IF_curr_delta())
    with pytest.warns(errors.RoundingWarning, match=r"2 of 2 delays of 'feed' are between steps"):
        links = sim.Projection(
            source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=60.0, delay=delay), label="feed"
        )
    assert links.get("delay", "list", with_address=False) == pytest.approx([held] * 2)
    cells.record("spikes")
    sim.run(10.0)
    assert times(cells)[0] == pytest.approx(5.0 + held)
    sim.reset()
    with pytest.warns(errors.RoundingWarning, match="delays"):
        links.set(delay=delay)


def test_currents_off_the_grid_are_moved_with_a_warning():
    cells = sim.Population(1, sim.IF_curr_exp())
    with pytest.warns(errors.RoundingWarning, match="start of a DCSource"):
        constant = sim.DCSource(amplitude=0.1, start=2.5, stop=6.0)
    with pytest.warns(errors.RoundingWarning, match="2 of 3 values of times of a StepCurrentSource"):
        steps = sim.StepCurrentSource(times=[1.2, 4.0, 6.5], amplitudes=[0.1, 0.2, 0.3])
    for source in (constant, steps):
        source.inject_into(cells)
        source.record()
    sim.run(9.0)
    assert constant.get_data().magnitude[:9, 0].tolist() == [0, 0, 0, 0.1, 0.1, 0.1, 0, 0, 0]
    assert steps.get_data().magnitude[:9, 0].tolist() == [0, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.3, 0.3]


@pytest.mark.parametrize("generators", [True, False])
def test_starts_and_ends_of_random_sources_off_the_grid_are_moved_with_a_warning(generators):
    sim.setup(timestep=1.0, target="model", generators=generators)
    with pytest.warns(errors.RoundingWarning, match="1 of 1 starts of 'noise'"):
        source = sim.Population(
            1, sim.SpikeSourcePoisson(rate=1000.0, start=2.5, duration=3.5), label="noise"
        )
    with pytest.warns(errors.RoundingWarning, match=r"1 of 1 ends \(start \+ duration\)"):
        source.set(start=3.0)
    cells = sim.Population(1, sim.IF_curr_delta())
    sim.Projection(source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0))
    source.record("spikes")
    sim.run(10.0)
    # From the end of the first step after 3 ms up to 7 ms, to which 6.5 ms is moved.
    assert times(source).tolist() == [4.0, 5.0, 6.0, 7.0]


def test_a_run_that_ends_between_steps_goes_to_the_nearest_one_with_a_warning():
    with pytest.warns(errors.RoundingWarning, match="until which a run goes"):
        sim.run(2.5)
    assert sim.get_current_time() == 3.0


def test_a_spike_at_0_that_meets_another_one_is_recorded_as_it_acts():
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[0.0, 1.0, 4.0]), label="listed")
    cell = sim.Population(1, sim.IF_curr_delta(tau_refrac=0.0))
    sim.Projection(source, cell, sim.OneToOneConnector(), sim.StaticSynapse(weight=60.0, delay=1.0))
    source.record("spikes")
    cell.record("spikes")
    with (
        pytest.warns(errors.RoundingWarning, match="1 spikes of 'listed' at 0 ms"),
        pytest.warns(errors.RoundingWarning, match="1 spikes of 'listed' share a step"),
    ):
        sim.run(8.0)
    assert times(source).tolist() == [1.0, 4.0]
    assert times(cell).tolist() == [2.0, 5.0]
    assert source.mean_spike_count() == 2


# ---- changes between runs ----------------------------------------------------------------------------


def counts(population, begin, end):
    trains = population.get_data().segments[-1].spiketrains
    return sum(int(((t.magnitude > begin) & (t.magnitude <= end)).sum()) for t in trains)


def test_rates_of_renewal_sources_change_between_runs():
    refractory = sim.Population(50, sim.SpikeSourcePoissonRefractory(rate=0.0, tau_refrac=2.0))
    gamma = sim.Population(50, sim.SpikeSourceGamma(alpha=2.0, beta=0.1))
    for sources in (refractory, gamma):
        sources.record("spikes")
    sim.run(100.0)
    assert counts(refractory, 0.0, 100.0) == 0
    refractory.set(rate=100.0)
    gamma.set(beta=100.0)
    sim.run(1000.0)
    # Means of rate * time, five standard deviations of a Poisson number, which vary more than these.
    assert abs(counts(refractory, 100.0, 1100.0) - 5000) < 5.0 * np.sqrt(5000)
    assert abs(counts(gamma, 100.0, 1100.0) - 2500) < 5.0 * np.sqrt(2500)
    refractory[:25].set(rate=0.0)
    sim.run(200.0)
    late = [len(t.magnitude[t.magnitude > 1100.0]) for t in refractory.get_data().segments[-1].spiketrains]
    assert sum(late[:25]) == 0
    assert abs(sum(late[25:]) - 500) < 5.0 * np.sqrt(500)


@pytest.mark.parametrize(
    "cell", [sim.SpikeSourcePoissonRefractory(rate=200.0), sim.SpikeSourceGamma(beta=400.0)]
)
def test_starts_of_renewal_sources_change_between_runs(cell):
    sources = sim.Population(20, cell)
    sources.record("spikes")
    sim.run(500.0)
    sources.set(start=600.0, duration=400.0)
    sim.run(1000.0)
    assert counts(sources, 500.0, 600.0) == counts(sources, 1000.0, 1500.0) == 0
    assert counts(sources, 0.0, 500.0) > 1000
    assert counts(sources, 600.0, 1000.0) > 1000


def test_what_does_not_change_draws_nothing_anew():
    def spikes(is_set):
        sim.setup(timestep=1.0, target="model", rng_seed=5)
        sources = sim.Population(10, sim.SpikeSourceGamma(alpha=2.0, beta=100.0))
        sources.record("spikes")
        for length in (100.0, 150.0, 250.0):
            sim.run(length)
            if is_set:
                sources.set(beta=100.0)
        return [times(sources, k).tolist() for k in range(10)]

    assert spikes(False) == spikes(True)


def test_cells_that_come_after_a_run_of_sources_alone_are_refused():
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    sim.run(10.0)
    with pytest.raises(errors.ConnectionError, match=r"populations cannot be added.*reset\(\)"):
        sim.Population(1, sim.IF_curr_exp(i_offset=3.0))
    sim.reset()
    cells = sim.Population(1, sim.IF_curr_exp(i_offset=3.0))
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    cells.record(["spikes", "v"])
    sim.run(20.0)
    data = cells.get_data().segments[-1]
    assert np.isfinite(data.filter(name="v")[0].magnitude).all()
    assert len(data.spiketrains[0]) > 0


# ---- wrong values ------------------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: sim.DCSource(start=NAN), "start"), (lambda: sim.DCSource(amplitude=INF), "amplitude"),
        (lambda: sim.ACSource(stop=NAN), "stop"), (lambda: sim.NoisyCurrentSource(dt=NAN), "dt"),
        (lambda: sim.StepCurrentSource(times=[1.0, NAN], amplitudes=[1.0, 2.0]), "times"),
        (lambda: sim.StepCurrentSource(times=5.0, amplitudes=1.0), "times"),
        (lambda: sim.run(NAN), "simtime"), (lambda: sim.run(INF), "simtime"),
        (lambda: sim.run("a"), "simtime"),
        (lambda: sim.run_until(NAN), "time_point"),
        (lambda: sim.run(NAN, callbacks=[lambda t: t + 1.0]), "simtime"),
        (lambda: sim.setup(timestep="a"), "timestep"), (lambda: sim.setup(max_delay="a"), "max_delay"),
        (lambda: sim.setup(min_delay="a"), "min_delay"), (lambda: sim.setup(min_delay=None), "min_delay"),
        (lambda: sim.setup(board=3), "board"),
        (lambda: sim.Population(1, sim.SpikeSourceArray(spike_times=5.0)), "spike_times"),
        (lambda: sim.Population(1, sim.SpikeSourceArray(spike_times=None)), "spike_times"),
        (lambda: sim.Population(1, sim.SpikeSourceGamma(alpha=0.0)), "alpha"),
        (lambda: sim.Population(1, sim.SpikeSourceGamma(alpha=-1.0)), "alpha"),
        (lambda: sim.Population(2, sim.SpikeSourceGamma(beta=[1.0, 0.0])), "beta"),
        (lambda: sim.Population(1, sim.SpikeSourceGamma(alpha=1, beta=2e3)), "beta / alpha"),
        (lambda: sim.Population(1, sim.SpikeSourcePoissonRefractory(rate=-1.0)), "rate"),
        (lambda: sim.Population(1, sim.SpikeSourcePoissonRefractory(rate=1e6)), "rate"),
        (lambda: sim.Population(1, sim.SpikeSourcePoissonRefractory(tau_refrac=-1.0)), "tau_refrac"),
        (lambda: sim.Population(1, sim.SpikeSourcePoissonRefractory(rate=200.0, tau_refrac=5.0)), "rate"),
    ],
)  # fmt: skip
def test_wrong_values_are_one_line_of_pynns_error(wrong, named):
    with pytest.raises(errors.InvalidParameterValueError, match=named) as raised:
        wrong()
    assert "\n" not in str(raised.value)


def test_a_wrong_rate_changes_nothing():
    sources = sim.Population(2, sim.SpikeSourcePoissonRefractory(rate=100.0, tau_refrac=5.0))
    with pytest.raises(errors.InvalidParameterValueError, match="below 1000 / tau_refrac"):
        sources.set(rate=300.0)
    assert sources.get("rate") == 100.0


# ---- currents that clip ------------------------------------------------------------------------------


def volley(sources, **initial):
    given = sim.Population(sources, sim.SpikeSourceArray(spike_times=[5.0]))
    cell = sim.Population(1, sim.IF_curr_exp(), label="cell")
    sim.Projection(given, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=1.0))
    cell.record("isyn_exc")
    cell.initialize(**initial)
    return cell


def test_currents_that_clip_are_warned_of_once():
    cell = volley(1000)
    with pytest.warns(SynloomWarning, match=r"clipped \(1 state_saturations\).*use smaller weights"):
        sim.run(20.0)
    # In full the current at 7 ms, two steps after the volley was sent, were 1000 nA, less its decay.
    assert cell.get_data().segments[0].analogsignals[0].magnitude.max() < 1000.0 * np.exp(-1.0 / 5.0)
    sim.run(20.0)  # a second warning would be an error


def test_currents_within_the_range_cause_no_warning():
    cell = volley(10)
    sim.run(20.0)
    assert 0.0 < cell.get_data().segments[0].analogsignals[0].magnitude.max() <= 10.0


def test_initial_currents_that_clip_are_warned_of():
    volley(1, isyn_exc=1e6)
    with pytest.warns(SynloomWarning, match=r"initialize\(isyn_exc=1e\+06\) of 'cell' .* 1 of 1 values"):
        sim.run(1.0)


@pytest.mark.parametrize("dt", [0.3, 0.7, 7.0])
def test_sources_without_end_cause_no_warning_whatever_the_step(dt):
    sim.setup(timestep=dt, min_delay=dt, target="model")
    cells = sim.Population(1, sim.IF_curr_exp(tau_refrac=dt))
    for source in (sim.DCSource(amplitude=0.1), sim.ACSource(amplitude=0.1), sim.DCSource(stop=float("inf"))):
        source.inject_into(cells)
    sources = sim.Population(1, sim.SpikeSourcePoisson(rate=500.0 / dt))
    sources.record("spikes")
    sim.run(100 * dt)
    # Five standard deviations of a binomial number.
    assert abs(sources.mean_spike_count() - 50) < 5.0 * 5.0
