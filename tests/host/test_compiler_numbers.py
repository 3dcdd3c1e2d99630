import numpy as np
import pytest
from scipy.integrate import solve_ivp

from synloom.base.errors import ParameterError
from synloom.compiler.coefficients import decay_coefficients, offset_gain, synapse_gain
from synloom.compiler.stimulus import rate_words, rates_of


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


def test_offset_gain_settles_at_ohms_law():
    tau_m, cm, dt = np.array([20.0]), np.array([0.5]), 1.0
    v = 0.0
    for _ in range(2000):
        v = v * np.exp(-dt / tau_m[0]) + offset_gain(tau_m, cm, dt)[0] * 0.3
    assert v == pytest.approx(0.3 * tau_m[0] / cm[0])


@pytest.mark.parametrize("bits", [8, 15])
def test_rates_are_rounded_to_their_bits(bits):
    hz = np.array([0.0, 1.0, 30.0, 63.75, 200.0])
    words = rate_words(hz, "poisson", 1.0, bits)
    got = rates_of(words, 1.0)
    step = 1000 / 32768 * 2 ** max(0, int(200 / 1000 * 32768).bit_length() - bits)
    assert (np.abs(got - hz) <= step / 2 + 1e-9).all()
    shift = max(0, int(words.max()).bit_length() - bits)
    assert (words % (1 << shift) == 0).all()


def test_one_spike_per_step_is_the_largest_rate():
    assert rate_words(np.array([10000.0]), "poisson", 0.1).tolist() == [0x7FFF]
    assert rate_words(np.array([500.0]), "regular", 1.0).tolist() == [0x8000 | 0x4000]
    with pytest.raises(ParameterError, match="at most 1000 Hz"):
        rate_words(np.array([1000.1]), "poisson", 1.0)
