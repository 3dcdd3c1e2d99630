"""From SI units through the compiler and the model back to SI units, against closed forms."""

import numpy as np
import pytest
from small_networks import delta_cell, open_model, relay

from synloom import (
    LIF,
    STDP,
    AllToAll,
    FromMatrix,
    InputPopulation,
    Network,
    OneToOne,
    PairRule,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    TraceTarget,
    compile,
    connect,
)
from synloom.contract import ArrayParams


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("tau_refrac", [0.0, 4.0])
def test_constant_current_fires_at_the_analytic_rate(dt, tau_refrac):
    current = np.array([0.74, 0.8, 1.0, 1.7, 4.0])
    tau_m, cm = 20.0, 0.5
    network = Network(dt=dt)
    cell = LIF(tau_m=tau_m, cm=cm, i_offset=current, tau_refrac=tau_refrac, v_rest=-70.0, v_reset=-70.0)
    network.add(Population(5, LIF(**{**vars(cell), "v_thresh": -45.0}), label="n"))
    recording = open_model(network).run(400.0)
    reach = current * tau_m / cm
    for k in range(5):
        steps = np.diff(recording.spike_steps["n"][recording.spike_indices["n"] == k])
        if reach[k] > 25.0:
            period = (tau_refrac + tau_m * np.log(reach[k] / (reach[k] - 25.0))) / dt
            assert (np.abs(steps - np.ceil(period)) <= 1).all(), (k, period, steps)
            assert len(steps) >= 400.0 / dt / (period + 1) - 2


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("state_bits", [16, 18, 24])
def test_a_constant_current_holds_a_neuron_where_the_closed_form_says(dt, state_bits):
    # A bias is whole units a step; most of these currents are no such number.
    tau_m, cm = np.repeat([5.0, 20.0, 100.0], 4), 0.25
    current = np.tile([0.001, 0.0123, 0.1, -0.07], 3) * 20.0 / tau_m
    network = Network(dt=dt)
    cell = LIF(tau_m=tau_m, cm=cm, i_offset=current, v_rest=-65.0, v_reset=-65.0, v_thresh=-45.0)
    network.add(Population(12, cell, label="n"))
    image = compile(network, ArrayParams(neurons=12, state_bits=state_bits))
    device = connect("model", image)
    device.run(1500.0)
    held = device.read_state("n")["v"]
    unit = image.populations["n"].v_lsb
    exact = -65.0 + current * tau_m / cm
    # The dither leaves V within a few units; a bias rounded to a whole number would leave tau / dt / 2.
    assert (np.abs(held - exact) <= 4.0 * unit).all(), np.abs(held - exact) / unit
    assert image.report.row("n", "i_offset").relative < 1e-3


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_synaptic_potential_follows_the_closed_form(dt, sign):
    tau_m, cm, tau_e, tau_i = 10.0, 0.5, 2.0, 5.0
    network = Network(dt=dt)
    source = network.add(InputPopulation(1, spike_times=[[5.0]], label="in"))
    target = network.add(Population(1, LIF(tau_m=tau_m, cm=cm, tau_syn_E=tau_e, tau_syn_I=tau_i), label="n"))
    network.add(Projection(source, target, OneToOne(), weight=0.8 * sign))
    device = open_model(network)
    device.record("n", "v")
    device.record("n", "isyn_exc")
    device.record("n", "isyn_inh")
    recording = device.run(60.0)
    tau = tau_e if sign > 0 else tau_i
    t = recording.times("n", "v") - 5.0
    shape = np.where(t > 0, np.exp(-t / tau_m) - np.exp(-t / tau), 0.0)
    exact = -65.0 + sign * 0.8 * tau * tau_m / (cm * (tau_m - tau)) * shape
    v = recording.values("n", "v")[:, 0]
    assert np.abs(v - exact).max() < {0.1: 1.2e-3, 1.0: 1e-4}[dt] * np.abs(exact + 65.0).max()
    current = recording.values("n", "isyn_exc" if sign > 0 else "isyn_inh")[:, 0]
    assert current == pytest.approx(np.where(t > 0, 0.8 * np.exp(-t / tau), 0.0), abs=1e-3)


