"""The PyNN backend against a float loop with NEST's conventions, and its control of runs."""

import numpy as np
import pytest

pytest.importorskip("pyNN")

from pyNN import errors

import synloom.pynn as sim

TAU_M, CM, TAU_SYN, REST, RESET, THRESHOLD, REFRACTORY = 10.0, 0.5, 4.0, -65.0, -62.0, -50.0, 2.0
CELL = {
    "tau_m": TAU_M, "cm": CM, "tau_syn_E": TAU_SYN, "tau_syn_I": TAU_SYN, "v_rest": REST, "v_reset": RESET,
    "v_thresh": THRESHOLD, "tau_refrac": REFRACTORY,
}  # fmt: skip


@pytest.fixture(autouse=True)
def ended():
    yield
    sim.end()


def float_loop(arrivals, steps, dt, offset=None, start=REST, threshold=THRESHOLD):
    """V (steps + 1,) and labels of spikes, in PyNN's conventions.

    `arrivals` is the weight that arrives at the end of each step (steps + 1,), in nA; `offset` (steps,) nA.
    A neuron's current jumps at the end of a step and acts on V from the next step on.
    """
    leak, decay = np.exp(-dt / TAU_M), np.exp(-dt / TAU_SYN)
    gain = TAU_SYN * TAU_M / (CM * (TAU_M - TAU_SYN)) * (leak - decay)
    v, current, wait, fired = start - REST, 0.0, 0, []
    trace = [start]
    for k in range(steps):
        moved = v * leak + gain * current
        if offset is not None:
            moved += offset[k] * TAU_M / CM * (1.0 - leak)
        current = current * decay + arrivals[k + 1]
        if wait:
            wait -= 1
        else:
            v = moved
            if v >= threshold - REST:
                fired.append(k + 1)
                v, wait = RESET - REST, round(REFRACTORY / dt)
        trace.append(v + REST)
    return np.array(trace), np.array(fired)


def potentials(cells):
    return cells.get_data().segments[-1].filter(name="v")[0].magnitude


def times(cells, index=0):
    return np.asarray(cells.get_data("spikes").segments[-1].spiketrains[index].magnitude)


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("target", ["model", "fast"])
def test_potentials_and_spikes_are_those_of_a_float_loop(target, dt):
    sim.setup(timestep=dt, target=target)
    given = [3.0, 4.0, 9.0, 20.0, 21.0, 22.0]
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=given))
    first = sim.Population(1, sim.IF_curr_exp(**CELL), initial_values={"v": -58.0})
    second = sim.Population(1, sim.IF_curr_exp(**CELL))
    one = sim.OneToOneConnector()
    sim.Projection(source, first, one, sim.StaticSynapse(weight=2.0, delay=2.0))
    sim.Projection(first, second, one, sim.StaticSynapse(weight=4.0, delay=3.0))
    first.record(["spikes", "v"])
    second.record(["spikes", "v"])
    steps = round(40.0 / dt)
    sim.run(40.0)
    arrivals = np.zeros(steps + 100)
    arrivals[np.rint((np.array(given) + 2.0) / dt).astype(int)] = 2.0
    wanted, fired = float_loop(arrivals, steps, dt, start=-58.0)
    assert len(fired) >= 2
    np.testing.assert_allclose(times(first), fired * dt, atol=1e-9)
    np.testing.assert_allclose(potentials(first)[:, 0], wanted, atol=0.005)
    arrivals = np.zeros(steps + 100)
    arrivals[fired + round(3.0 / dt)] = 4.0
    wanted, fired = float_loop(arrivals, steps, dt)
    np.testing.assert_allclose(times(second), fired * dt, atol=1e-9)
    np.testing.assert_allclose(potentials(second)[:, 0], wanted, atol=0.005)


