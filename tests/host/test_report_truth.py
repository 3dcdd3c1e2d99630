"""The report says what the array will do: each number here comes from a closed form or a float loop."""

import numpy as np
import pytest
from small_networks import delta_cell, open_model, relay

from synloom import (
    LIF,
    STDP,
    AllToAll,
    ArrayParams,
    FromMatrix,
    InputPopulation,
    Network,
    NetworkError,
    PairRule,
    PoissonInput,
    Population,
    Projection,
    SynloomWarning,
    TraceTarget,
    Uniform,
    compile,
    connect,
)
from synloom.compiler.decay import decay, psp_share, tau_share
from synloom_sim.model import arithmetic

SMALL = ArrayParams(inputs=32, neurons=32)


def pair(weight=1.0, *, n=1, dt=1.0, params=None, rule=None, v_range=None, source=None, strict=False, **cell):
    """Compile n sources, n neurons and all synapses between them."""
    network = Network(dt=dt)
    pre = network.add(source or InputPopulation(n, label="in"))
    post = network.add(Population(n, LIF(**cell), label="n", v_range=v_range))
    made = {"weight": None} if isinstance(weight, np.ndarray) else {"weight": weight}
    connector = FromMatrix(weight) if isinstance(weight, np.ndarray) else AllToAll()
    network.add(Projection(pre, post, connector, plasticity=rule, label="w", **made))
    return compile(network, params, strict=strict)


def notes(image):
    return " / ".join(image.report.notes)


# ---- rows --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (STDP(tau_minus=30.0), ("A_plus", "A_minus", "tau_plus", "tau_minus", "w_min", "w_max")),
        (TraceTarget(), ("A", "tau", "target", "w_min", "w_max")),
        (
            PairRule(A_pre=-0.1, A_post=0.1, x0=0.3, y0=0.2),
            ("A_pre", "A_post", "tau_pre", "tau_post", "x0", "y0", "w_min", "w_max"),
        ),
    ],
)
def test_a_rule_has_a_row_for_each_parameter_in_its_own_words(rule, names):
    report = pair(0.5, rule=rule).report
    for name in names:
        assert report.row("w", name).wanted == getattr(rule, name)
        assert report.row("w", name).relative < 0.02


def test_a_neuron_has_a_row_for_each_parameter():
    report = pair(theta_plus=0.5, tau_refrac=2.0, i_offset=0.1).report
    for name in (*LIF.names(), "v_init", "theta_init"):
        assert report.row("n", name).where == "n"


def test_every_row_has_its_unit():
    image = pair(0.5, rule=STDP(), theta_plus=0.5, source=PoissonInput(3, rate=5.0, label="in"))
    assert [row.parameter for row in image.report.rows if not row.parameter.endswith(")")] == []


def test_weights_have_the_mean_error_and_the_error_of_the_sum():
    wanted = np.random.default_rng(1).uniform(-1.0, 2.0, (20, 20))
    image = pair(wanted, n=20)
    with connect("model", image) as device:
        got = device.read_weights("w")
    row, total = image.report.row("w", "weight"), image.report.row("w", "sum of weights")
    assert row.mean == pytest.approx(np.abs(got - wanted).mean() / np.abs(wanted).mean())
    assert (total.wanted, total.got) == (pytest.approx(wanted.sum()), pytest.approx(got.sum()))


# ---- effective values --------------------------------------------------------------------------


def test_the_formula_is_the_models():
    rng = np.random.default_rng(0)
    for _ in range(500):
        a, m, exponent = int(rng.integers(1 << 23)), int(rng.integers(1 << 16)), int(rng.integers(5))
        w = int(rng.integers(1 << 32))
        assert decay(a, m, exponent, w) == arithmetic.decay(a, m, exponent, w)
    assert decay(1000, 0xFFFF, 0, 0) == 0


def test_the_time_constant_of_a_slow_decay_is_as_long_as_it_should_be():
    """A threshold of 0.05 mV with tau 10 s: it fell one unit a step when losses were at least one unit."""
    row = pair(theta_plus=0.05, tau_theta=1e4).report.row("n", "tau_theta, effective")
    assert row.relative < 0.02


@pytest.mark.parametrize("theta", [5.0, np.linspace(1.0, 5.0, 4)])
def test_a_threshold_that_only_relaxes_has_its_time_constant_too(theta):
    network = Network(dt=0.1)
    network.add(Population(4, LIF(tau_theta=300.0), label="n", theta_init=theta))
    report = compile(network).report
    row = report.row("n", "tau_theta, effective")
    assert row.wanted == 300.0
    assert row.relative < 0.02
    assert report.row("n", "theta_plus").got == 0.0
    network.populations[0] = Population(4, LIF(tau_theta=300.0), label="n")
    with pytest.raises(KeyError):
        compile(network).report.row("n", "tau_theta, effective")