@pytest.mark.parametrize(("bits", "limit"), [(24, 0.005), (18, 0.02), (16, 0.1)])
def test_a_small_slow_synaptic_potential_keeps_its_area(bits, limit):
    # 0.2 mV at its peak. With 16 bits the current is 6 units, which is told apart from 32 by the limit.
    n, tau_m, cm, tau, dt = 16, 20.0, 1.0, 5.0, 0.1
    weight = 0.2 * cm * (tau_m - tau) / (tau * tau_m * (4 ** (-1 / 3) - 4 ** (-4 / 3)))
    network = Network(dt=dt)
    moments = [[1.0 + 3.7 * k] for k in range(n)]
    source = network.add(InputPopulation(n, spike_times=moments, label="in"))
    target = network.add(Population(n, LIF(tau_m=tau_m, cm=cm, tau_syn_E=tau), label="n"))
    network.add(Projection(source, target, OneToOne(), weight=weight))
    device = open_model(network, ArrayParams(inputs=n, neurons=n, probes=n, state_bits=bits))
    device.record("n", "v")
    v = device.run(300.0).values("n", "v") + 65.0
    assert v.sum(axis=0).mean() * dt == pytest.approx(weight * tau * tau_m / cm, rel=limit)


def test_a_delta_synapse_steps_the_potential_by_its_weight():
    network = relay(1, weight=7.0)
    device = open_model(network)
    device.record("out", "v")
    device.inject("in", [(3.0, 0)])
    v = device.run(6.0).values("out", "v")[:, 0]
    assert v[:3] == pytest.approx([-65.0] * 3)
    assert v[3] == pytest.approx(-58.0, abs=1e-4)
    assert v[4] == pytest.approx(-65.0 + 7.0 * np.exp(-1 / 20), abs=1e-3)


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 7, 15])
def test_delays_are_exact(dt, steps):
    network = Network(dt=dt)
    source = network.add(InputPopulation(2, label="in"))
    first = network.add(Population(2, delta_cell(), label="first"))
    second = network.add(Population(2, delta_cell(), label="second"))
    network.add(Projection(source, first, OneToOne(), weight=20.0, delay=[3 * dt, 40 * dt]))
    network.add(Projection(first, second, OneToOne(), weight=20.0, delay=steps * dt))
    device = open_model(network)
    device.inject("in", [(5 * dt, 0), (5 * dt, 1)])
    recording = device.run(100 * dt)
    assert recording.spikes("first")[0] == pytest.approx([8 * dt, 45 * dt])
    assert recording.spikes("second")[0] == pytest.approx([(8 + steps) * dt, (45 + steps) * dt])
    assert recording.spikes("second")[1].tolist() == [0, 1]


def stdp_network(rule, n, post_at, dt=1.0):
    """n inputs, the k-th spiking at k steps, onto a neuron that a driver makes fire at `post_at` steps."""
    network = Network(dt=dt)
    times = [[k * dt] for k in range(n)]
    source = network.add(InputPopulation(n, spike_times=times, label="in"))
    driver = network.add(InputPopulation(1, spike_times=[[k * dt for k in post_at]], label="driver"))
    target = network.add(Population(1, delta_cell(tau_m=5.0 * dt), label="out"))
    start = 0.5 * (rule.w_min + rule.w_max)
    network.add(Projection(source, target, AllToAll(), weight=start, plasticity=rule, label="w"))
    network.add(Projection(driver, target, AllToAll(), weight=40.0))
    return network


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("bounds", ["additive", "soft"])
def test_the_learning_window_is_the_textbooks(dt, bounds):
    rule = STDP(
        A_plus=0.4,
        A_minus=0.3,
        tau_plus=15.0 * dt,
        tau_minus=30.0 * dt,
        w_max=0.5,
        bounds=bounds,
        rounding="nearest",
    )
    device = open_model(stdp_network(rule, 120, [60], dt))
    before = device.read_weights("w")[:, 0]
    assert device.run(130 * dt).spikes("out")[0] == pytest.approx([60 * dt])
    change = device.read_weights("w")[:, 0] - before
    s = 60 - np.arange(120)
    window = np.where(s >= 0, 0.4 * np.exp(-s / 15.0), -0.3 * np.exp(s / 30.0))
    room = 0.5 if bounds == "additive" else np.where(s >= 0, 0.5 - before, before)
    lsb = 0.5 / 127
    assert np.abs(change - window * room).max() < 0.51 * lsb
    assert device.counters().losses == {}