def test_a_delta_synapse_acts_at_the_end_of_the_step_in_which_the_spike_arrives():
    sim.setup(timestep=0.1, target="model")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[2.0]))
    cells = sim.Population(2, sim.IF_curr_delta(tau_m=10.0))
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=5.0, delay=1.5))
    cells.record("v")
    sim.run(5.0)
    v = potentials(cells)[:, 1]
    assert v[34] == -65.0
    assert v[35] == -60.0
    assert v[36] == pytest.approx(-65.0 + 5.0 * np.exp(-0.01), abs=1e-4)


def test_runs_in_parts_are_one_run():
    def spikes(parts):
        sim.setup(timestep=0.1, target="fast", rng_seed=3)
        noise = sim.Population(20, sim.SpikeSourcePoisson(rate=100.0))
        cells = sim.Population(5, sim.IF_curr_exp(tau_m=10.0))
        connector = sim.FixedProbabilityConnector(0.5, rng=sim.NumpyRNG(seed=4))
        sim.Projection(noise, cells, connector, sim.StaticSynapse(weight=1.0, delay=0.7))
        source = sim.NoisyCurrentSource(mean=0.3, stdev=0.2, start=5.0, stop=60.0, dt=0.5)
        cells.inject(source)
        cells.record(["spikes", "v"])
        for part in parts:
            sim.run(part)
        return potentials(cells), [times(cells, k) for k in range(5)]

    whole, parts = spikes([80.0]), spikes([0.1, 20.0, 33.3, 26.6])
    assert sum(map(len, whole[1])) > 10
    np.testing.assert_array_equal(whole[0], parts[0])
    for ours, theirs in zip(whole[1], parts[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_callbacks_are_called_when_they_ask_for_it():
    sim.setup(timestep=0.1, target="model")
    cells = sim.Population(1, sim.IF_curr_exp(i_offset=0.1))
    cells.record("v")
    called = []

    def callback(t):
        called.append(t)
        return t + 2.0

    sim.run(5.0, callbacks=[callback])
    assert called == pytest.approx([0.0, 2.0, 4.0, 5.0])
    assert sim.get_current_time() == pytest.approx(5.0)
    sim.run_until(7.5)
    assert potentials(cells).shape == (76, 1)
    with pytest.raises(ValueError, match="past"):
        sim.run_until(3.0)


def test_reset_begins_a_segment_with_the_initial_weights_and_values():
    sim.setup(timestep=1.0, target="model")
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[[2.0, 10.0], [4.0]]))
    start = {"v": [-60.0, -64.0], "isyn_exc": [1.0, 0.0]}
    cells = sim.Population(2, sim.IF_curr_exp(tau_m=10.0), initial_values=start)
    rule = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.05, A_minus=0.06), sim.AdditiveWeightDependence(w_max=8.0), weight=6.0
    )
    learning = sim.Projection(source, cells, sim.AllToAllConnector(), rule)
    cells.record(["v", "spikes"])
    lsb = 8.0 / 127
    for _ in range(3):
        np.testing.assert_allclose(learning.get("weight", "array"), 6.0, atol=lsb)
        sim.run(30.0)
        assert (np.abs(learning.get("weight", "array") - 6.0) > 2 * lsb).any()
        sim.reset()
    assert sim.get_current_time() == 0.0
    segments = cells.get_data().segments
    assert [segment.name for segment in segments] == ["segment000", "segment001", "segment002"]
    first = segments[0].filter(name="v")[0].magnitude
    assert first[0].tolist() == [-60.0, -64.0]
    for segment in segments[1:]:
        np.testing.assert_array_equal(segment.filter(name="v")[0].magnitude, first)