@pytest.mark.parametrize(
    ("units", "tau", "told"), [(32, 1e8, True), (200, 1e8, False), (32, 1e4, False), (4, 1e4, True)]
)
def test_a_slow_decay_of_few_units_is_a_remark_where_it_is_wrong_by_two_percent(units, tau, told):
    """A pulse of 32 units with a time constant of 1e8 steps has 3.7 % less area than it should have."""
    report = pair(theta_plus=units * 100.0 / 2**23, tau_theta=tau, v_range=100.0).report
    assert any("tau_theta, effective" in note for note in report.notes) == told
    assert (report.row("n", "tau_theta, effective").got < 0.98 * tau) == told


@pytest.mark.parametrize(("tau", "size"), [(20.0, 1 << 20), (200.0, 1 << 18), (5.0, 1000)])
def test_a_fast_decay_is_as_long_as_it_should_be(tau, size):
    m = round(-np.expm1(-1.0 / tau) * 2**20)
    m, exponent = (m, 1) if m < 1 << 16 else (round(-np.expm1(-1.0 / tau) * 2**16), 0)
    assert tau_share(size, m, exponent, float(np.exp(-1.0 / tau))) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("state_bits", [16, 18, 24])
@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_the_area_of_a_potential_is_what_the_device_does(dt, state_bits):
    """In the mean of 16 neurons: in a single one the dither leaves or takes a unit or two."""
    n = 16
    params = ArrayParams(inputs=n, neurons=n, probes=n, state_bits=state_bits)
    image = pair(np.full((n, n), 0.2), n=n, dt=dt, params=params, v_thresh=-20.0)
    row = image.report.row("w", "area of one EPSP")
    assert row.wanted == pytest.approx(0.2 * 5.0 * 20.0, rel=0.003)  # weight x tau_syn x tau_m / cm
    with connect("model", image) as device:
        device.record("n", "v")
        device.inject("in", [(0.0, 0)])
        area = (device.run(300.0).values("n", "v") + 65.0).sum() * dt / n
    assert row.got == pytest.approx(area, rel=0.08 if state_bits == 16 else 0.03)
    assert any("area of one EPSP" in note for note in image.report.notes) == (row.relative > 0.02)


def test_a_delta_synapse_and_a_perfect_integrator_have_their_heights():
    row = pair(2.0, tau_syn_E=0.0, tau_m=np.inf).report.row("w", "step of one EPSP")
    assert row.wanted == 2.0
    assert row.got == pytest.approx(2.0)
    assert psp_share(1000, (0xFFFF, 0), (0, 3), (0.0, 1.0)) == 1.0


# ---- what vanishes or changes ------------------------------------------------------------------

VANISHES = {
    "a threshold": (
        lambda: pair(v_thresh=-64.99999, v_reset=-66.0, v_range=1e6),
        "v_thresh - v_rest.*becomes 0 mV.*every step",
    ),
    "a step of the threshold": (lambda: pair(theta_plus=1e-7), "theta_plus: 1e-07 becomes 0 mV"),
    "a rate": (
        lambda: pair(source=PoissonInput(1, rate=1e-7, label="in"), dt=0.1),
        "in: rate: 1e-07 becomes 0 Hz .*silence",
    ),
    "a refractory time": (lambda: pair(tau_refrac=0.4), "tau_refrac: 0.4 becomes 0 ms .*whole steps of 1 ms"),
    "a small amplitude": (
        lambda: pair(0.5, rule=STDP(A_plus=0.003, A_minus=0.5, rounding="nearest")),
        "A_plus: 0.003 becomes 0 of range .*one pair",
    ),
    "weights": (lambda: pair(np.array([[1.0, 1e-4]] * 2), n=2), "2 of 4 weights rounded to zero"),
}


@pytest.mark.parametrize("name", VANISHES)
def test_what_becomes_nothing_is_a_remark(name):
    make, words = VANISHES[name]
    with pytest.raises(NetworkError, match=words):
        _strictly(make())


def _strictly(image):
    if image.report.notes:
        raise NetworkError(notes(image))