def test_small_changes_are_right_on_average():
    n = 400
    rule = STDP(A_plus=0.001, A_minus=0.0, tau_plus=20.0, w_max=0.5)
    network = Network(seed=5)
    source = network.add(InputPopulation(n, label="in"))
    driver = network.add(InputPopulation(1, label="driver"))
    target = network.add(Population(1, delta_cell(), label="out"))
    network.add(Projection(source, target, AllToAll(), weight=0.25, plasticity=rule, label="w"))
    network.add(Projection(driver, target, AllToAll(), weight=40.0))
    device = open_model(network)
    before = device.read_weights("w")
    device.inject("in", np.ones((1, n), dtype=bool))
    device.inject("driver", [(0.0, 0)])
    device.run(1.0)
    change = (device.read_weights("w") - before) / (0.5 / 127)
    wanted = 0.001 * 127
    assert set(np.rint(change).astype(int).ravel()) == {0, 1}
    assert abs(change.mean() - wanted) < 5 * np.sqrt(wanted * (1 - wanted) / n)


@pytest.mark.parametrize("trace_bits", [8, 12, 16])
@pytest.mark.parametrize("pairing", ["all_to_all", "nearest"])
def test_amplitudes_do_not_depend_on_the_width_of_traces(trace_bits, pairing):
    rule = STDP(pairing=pairing)
    network = stdp_network(rule, 4, [2])
    report = compile(network, ArrayParams(trace_bits=trace_bits)).report
    for name, wanted in (("A_minus", rule.A_minus), ("A_plus", rule.A_plus)):
        assert report.row("w", f"{name} (of range)").got == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize("trace_bits", [8, 16])
@pytest.mark.parametrize("pairing", ["all_to_all", "nearest"])
def test_a_pair_may_move_a_weight_over_its_whole_range(trace_bits, pairing):
    rule = STDP(A_plus=1.0, A_minus=0.0, tau_plus=20.0, w_max=0.5, pairing=pairing, rounding="nearest")
    network = Network()
    source = network.add(InputPopulation(1, spike_times=[[5.0]], label="in"))
    driver = network.add(InputPopulation(1, spike_times=[[5.0]], label="driver"))
    target = network.add(Population(1, delta_cell(), label="out"))
    network.add(Projection(source, target, AllToAll(), weight=0.0, plasticity=rule, label="w"))
    network.add(Projection(driver, target, AllToAll(), weight=40.0))
    device = open_model(network, ArrayParams(trace_bits=trace_bits))
    device.run(10.0)
    # A trace of one spike of 8 bits decays by a few units, so that it may be one off.
    assert device.read_weights("w")[0, 0] == pytest.approx(0.5, rel=0.01)


def test_nearest_pairing_counts_only_the_last_spike():
    changes = {}
    for pairing in ("nearest", "all_to_all"):
        rule = STDP(A_plus=0.1, A_minus=0.0, tau_plus=20.0, w_max=1.0, pairing=pairing, rounding="nearest")
        network = stdp_network(rule, 1, [10])
        network.inputs[0].spike_times = [np.array([0.0, 4.0, 8.0])]
        device = open_model(network)
        before = device.read_weights("w")[0, 0]
        device.run(20.0)
        changes[pairing] = device.read_weights("w")[0, 0] - before
    lsb = 1.0 / 127
    assert changes["nearest"] == pytest.approx(0.1 * np.exp(-2 / 20), abs=0.51 * lsb)
    assert changes["all_to_all"] == pytest.approx(
        0.1 * sum(np.exp(-d / 20) for d in (2, 6, 10)), abs=0.51 * lsb
    )


def test_trace_target_lets_inactive_sources_lose():
    rule = TraceTarget(A=0.2, tau=10.0, target=0.5, w_max=1.0, rounding="nearest")
    device = open_model(stdp_network(rule, 80, [60]))
    before = device.read_weights("w")[:, 0]
    device.run(100.0)
    change = device.read_weights("w")[:, 0] - before
    s = 60 - np.arange(80)
    trace = np.where(s >= 0, np.exp(-s / 10.0), 0.0)
    assert np.abs(change - 0.2 * (trace - 0.5)).max() < 0.51 / 127


