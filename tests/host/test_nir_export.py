"""Networks become NIR graphs and come back with every parameter."""

import warnings

import nir
import numpy as np
import pytest

import synloom as sl
from synloom_sim.nir.bars import same_after_a_round

RNG = np.random.default_rng(4)


def delta():
    network = sl.Network(dt=0.5, seed=9)
    source = network.add(sl.PoissonInput(6, rate=np.arange(6.0) * 10.0, label="source"))
    clock = network.add(sl.RegularInput(2, rate=25.0, label="clock"))
    cell = sl.LIF(
        tau_m=np.linspace(8.0, 30.0, 5),
        cm=0.3,
        v_rest=-66.0,
        v_reset=-70.0,
        v_thresh=np.linspace(-52.0, -48.0, 5),
        tau_refrac=2.5,
        i_offset=np.linspace(-0.1, 0.4, 5),
        tau_syn_E=0.0,
        tau_syn_I=0.0,
        theta_plus=0.5,
        tau_theta=300.0,
        reset_mode="subtract",
        refractory_mode="integrate",
    )
    cells = network.add(sl.Population(5, cell, label="cells", v_init=-60.0, theta_init=1.0, v_range=80.0))
    delays = RNG.integers(1, 9, (5, 5)) * 0.5
    network.add(sl.Projection(source, cells, sl.FixedProbability(0.6), weight=sl.Uniform(0.5, 4.0)))
    network.add(sl.Projection(clock, cells, sl.AllToAll(), weight=3.0, delay=[1.0, 2.5], label="tick"))
    network.add(sl.Projection(cells, cells, sl.AllToAll(), weight=-1.5, delay=delays, label="back"))
    return network


def exponential():
    network = sl.Network(dt=0.1, seed=2)
    times = [[1.0, 4.0], [], [2.5]]
    source = network.add(sl.InputPopulation(3, spike_times=times, label="source"))
    cell = sl.LIF(tau_syn_E=4.0, tau_syn_I=4.0, i_offset=0.3)
    first = network.add(sl.Population(4, cell, label="first"))
    second = network.add(sl.Population(3, sl.LIF(tau_syn_E=2.0, tau_syn_I=2.0), label="second"))
    network.add(sl.Projection(source, first, sl.AllToAll(), weight=sl.Normal(1.0, 0.4), label="a"))
    network.add(sl.Projection(first, second, sl.AllToAll(), weight=0.7, delay=3.0, label="b"))
    network.add(sl.Projection(first, second, sl.AllToAll(), weight=0.1, delay=3.0, label="c"))
    network.add(sl.Projection(second, first, sl.AllToAll(), weight=-0.5))
    return network


def integrators():
    network = sl.Network(dt=1.0)
    source = network.add(sl.InputPopulation(2, label="source"))
    cell = sl.LIF(tau_m=float("inf"), cm=2.0, tau_syn_E=0.0, tau_syn_I=0.0, i_offset=0.5)
    cells = network.add(sl.Population(2, cell, label="cells"))
    driven = network.add(sl.Population(2, cell, label="driven by its current alone"))
    network.add(sl.Projection(source, cells, sl.OneToOne(), weight=4.0))
    network.add(sl.Projection(driven, cells, sl.OneToOne(), weight=2.0))
    return network


@pytest.mark.parametrize("make", [delta, exponential])
def test_a_network_comes_back_with_every_parameter(make, tmp_path):
    network = make()
    assert same_after_a_round(network)
    with pytest.warns(sl.SynloomWarning, match="NIR has no words for"):
        graph = sl.to_nir(network)
    nir.write(tmp_path / "network.nir", graph)
    back = sl.from_nir(tmp_path / "network.nir").network
    assert (back.dt, back.seed) == (network.dt, network.seed)
    assert [p.label for p in back.populations] == [p.label for p in network.populations]
    for one, other in zip(network.populations, back.populations, strict=True):
        for name, values in one.cell.values(one.n).items():
            assert other.cell.values(one.n)[name] == pytest.approx(values, rel=1e-12), name
    times = [[list(c) for c in part.spike_times] for part in network.inputs]
    assert [[list(c) for c in part.spike_times] for part in back.inputs] == times


