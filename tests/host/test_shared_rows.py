"""Projections between the same populations: which rows they share, and that each keeps its own weights."""

import numpy as np
import pytest
from small_networks import open_model

import synloom as sl
from synloom.compiler.synapses import expand
from synloom.experiment import read_experiment
from synloom.experiment.network_builder import build_network, compile_experiment
from synloom.image.report import ReportBuilder

N_PRE, N_POST = 24, 40
RULES = {
    "static": {},
    "learning": {"plasticity": sl.STDP(A_plus=0.05, A_minus=0.04, w_max=1.0, rounding="stochastic")},
}


def parts(count, *, seed=1):
    """Weights of some matrices that have no pair in common, (N_PRE, N_POST) each, NaN where there is none."""
    rng = np.random.default_rng(seed)
    owner = rng.integers(0, count + 1, (N_PRE, N_POST))
    weights = rng.uniform(0.1, 1.0, (N_PRE, N_POST))
    return [np.where(owner == k, weights, np.nan) for k in range(count)]


def one_of(matrices):
    """The matrix that has the synapses of all."""
    return np.fmax.reduce(matrices)


def network_of(matrices, *, sources="generators", delays=(), rules=None, **options):
    """A network whose projections have these weights, and whose sources feed another population too."""
    network = sl.Network(dt=1.0, seed=4)
    pre = network.add(sl.PoissonInput(N_PRE, rate=80.0, label="in"))
    if sources == "neurons":
        inputs = pre
        pre = network.add(sl.Population(N_PRE, sl.LIF(tau_syn_E=0.0), label="relays"))
        network.add(sl.Projection(inputs, pre, sl.OneToOne(), weight=30.0))
    post = network.add(sl.Population(N_POST, sl.LIF(), label="out"))
    for k, matrix in enumerate(matrices):
        one = {**options, **({"delay": delays[k]} if len(delays) else {}), **(rules[k] if rules else {})}
        network.add(sl.Projection(pre, post, sl.FromMatrix(matrix), label=f"w{k}", **one))
    other = network.add(sl.Population(5, sl.LIF(), label="other"))
    network.add(sl.Projection(pre, other, sl.AllToAll(), weight=0.2))
    return network


def axons(network):
    """The axons that a network's array needs."""
    return sl.compile(network).params.axons


# ---- the same bits -----------------------------------------------------------------------------


@pytest.mark.parametrize("sources", ["generators", "neurons"])
@pytest.mark.parametrize("rule", RULES)
def test_disjoint_projections_of_one_rule_are_one_matrix_to_the_array(rule, sources):
    matrices = parts(3)
    apart, merged = (
        network_of(each, sources=sources, **RULES[rule]) for each in (matrices, [one_of(matrices)])
    )
    images = [sl.compile(network) for network in (apart, merged)]
    assert images[0].params == images[1].params
    assert images[0].params.axons == 0
    for name in ("weights", "source", "target", "program", "neuron_params", "neuron_state", "gen_rate"):
        np.testing.assert_array_equal(getattr(images[0], name), getattr(images[1], name), err_msg=name)
    assert images[0].registers == images[1].registers
    devices = [open_model(network) for network in (apart, merged)]
    rasters = [device.run(400.0).raster("out") for device in devices]
    np.testing.assert_array_equal(*rasters)
    assert rasters[0].sum() > 100
    after = [devices[0].read_weights(f"w{k}") for k in range(3)]
    np.testing.assert_array_equal(one_of(after), devices[1].read_weights("w0"))
    for before, learned in zip(matrices, after, strict=True):
        np.testing.assert_array_equal(np.isnan(before), np.isnan(learned))
    moved = np.nanmax(np.abs(one_of(after) - one_of(matrices)))
    assert moved > 0.05 if rule == "learning" else moved < 0.01


def test_the_draws_of_a_projection_do_not_depend_on_what_shares_its_rows():
    network = sl.Network(seed=4)
    pre = network.add(sl.InputPopulation(N_PRE, label="in"))
    post = network.add(sl.Population(N_POST, sl.LIF(), label="out"))
    few = {"weight": sl.Uniform(0.1, 1.0), "delay": sl.Uniform(1.0, 4.0)}
    network.add(sl.Projection(pre, post, sl.FixedProbability(0.05), label="first", **few))
    alone, *_ = expand(network, ReportBuilder())
    network.add(sl.Projection(pre, post, sl.FixedProbability(0.05), label="second", **few))
    first, _ = expand(network, ReportBuilder())
    for name in ("pre", "post", "weights", "delay"):
        np.testing.assert_array_equal(getattr(first, name), getattr(alone, name))
    device = open_model(network)
    read = device.read_weights("first")
    assert read[alone.pre, alone.post] == pytest.approx(alone.weights, abs=0.01)