def test_the_general_rule_has_offsets_on_both_sides():
    rule = PairRule(
        A_pre=0.2, A_post=-0.1, tau_pre=10.0, tau_post=20.0, y0=0.25, w_max=1.0, rounding="nearest"
    )
    device = open_model(stdp_network(rule, 100, [40]))
    before = device.read_weights("w")[:, 0]
    device.run(120.0)
    change = device.read_weights("w")[:, 0] - before
    k = np.arange(100)
    post = np.where(k > 40, np.exp(-(k - 40) / 20.0), 0.0)
    pre = np.where(k <= 40, np.exp(-(40 - k) / 10.0), 0.0)
    assert np.abs(change - (0.2 * (post - 0.25) - 0.1 * pre)).max() < 1.02 / 127


def test_inhibitory_synapses_learn_with_their_sign():
    rule = STDP(
        A_plus=-0.2, A_minus=-0.2, tau_plus=20.0, tau_minus=20.0, w_min=-1.0, w_max=0.0, rounding="nearest"
    )
    device = open_model(stdp_network(rule, 100, [50]))
    before = device.read_weights("w")[:, 0]
    device.run(120.0)
    change = device.read_weights("w")[:, 0] - before
    s = 50 - np.arange(100)
    window = np.where(s >= 0, -0.2 * np.exp(-s / 20.0), 0.2 * np.exp(s / 20.0))
    assert np.abs(change - window).max() < 0.51 / 127


@pytest.mark.parametrize("reward", [1.0, 0.5, 0.0, -1.0])
def test_reward_scales_and_turns_learning(reward):
    rule = STDP(A_plus=0.2, A_minus=0.1, w_max=1.0, rounding="nearest", reward=True)
    device = open_model(stdp_network(rule, 60, [30]))
    before = device.read_weights("w")[:, 0]
    device.set_reward(reward)
    device.run(70.0)
    change = device.read_weights("w")[:, 0] - before
    s = 30 - np.arange(60)
    window = np.where(s >= 0, 0.2 * np.exp(-s / 20.0), -0.1 * np.exp(s / 20.0))
    assert np.abs(change - reward * window).max() < 0.51 / 127


def test_learning_that_is_off_changes_nothing():
    device = open_model(stdp_network(STDP(A_plus=0.2, A_minus=0.1), 60, [30]))
    before = device.read_weights("w")
    device.set_learning(False)
    device.run(70.0)
    assert (device.read_weights("w") == before).all()
    assert device.counters()["weight_clips"] == 0


def test_a_plastic_population_of_different_cells_has_one_weight_unit():
    rng = np.random.default_rng(0)
    cell = LIF(tau_m=rng.uniform(8, 40, 30), cm=rng.uniform(0.1, 1.0, 30), tau_syn_E=rng.uniform(2, 9, 30))
    network = Network()
    source = network.add(InputPopulation(10, label="in"))
    target = network.add(Population(30, cell, label="out"))
    network.add(Projection(source, target, AllToAll(), weight=0.3, plasticity=STDP(w_max=0.5), label="w"))
    device = open_model(network)
    weights = device.read_weights("w")
    assert np.ptp(weights) < 1e-12
    assert weights == pytest.approx(np.full((10, 30), 0.3), abs=0.5 / 127)


def test_thresholds_adapt_and_come_back():
    network = Network()
    cell = delta_cell(theta_plus=2.0, tau_theta=100.0)
    source = network.add(InputPopulation(1, spike_times=[[0.0, 10.0]], label="in"))
    target = network.add(Population(1, cell, label="n", theta_init=1.0))
    network.add(Projection(source, target, OneToOne(), weight=40.0))
    device = open_model(network)
    device.record("n", "theta")
    theta = device.run(40.0).values("n", "theta")[:, 0]
    exact = 1.0 * np.exp(-np.arange(1, 41) / 100)
    exact += 2.0 * np.exp(-np.arange(40) / 100)
    exact[10:] += 2.0 * np.exp(-np.arange(30) / 100)
    assert theta == pytest.approx(exact, rel=1e-3)
    device.set_adaptation(False)
    still = device.read_state("n")["theta"]
    device.run(50.0)
    assert (device.read_state("n")["theta"] == still).all()


