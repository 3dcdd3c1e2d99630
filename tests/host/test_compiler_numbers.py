import numpy as np
import pytest
from scipy.integrate import solve_ivp

import synloom as sl
from synloom.base.errors import ParameterError
from synloom.compiler.coefficients import decay_coefficients, offset_gain, synapse_gain
from synloom.compiler.stimulus import rate_words, rates_of
from synloom.link.rates import byte_rates


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_decay_coefficients_come_near_the_time_constant(dt):
    tau = np.geomspace(0.5, 1e7 * dt, 200)
    made = decay_coefficients(tau, dt)
    scale = 2.0 ** (16 + 4 * made.exponent)
    assert (np.abs(made.m / scale - (1 - np.exp(-dt / tau))) <= 0.5 / scale * (1 + 1e-9)).all()
    # 12 significant bits up to 1e6 steps, 8 up to 1e7.
    assert (made.m[tau <= 1e6 * dt] >= 0x0FFF).all()
    assert (made.m >= 0x00FF).all()
    assert (np.abs(made.tau / tau - 1) < 0.5 / made.m * 1.01 / np.exp(-dt / tau)).all()


def test_delta_and_no_decay_are_the_ends():
    made = decay_coefficients(np.array([0.0, np.inf, 1e12, 0.01]), 1.0)
    assert made.m.tolist() == [0xFFFF, 0, 0, 0xFFFF]
    assert made.exponent.tolist() == [0, 4, 4, 0]
    assert made.tau.tolist() == [0.0, np.inf, np.inf, 0.0]


@pytest.mark.parametrize("tau_syn", [2.0, 20.0, 20.0000001, 300.0])
@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_synapse_gain_is_the_exact_propagator(tau_syn, dt):
    tau_m, cm = 20.0, 0.25
    gain = synapse_gain(np.array([tau_m]), np.array([cm]), np.array([tau_syn]), dt)[0]

    def flow(t, y):
        return [-y[0] / tau_m + y[1] / cm, -y[1] / tau_syn]

    exact = solve_ivp(flow, (0.0, dt), [0.0, 1.0], rtol=1e-11, atol=1e-13).y[0, -1]
    assert gain == pytest.approx(exact, rel=1e-7)


def test_delta_synapses_are_one_to_one():
    assert synapse_gain(np.array([20.0]), np.array([0.3]), np.array([0.0]), 1.0)[0] == 1.0


def test_perfect_integrators_have_the_limits_gains():
    tau, far, cm = np.array([np.inf]), np.array([1e9]), np.array([0.5])
    assert offset_gain(tau, cm, 0.1)[0] == pytest.approx(offset_gain(far, cm, 0.1)[0], rel=1e-6)
    syn = np.array([5.0])
    assert synapse_gain(tau, cm, syn, 0.1)[0] == pytest.approx(synapse_gain(far, cm, syn, 0.1)[0], rel=1e-6)


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_offset_gain_settles_at_ohms_law(dt):
    tau_m, cm = np.array([20.0]), np.array([0.5])
    v = 0.0
    for _ in range(round(1000 / dt)):
        # With the leak that the array has: 16 bits of it.
        v = v * (1.0 - decay_coefficients(tau_m, dt).part[0]) + offset_gain(tau_m, cm, dt)[0] * 0.3
    assert v == pytest.approx(0.3 * tau_m[0] / cm[0])
    assert offset_gain(tau_m, cm, dt)[0] == pytest.approx(-np.expm1(-dt / 20.0) * 40.0, rel=1e-4)


RATES = np.array([0.01, 0.1, 0.15, 0.2, 1.0, 4.99, 5.0, 63.75, 333.0, 999.5])
"""Rates in Hz that must not become others."""


@pytest.mark.parametrize("generator", ["poisson", "regular"])
@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_every_rate_is_right_within_a_thousandth(dt, generator):
    many = np.exp(np.random.default_rng(2).uniform(np.log(0.01), np.log(990 / dt), 5000))
    for hz in (RATES, many):
        assert rates_of(rate_words(hz, generator, dt), dt) == pytest.approx(hz, rel=1.0e-3)


@pytest.mark.parametrize("generator", ["poisson", "regular"])
def test_a_rate_of_zero_is_the_word_zero(generator):
    words = rate_words(np.array([0.0, 1.0]), generator, 1.0)
    assert words[0] == 0 < words[1]
    assert rates_of(words, 1.0)[0] == 0


def test_words_rise_with_the_rate():
    hz = np.sort(np.random.default_rng(1).uniform(0, 1, 3000) ** 6 * 1000)
    assert (np.diff(rate_words(hz, "poisson", 1.0).astype(int)) >= 0).all()


def test_words_of_the_published_rates():
    hz = np.array([0.01, 0.2, 5.0, 250.0, 500.0, 1000.0])
    poisson, regular = (rate_words(hz, kind, 1.0).tolist() for kind in ("poisson", "regular"))
    assert poisson == [0x253E, 0x3D1B, 0x551F, 0x7400, 0x7800, 0x7FFF]
    assert regular == [0xA61A, 0xB271, 0xD640, 0xF800, 0xF400, 0xF200]


@pytest.mark.parametrize("period", [1, 2, 3, 7, 10, 100, 1000, 4095, 4096, 32760])
def test_whole_periods_are_exact(period):
    words = rate_words(np.array([1000.0 / period]), "regular", 1.0)
    assert rates_of(words, 1.0)[0] == pytest.approx(1000.0 / period, rel=1e-12)


@pytest.mark.parametrize("bits", [1, 4, 8, 11])
def test_rates_of_fewer_bits_are_multiples_of_one_step(bits):
    hz = np.array([0.0, 1.0, 30.0, 63.75, 200.0])
    words = rate_words(hz, "poisson", 1.0, bits)
    step = 250.0 * 2.0**-bits
    assert len(set((words & 0xF000).tolist())) == 1
    assert (np.abs(rates_of(words, 1.0) - hz) <= step).all()
    assert byte_rates(words.astype(int)) is None if bits > 8 else byte_rates(words.astype(int)).data[0] == 0


def test_rates_of_eight_bits_and_every_step_fit_in_a_byte():
    words = rate_words(np.array([0.0, 500.0, 1000.0]), "poisson", 1.0, 8)
    assert rates_of(words, 1.0).tolist() == [0.0, 500.0, 1000.0]
    assert byte_rates(words.astype(int)).data == bytes([0, 64, 128])


def test_one_spike_per_step_is_the_largest_rate():
    assert rate_words(np.array([10000.0]), "poisson", 0.1).tolist() == [0x7FFF]
    with pytest.raises(ParameterError, match="at most 1000 Hz"):
        rate_words(np.array([1000.1]), "poisson", 1.0)


def test_a_bound_may_be_a_number_of_numpy():
    def image(bound):
        network = sl.Network(seed=1)
        source = network.add(sl.InputPopulation(4, label="source"))
        target = network.add(sl.Population(4, sl.LIF(), label="target"))
        rule = sl.STDP(w_min=-bound, w_max=bound)
        network.add(sl.Projection(source, target, sl.AllToAll(), weight=0.2, plasticity=rule))
        return sl.compile(network)

    assert image(np.float64(0.7)).digest() == image(0.7).digest()