def test_data_may_be_taken_in_pieces():
    sim.setup(timestep=0.5, target="model")
    cells = sim.Population(3, sim.IF_curr_exp(i_offset=1.2, tau_refrac=0.5))
    cells.record(["v", "spikes"], sampling_interval=1.0)
    pieces = []
    for _ in range(2):
        sim.run(30.0)
        pieces.append(cells.get_data(clear=True).segments[0])
    v = [piece.filter(name="v")[0] for piece in pieces]
    assert [part.shape for part in v] == [(31, 3), (31, 3)]
    assert float(v[1].t_start) == 30.0
    assert v[0].magnitude[-1].tolist() == v[1].magnitude[0].tolist()
    trains = [piece.spiketrains[1].magnitude for piece in pieces]
    assert len(trains[0])
    assert trains[0].max() <= 30.0
    assert trains[1].min() > 30.0


def test_a_spike_at_the_end_of_a_run_belongs_to_it():
    sim.setup(timestep=0.5, target="model")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0, 5.5]))
    source.record("spikes")
    sim.run(5.0)
    assert times(source).tolist() == [5.0]
    source.get_data(clear=True)
    sim.run(5.0)
    assert times(source).tolist() == [5.5]


def test_weights_are_read_back_as_the_array_holds_them():
    sim.setup(timestep=1.0, target="model")
    cells = sim.Population(3, sim.IF_curr_exp())
    wanted = np.array([[0.5, 1.0, 0.013], [0.77, 0.25, 0.1], [0.3, 0.2, 0.9]])
    links = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=wanted))
    np.testing.assert_array_equal(links.get("weight", "array"), wanted)
    sim.run(1.0)
    held = links.get("weight", "array")
    assert np.abs(held - wanted).max() < 0.5 * 1.0 / 127 * 1.01
    assert np.abs(held - wanted).max() > 0.0
    sim.end()
    np.testing.assert_array_equal(links.get("weight", "array"), held)
    assert len(sim.report().notes) >= 0


def test_everything_that_may_change_in_the_middle_changes_in_the_middle():
    """Three changes that take the three ways: written at once, compiled again, and currents."""
    dt, steps = 0.1, 600
    sim.setup(timestep=dt, target="model")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 19.8, 39.9]))
    cells = sim.Population(1, sim.IF_curr_exp(**(CELL | {"v_thresh": 0.0})))
    links = sim.Projection(source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0, delay=1.0))
    cells.record(["v", "isyn_exc"])
    sim.run(20.0)
    links.set(weight=3.0)
    sim.run(20.0)
    cells.set(cm=CM, i_offset=0.2)
    cells.initialize(v=-60.0)
    sim.run(20.0)
    arrivals = np.zeros(steps + 1)
    arrivals[[20, 208, 409]] = 1.0, 3.0, 3.0
    offset = np.where(np.arange(steps) < 400, 0.0, 0.2)
    wanted, _ = float_loop(arrivals, steps, dt, offset, threshold=0.0)
    found = potentials(cells)[:, 0]
    # The weight that is in a spike counts when the spike arrives.
    np.testing.assert_allclose(found[:401], wanted[:401], atol=0.005)
    jump = (-60.0 - wanted[400]) * np.exp(-dt * np.arange(1, 201) / TAU_M)
    np.testing.assert_allclose(found[401:], wanted[401:] + jump, atol=0.005)


def test_threshold_and_offset_change_without_another_compilation():
    sim.setup(timestep=1.0, target="model")
    cells = sim.Population(2, sim.IF_curr_exp(i_offset=0.5))
    cells.record("spikes")
    sim.run(100.0)
    assert cells.get_spike_counts() == {int(cell): 0 for cell in cells}
    cells[0:1].set(i_offset=1.0)
    cells[1:2].set(v_thresh=-60.0)
    sim.run(100.0)
    assert all(count > 0 for count in cells.get_spike_counts().values())


def test_several_setups_in_one_process_are_apart():
    for label in ("one", "two"):
        sim.setup(timestep=1.0, target="model")
        assert sim.get_time_step() == 1.0
        cells = sim.Population(2, sim.IF_curr_exp(i_offset=1.0), label=label)
        cells.record("spikes")
        sim.run(50.0)
        assert cells.mean_spike_count() == 1.0
    assert sim.rank() == 0
    assert sim.num_processes() == 1