def test_integrators_come_back_relative_to_their_rest():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = sl.from_nir(sl.to_nir(integrators())).network
    runs = []
    for network in (integrators(), back):
        with sl.connect("model", sl.compile(network)) as device:
            device.inject("source", [(3.0, 0), (9.0, 1)])
            runs.append(device.run(150.0).raster("cells"))
    assert runs[0].sum() > 4
    assert np.array_equal(*runs)


def test_the_rest_of_integrators_and_inputs_without_synapses_come_back(tmp_path):
    network = integrators()
    network.add(sl.InputPopulation(3, label="unused"))
    cell = sl.LIF(
        tau_m=np.inf, v_rest=[-65.0, -60.0], v_reset=-66.0, v_thresh=-50.0, tau_syn_E=0.0, tau_syn_I=0.0
    )
    others = network.add(sl.Population(2, cell, label="others", v_init=[-62.0, -61.0]))
    network.add(sl.Projection(network.inputs[0], others, sl.OneToOne(), weight=1.0))
    nir.write(tmp_path / "network.nir", sl.to_nir(network))
    back = sl.from_nir(tmp_path / "network.nir").network
    assert [(part.label, part.n) for part in back.inputs] == [("source", 2), ("unused", 3)]
    for one, other in zip(network.populations, back.populations, strict=True):
        assert np.array_equal(other.v_init, one.v_init)
        for name, values in one.cell.values(one.n).items():
            assert other.cell.values(one.n)[name] == pytest.approx(values, rel=1e-12), name


def test_learned_weights_can_be_exported():
    network = sl.Network(seed=1)
    source = network.add(sl.InputPopulation(3, label="source"))
    cells = network.add(sl.Population(2, sl.LIF(tau_syn_E=5.0, tau_syn_I=5.0), label="cells"))
    network.add(sl.Projection(source, cells, sl.AllToAll(), weight=0.2, plasticity=sl.STDP(), label="w"))
    learned = np.array([[0.5, np.nan], [0.25, 0.125], [0.0, 1.0]])
    with pytest.warns(sl.SynloomWarning, match="learning"):
        graph = sl.to_nir(network, weights={"w": learned})
    assert graph.nodes["w"].weight == pytest.approx(np.nan_to_num(learned).T)
    with pytest.raises(sl.ParameterError, match="shape"):
        sl.to_nir(network, weights={"w": learned.T})
    with pytest.raises(sl.ParameterError, match="no projection 'v'"):
        sl.to_nir(network, weights={"v": learned})
    for wrong, words in (
        ([1], "must be a table"),
        ({"w": "a"}, "be numbers"),
        ({"w": learned + np.inf}, "finite"),
    ):
        with pytest.raises(sl.ParameterError, match=words) as error:
            sl.to_nir(network, weights=wrong)
        assert str(error.value).isprintable()


def test_what_nir_cannot_say_is_refused():
    def network(label="cells", **cell):
        made = sl.Network()
        made.add(sl.Population(2, sl.LIF(**cell), label=label))
        return made

    for made, words in (
        (network(tau_syn_E=5.0, tau_syn_I=6.0), "one synaptic time constant"),
        (network(tau_m=float("inf")), "no integrator with tau_syn"),
        (network(label="a/b"), "no slash"),
        (network(tau_m=[10.0, float("inf")], tau_syn_E=0.0, tau_syn_I=0.0), "split neurons"),
    ):
        with pytest.raises(sl.NetworkError, match=words):
            sl.to_nir(made)
    with pytest.raises(sl.ParameterError, match="takes a Network"):
        sl.to_nir("network")