CHANGES = {
    "a refractory time": (lambda: pair(tau_refrac=1.4), "tau_refrac: 1.4 becomes 1 ms \\(-28.6 %\\)"),
    "a rounded amplitude": (
        lambda: pair(0.5, rule=STDP(rounding="nearest")),
        "A_plus: 0.01 becomes 0.007.* of range",
    ),
    "a mean potential": (
        lambda: pair(-5.0, v_range=100.0, source=PoissonInput(1, rate=500.0, label="in")),
        "mean input takes 1 of 1 potentials to -250 mV .* clipped at -142",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_by_more_than_two_percent_is_a_remark(name):
    make, words = CHANGES[name]
    with pytest.raises(NetworkError, match=words):
        _strictly(make())


def test_what_changes_by_less_is_none():
    image = pair(0.5, rule=STDP(), tau_refrac=2.0, theta_plus=2.0, tau_theta=200.0, strict=True)
    assert image.report.notes == ()
    assert max(row.relative for row in image.report.rows) < 0.02


def test_one_huge_weight_that_coarsens_the_others_is_told_of():
    wanted = np.random.default_rng(3).uniform(0.25, 0.35, (20, 20))
    wanted[0, 0] = 30.0
    image = pair(wanted, n=20)
    with connect("model", image) as device:
        got = device.read_weights("w")
    off = abs(1.0 - got.flat[1:].sum() / wanted.flat[1:].sum())
    assert off > 0.02
    assert f"the sum of the 399 small ones is {100 * off:.1f} % off" in notes(image)


def test_strict_makes_remarks_errors():
    assert pair(strict=True).report.notes == ()
    with pytest.raises(NetworkError, match=r"says:\n- n: tau_refrac: 1.4 becomes 1 ms.*\n.*strict=True"):
        pair(tau_refrac=1.4, strict=True)


def test_the_printed_report_is_short_and_begins_with_the_remarks():
    network = Network()
    post = network.add(Population(4, LIF(tau_refrac=0.3), label="n"))
    for k in range(30):
        source = network.add(InputPopulation(2, label=f"in{k}"))
        network.add(Projection(source, post, AllToAll(), weight=Uniform(0.5, 1.0), plasticity=STDP()))
    lines = str(compile(network).report).splitlines()
    assert lines[1].startswith("- n: tau_refrac of 4 of 4: 0.3 becomes 0 ms")
    assert len(lines) < 60
    assert "parameters with smaller errors" in lines[-1]


# ---- while it runs -----------------------------------------------------------------------------


def test_what_is_set_while_it_runs_speaks_too():
    network = Network()
    source = network.add(PoissonInput(2, label="in"))
    post = network.add(Population(2, delta_cell(), label="n", v_range=1e6))
    network.add(Projection(source, post, AllToAll(), weight=1.0, plasticity=STDP(reward=True)))
    device = open_model(network)
    with pytest.warns(SynloomWarning, match="1 of 2 rates of 'in' .* 1e-07 Hz becomes 0 Hz"):
        device.set_rates("in", [1e-7, 0.0])
    with pytest.warns(SynloomWarning, match="2 of 2 rates of 'in'"):
        device.present({"in": 1e-7}, 5.0)
    with pytest.warns(SynloomWarning, match="2 of 2 currents of 'n' .* nA becomes 0 nA"):
        device.set_offset("n", 1e-3)
    with pytest.warns(SynloomWarning, match="0.001  becomes 0"):
        device.set_reward(0.001)
    device.set_rates("in", [100.0, 50.0])
    device.set_offset("n", 30.0)
    device.set_reward(0.5)


# ---- scales ------------------------------------------------------------------------------------


UNITS = {
    "whole numbers": np.random.default_rng(1).integers(-20, 37, (12, 9)).astype(float),
    "decimals": np.round(np.random.default_rng(2).uniform(0.0, 3.0, (12, 9)), 1) / 10.0,
    "few levels": np.random.default_rng(4).choice([0.3, 0.45, 0.75], (12, 9)),
    "learned": np.random.default_rng(5).integers(0, 94, (12, 9)) * 0.0078740157,
    "one huge among equal small ones": np.array([[30.0] + [0.3] * 8] * 12),
}


@pytest.mark.parametrize("name", UNITS)
def test_weights_with_a_common_step_are_exact(name):
    wanted = UNITS[name]
    network = Network()
    pre, post = network.add(InputPopulation(12)), network.add(Population(9, LIF(v_thresh=50.0)))
    network.add(Projection(pre, post, FromMatrix(wanted), label="w"))
    with connect("model", compile(network)) as device:
        np.testing.assert_allclose(device.read_weights("w"), wanted, rtol=1e-6, atol=1e-9)


def test_learned_weights_come_back_bit_by_bit():
    device = open_model(_learner())
    device.run(500.0)
    learned = device.read_weights("w")
    again = compile(_learner(FromMatrix(learned)))
    with connect("model", again) as copy:
        np.testing.assert_allclose(copy.read_weights("w"), learned, rtol=1e-6, atol=1e-12)


def _learner(connector=None):
    network = Network(seed=2)
    source = network.add(PoissonInput(10, rate=80.0, label="in"))
    post = network.add(Population(6, LIF(), label="n"))
    if connector is None:
        rule = STDP(A_plus=0.05, w_max=3.0)
        network.add(
            Projection(source, post, AllToAll(), weight=Uniform(0.0, 3.0), plasticity=rule, label="w")
        )
    else:
        network.add(Projection(source, post, connector, label="w"))
    return network


def test_exact_weights_do_not_cost_the_others_their_levels():
    """Three levels in one projection, all levels in another: neither's mean error may exceed half a level."""
    network = Network()
    post = network.add(Population(9, LIF()))
    wanted = {"few": np.random.default_rng(1).choice([1.0, 2.0, 3.0], (10, 9))}
    wanted["many"] = np.random.default_rng(2).uniform(0.0, 0.9, (10, 9))
    for label, weights in wanted.items():
        source = network.add(InputPopulation(10))
        network.add(Projection(source, post, FromMatrix(weights), label=label))
    with connect("model", compile(network)) as device:
        for label, weights in wanted.items():
            off = np.abs(device.read_weights(label) - weights).mean() / weights.max()
            assert off < 0.5 / 127


def test_relays_are_exact():
    assert compile(relay()).report.row("relay", "weight").relative < 1e-9