# ---- how many rows -----------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(3))
def test_a_source_has_as_many_rows_of_a_delay_as_its_fullest_pair(rule, seed):
    rng = np.random.default_rng(seed)
    matrices = [
        np.where(rng.random((N_PRE, N_POST)) < 0.06, rng.uniform(0.2, 1.0, (N_PRE, N_POST)), np.nan)
        for _ in range(2)
    ]
    delays = [rng.integers(1, 4, (N_PRE, N_POST)).astype(float) for _ in range(2)]
    rows = 0
    for i in range(N_PRE):
        # The others' row of no delay is the source's own.
        for delay in (1.0, 2.0, 3.0):
            there = [~np.isnan(m[i]) & (d[i] == delay) for m, d in zip(matrices, delays, strict=True)]
            rows += int(np.max(np.sum(there, axis=0)))
    assert axons(network_of(matrices, delays=delays, **RULES[rule])) == rows


def test_many_projections_share_rows_by_pairs():
    matrices = parts(4)
    # The fifth has pairs of the first alone: it goes into a second row, and a sixth joins it there.
    again = [matrices[0] * 0.9, matrices[1] * 0.9]
    assert axons(network_of(matrices)) == 0
    assert axons(network_of([*matrices, again[0]])) == N_PRE
    assert axons(network_of([*matrices, *again])) == N_PRE


def test_projections_of_two_rules_have_rows_of_their_own():
    one, other = {"plasticity": sl.STDP(w_max=1.0)}, {"plasticity": sl.STDP(w_max=1.0, A_plus=0.02)}
    assert axons(network_of(parts(2), rules=[one, {}])) == N_PRE
    assert axons(network_of(parts(2), rules=[one, other])) == N_PRE
    assert axons(network_of(parts(2), rules=[one, {"plasticity": sl.STDP(w_max=1.0)}])) == 0


def test_two_populations_of_targets_share_rows_whatever_the_rules():
    network = network_of(parts(1), **RULES["learning"])
    third = network.add(sl.Population(6, sl.LIF(), label="third"))
    network.add(sl.Projection(network.inputs[0], third, sl.AllToAll(), weight=5.0))
    assert axons(network) == 0


def test_strong_weights_keep_a_row_of_their_own_and_the_weak_ones_their_steps():
    weak, strong = parts(2)
    apart = sl.compile(network_of([weak, 50.0 * strong]))
    assert apart.params.axons == N_PRE
    for label in ("w0", "w1"):
        assert apart.report.row(label, "weight").mean < 0.02
    # Four times as strong is near enough for one row.
    near = sl.compile(network_of([weak, 4.0 * strong]))
    assert near.params.axons == 0
    for label in ("w0", "w1"):
        assert near.report.row(label, "weight").mean < 0.02


def test_an_array_without_axons_holds_disjoint_projections_and_says_what_others_lack():
    params = sl.compile(network_of([one_of(parts(2))])).params
    assert params.axons == 0
    assert sl.compile(network_of(parts(2)), params).params == params
    first = parts(1)[0]
    some = np.where(np.arange(N_PRE)[:, None] < 7, first, np.nan)
    with pytest.raises(sl.CapacityError, match=r"it needs axons=7, 7 more than the array's 0 \(a row for"):
        sl.compile(network_of([first, some]), params)


# ---- each keeps its own ------------------------------------------------------------------------


def test_writing_one_leaves_what_shares_its_rows():
    matrices = parts(3)
    with sl.connect("model", sl.compile(network_of(matrices, **RULES["learning"]))) as device:
        device.run(50.0)
        before = [device.read_weights(f"w{k}") for k in range(3)]
        wanted = np.where(np.isnan(matrices[1]), np.nan, 0.5)
        device.write_weights("w1", wanted)
        np.testing.assert_allclose(device.read_weights("w1"), wanted, atol=0.01)
        for k in (0, 2):
            np.testing.assert_array_equal(device.read_weights(f"w{k}"), before[k])
        taken, later = device.snapshot(), device.run(60.0).raster("out")
        learned = [device.read_weights(f"w{k}") for k in range(3)]
        device.restore(taken)
        np.testing.assert_array_equal(device.run(60.0).raster("out"), later)
        for k in range(3):
            np.testing.assert_array_equal(device.read_weights(f"w{k}"), learned[k])


def test_equal_rules_of_shared_rows_change_together():
    device = open_model(network_of(parts(2), **RULES["learning"]))
    with pytest.raises(sl.ParameterError, match="shares its place in the array with that of 'w1'"):
        device.set_rule("w0", A_plus=0.0)
    device.set_rule(["w0", "w1"], A_plus=0.0, A_minus=0.0)
    before = [device.read_weights(f"w{k}") for k in range(2)]
    device.run(200.0)
    for k in range(2):
        np.testing.assert_array_equal(device.read_weights(f"w{k}"), before[k])