def test_an_initial_threshold_relaxes_without_adaptation():
    network = Network()
    source = network.add(InputPopulation(1, spike_times=[[60.0]], label="in"))
    cell = delta_cell(theta_plus=0.0, tau_theta=50.0)
    target = network.add(Population(1, cell, label="n", theta_init=10.0))
    # 15 mV and what is left of 10 mV after 60 ms: 3 mV.
    network.add(Projection(source, target, OneToOne(), weight=18.5))
    device = open_model(network)
    device.record("n", "theta")
    recording = device.run(100.0)
    theta = recording.values("n", "theta")[:, 0]
    assert theta == pytest.approx(10.0 * np.exp(-np.arange(1, 101) / 50.0), rel=1e-3)
    assert recording.spike_steps["n"].tolist() == [60]


def test_a_slow_threshold_keeps_its_value():
    network = Network(dt=1.0)
    network.add(Population(16, LIF(theta_plus=0.05, tau_theta=1e7), label="n", theta_init=0.05))
    device = open_model(network)
    device.run(2000.0)
    assert device.read_state("n")["theta"].mean() == pytest.approx(0.05, abs=5e-5)


def test_subtracting_reset_keeps_what_is_over():
    network = Network()
    source = network.add(InputPopulation(1, spike_times=[[1.0]], label="in"))
    cell = delta_cell(reset_mode="subtract", v_reset=-62.0, tau_m=float("inf"))
    target = network.add(Population(1, cell, label="n"))
    network.add(Projection(source, target, OneToOne(), weight=18.0))
    device = open_model(network)
    device.record("n", "v")
    recording = device.run(4.0)
    assert recording.spikes("n")[0].tolist() == [1.0]
    assert recording.values("n", "v")[1:, 0] == pytest.approx([-59.0] * 3, abs=1e-3)


def test_a_refractory_potential_stands_still_or_goes_on():
    # 15 mV by 6 mV a step without a leak: the third step fires. 2 more steps are refractory.
    spikes = {}
    for mode in ("hold", "integrate"):
        cell = LIF(tau_m=np.inf, i_offset=6.0, tau_refrac=2.0, refractory_mode=mode)
        network = Network()
        network.add(Population(1, cell, label="n"))
        spikes[mode] = open_model(network).run(13.0).spike_steps["n"].tolist()
    assert spikes == {"hold": [2, 7, 12], "integrate": [2, 5, 8, 11]}


def test_initial_potentials_are_set():
    network = Network()
    network.add(Population(3, LIF(), label="n", v_init=[-65.0, -60.0, -51.0]))
    assert open_model(network).read_state("n")["v"] == pytest.approx([-65.0, -60.0, -51.0], abs=1e-4)


def test_generators_keep_their_rates():
    network = Network(seed=4)
    poisson = network.add(PoissonInput(40, rate=100.0, label="poisson"))
    regular = network.add(RegularInput(4, rate=[50.0, 125.0, 250.0, 0.0], label="regular"))
    target = network.add(Population(44, delta_cell(), label="n"))
    random = np.full((40, 44), np.nan)
    random[np.arange(40), np.arange(40)] = 20.0
    steady = np.full((4, 44), np.nan)
    steady[np.arange(4), 40 + np.arange(4)] = 20.0
    network.add(Projection(poisson, target, FromMatrix(random)))
    network.add(Projection(regular, target, FromMatrix(steady)))
    device = open_model(network)
    rates = device.run(2000.0).rates("n")
    assert abs(rates[:40].mean() - 100.0) < 5 * np.sqrt(0.1 * 0.9 * 2000 * 40) / 40 / 2
    assert rates[40:] == pytest.approx([50.0, 125.0, 250.0, 0.0], abs=0.5)
    device.set_rates("poisson", 0.0)
    device.set_rates(regular, [0.0, 0.0, 0.0, 1000.0])
    rates = device.run(200.0).rates("n")
    assert rates[:43].tolist() == [0.0] * 43
    assert rates[43] == pytest.approx(1000.0, abs=5.0)


def test_currents_can_be_changed():
    network = Network()
    network.add(Population(2, LIF(), label="n"))
    device = open_model(network)
    assert device.run(100.0).counts("n").sum() == 0
    device.set_offset("n", [0.0, 2.0])
    counts = device.run(100.0).counts("n")
    assert counts[0] == 0
    assert counts[1] == 100 // np.ceil(20 * np.log(40 / 25))