def test_delays_are_told_as_they_are_used():
    sim.setup(timestep=0.1)
    assert (sim.get_min_delay(), sim.get_max_delay()) == (0.1, 0.1)
    cells = sim.Population(4, sim.IF_curr_exp())
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay="0.5+d"))
    assert sim.get_min_delay() == pytest.approx(0.5)
    assert sim.get_max_delay() == pytest.approx(3.5)
    with pytest.raises(errors.ConnectionError, match=r"at least 0\.1 ms"):
        sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(delay=0.01))


def test_sources_alone_need_no_array():
    sim.setup(timestep=0.1)
    sources = sim.Population(
        3, sim.SpikeSourcePoisson(rate=[50.0, 100.0, 200.0], start=1000.0, duration=8000.0)
    )
    sources.record("spikes")
    sim.run(10000.0)
    for k, rate in enumerate((50.0, 100.0, 200.0)):
        train = times(sources, k)
        assert train.min() > 1000.0
        assert train.max() <= 9000.0
        # Six standard deviations of a Poisson number.
        assert abs(len(train) - 8.0 * rate) < 6.0 * np.sqrt(8.0 * rate)


def test_times_between_steps_are_moved_with_a_warning():
    sim.setup(timestep=1.0, target="model")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[2.4, 5.5]))
    source.record("spikes")
    with pytest.warns(errors.RoundingWarning, match="2 of 2 spike times"):
        sim.run(10.0)
    assert times(source).tolist() == [2.0, 6.0]


def test_spike_times_out_of_order_are_refused_and_change_nothing():
    sim.setup(target="model")
    with pytest.raises(errors.InvalidParameterValueError, match="ascending"):
        sim.Population(2, sim.SpikeSourceArray(spike_times=[[2.4, 4.8], [9.6, 8.3]]))
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0, 2.0]))
    with pytest.raises(errors.InvalidParameterValueError, match="ascending"):
        source.set(spike_times=[3.0, 2.0])
    source.record("spikes")
    sim.run(5.0)
    assert times(source).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("timing", "hop"), [("nest", 3.0), ("spinnaker", 2.0)])
def test_a_hop_takes_its_delay_and_with_the_timing_of_nest_a_step_more(timing, hop):
    sim.setup(timestep=1.0, target="model", timing=timing)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[5.0]))
    chain = [sim.Population(1, sim.IF_curr_exp(tau_refrac=20.0)) for _ in range(3)]
    for before, after in zip([source, *chain], chain, strict=False):
        sim.Projection(before, after, sim.OneToOneConnector(), sim.StaticSynapse(weight=60.0, delay=2.0))
        after.record("spikes")
    sim.run(20.0)
    assert [times(cells).tolist() for cells in chain] == [[5.0 + k * hop] for k in (1, 2, 3)]


def test_a_spike_carries_the_weight_from_before_the_depression_that_it_causes():
    sim.setup(timestep=1.0, target="model")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[30.0]))
    cell = sim.Population(1, sim.IF_curr_exp(v_thresh=-40.0, tau_syn_E=4.0))
    rule = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=1.0, A_minus=1.0), sim.AdditiveWeightDependence(w_max=1.0), weight=1.0
    )
    learning = sim.Projection(source, cell, sim.AllToAllConnector(), rule)
    cell.inject(sim.DCSource(amplitude=1000.0, start=26.0, stop=27.0))
    cell.record(["isyn_exc", "spikes"])
    sim.run(40.0)
    assert times(cell).tolist() == [27.0]
    current = cell.get_data("isyn_exc").segments[0].analogsignals[0].magnitude[:, 0]
    assert current.max() == pytest.approx(np.exp(-1.0 / 4.0), abs=0.01)
    assert learning.get("weight", "array").item() == pytest.approx(1.0 - np.exp(-2.0 / 20.0), abs=0.01)