def test_the_report_has_each_projection_as_if_it_were_alone():
    report = sl.compile(network_of(parts(2), **RULES["learning"])).report
    for label in ("w0", "w1"):
        assert report.row(label, "A_plus").wanted == 0.05
        assert report.row(label, "weight").relative < 0.05
        assert report.row(label, "w_max").got == pytest.approx(1.0, rel=0.02)
    assert not any("axons" in row.parameter for row in report.rows)


SHARED = """\
[run]
duration = 50.0
dt = 1.0
[inputs.in]
n = 3
kind = "spikes"
times = [[5.0], [15.0], [25.0]]
[populations.out]
n = 3
[projections.some]
from = "in"
to = "out"
connector = "list"
pairs = [[0, 0], [1, 1], [2, 2]]
weight = 2.0
[projections.rest]
from = "in"
to = "out"
connector = "list"
pairs = [[0, 1], [1, 2], [2, 0]]
weight = 1.0
"""


def test_projections_of_a_file_share_rows(tmp_path):
    path = tmp_path / "shared.toml"
    path.write_text(SHARED)
    experiment = read_experiment(path)
    image = compile_experiment(experiment, build_network(experiment))
    assert image.params.axons == 0
    with sl.connect("model", image) as device:
        absent = np.nan
        np.testing.assert_allclose(
            device.read_weights("some"),
            [[2.0, absent, absent], [absent, 2.0, absent], [absent, absent, 2.0]],
            rtol=0.02,
        )
        assert np.nansum(device.read_weights("rest")) == pytest.approx(3.0, rel=0.02)


def test_projections_of_pynn_share_rows():
    sim = pytest.importorskip("synloom.pynn")
    sim.setup(timestep=1.0, target="model")
    sources = sim.Population(4, sim.SpikeSourceArray(spike_times=[5.0]))
    cells = sim.Population(4, sim.IF_curr_exp())
    made = [
        sim.Projection(sources, cells, sim.FromListConnector(pairs), sim.StaticSynapse(weight=1.0, delay=2.0))
        for pairs in ([(k, k) for k in range(4)], [(k, (k + 1) % 4) for k in range(4)])
    ]
    sim.run(20.0)
    assert sim.simulator.state.engine.device.image.params.axons == 0
    for projection in made:
        weights = projection.get("weight", format="array")
        assert np.isfinite(weights).sum() == 4
        assert np.nanmax(np.abs(weights - 1.0)) < 0.02
    sim.end()


# ---- one source, several traces ----------------------------------------------------------------


def test_rules_with_other_traces_of_one_source_each_follow_their_own_time_constant():
    """Closed form: a pair t ms apart adds A_plus exp(-t / tau_plus), whoever else the source feeds."""
    taus, amplitude, start, apart = (5.0, 20.0, 80.0), 0.4, 0.25, (2, 10, 30)
    network = sl.Network(dt=1.0, seed=1)
    source = network.add(sl.InputPopulation(len(apart), label="in"))
    for k, tau in enumerate(taus):
        neurons = network.add(sl.Population(len(apart), sl.LIF(), label=f"out{k}"))
        rule = sl.STDP(
            A_plus=amplitude, A_minus=0.0, tau_plus=tau, w_max=1.0, bounds="additive", rounding="nearest"
        )
        network.add(
            sl.Projection(source, neurons, sl.OneToOne(), weight=start, plasticity=rule, label=f"w{k}")
        )
    device = open_model(network)
    device.set_learning(True)
    device.inject("in", [(5.0, k) for k in range(len(apart))])
    for k in range(len(taus)):
        device.inject(f"out{k}", [(5.0 + t, j) for j, t in enumerate(apart)])
    device.run(60.0)
    for k, tau in enumerate(taus):
        changed = np.diag(device.read_weights(f"w{k}")) - start
        np.testing.assert_allclose(changed, amplitude * np.exp(-np.array(apart) / tau), atol=1.0 / 127)


def test_a_source_with_two_traces_takes_one_more_row_for_each_delay():
    """Rules that agree with one of the rows that are there take no more."""
    rules = [sl.STDP(tau_plus=tau) for tau in (20.0, 10.0, 20.0, 10.0)]
    network = sl.Network(dt=1.0, seed=1)
    source = network.add(sl.InputPopulation(6, label="in"))
    for k, rule in enumerate(rules):
        neurons = network.add(sl.Population(3, sl.LIF(), label=f"out{k}"))
        network.add(sl.Projection(source, neurons, sl.AllToAll(), weight=0.1, plasticity=rule, label=f"w{k}"))
    assert axons(network) == source.n
