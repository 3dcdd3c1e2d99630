"""Decays are right on average, however slow: against closed forms (docs/numbers.md, decay).

A magnitude of A units that is multiplied by 1 - rho in each step has the sum A / rho over all steps. A
decay's loss is whole units, so the mean over phases of the dither is compared: 64 neurons at 16 moments.
`pytest -n 0 -rP tests/sim/test_decay_accuracy.py` prints the errors.
"""

import math

import numpy as np
import pytest
from array_setups import quiet_port, read_state, set_register, write_neurons, write_state

from synloom.compiler.coefficients import decay_coefficients
from synloom.compiler.decay import area, tau_share
from synloom.contract.dither import dither
from synloom_sim.model.arithmetic import decay

NEURONS, MOMENTS = 64, [1000 + 37 * k for k in range(16)]


EXCEPTIONS = {(0.1, 1e7, 32): 4.0, (0.1, 1e7, 64): 2.2}
"""Limits in % where 2 % is not met: 1e8 steps, beyond what the dither was chosen for."""


def coefficient(tau, dt):
    made = decay_coefficients(np.array([tau]), dt)
    return int(made.m[0]), int(made.exponent[0])


def mean_error(a, tau, dt):
    """Return the error of the mean area in %."""
    m, exponent = coefficient(tau, dt)
    areas = [area(a, m, exponent, t, n) for t in MOMENTS for n in range(NEURONS)]
    return 100 * (np.mean(areas) * -math.expm1(-dt / tau) / a - 1)


@pytest.mark.parametrize(("tau", "a"), [(5.0, 40), (200.0, 40), (3000.0, 40), (3.0, 200), (50.0, 256)])
def test_areas_that_skip_are_those_of_every_step(tau, a):
    m, exponent = coefficient(tau, 1.0)
    left, t, total = a, 1234, 0
    while left:
        total, left, t = total + left, int(decay(left, m, exponent, dither(t, 5))), t + 1
    assert total == area(a, m, exponent, 1234, 5)


@pytest.mark.parametrize(("tau", "a"), [(3.0, 10**6), (500.0, 5000), (5000.0, 3000), (2000.0, 10**5)])
def test_areas_of_many_units_are_nearly_those_of_every_step(tau, a):
    m, exponent = coefficient(tau, 1.0)
    left, t, total = a, 0, 0
    while left:
        total, left, t = total + left, int(decay(left, m, exponent, dither(t, 5))), t + 1
    assert area(a, m, exponent, 0, 5) == pytest.approx(total, rel=2e-3)


def test_nothing_decays_without_a_coefficient_and_everything_with_the_largest():
    assert area(7, 0, 4, 0, 0) == math.inf
    assert area(0, 0, 4, 0, 0) == 0
    assert area(7, 0xFFFF, 0, 0, 0) == 7


@pytest.mark.parametrize("tau", [20.0, 1e4, 1e6, 1e8])
@pytest.mark.parametrize("a", [8, 32, 64])
def test_the_report_has_the_mean_area_of_a_pulse(tau, a):
    """Its few phases say within 0.4 units what a thousand say."""
    m, exponent = coefficient(tau, 1.0)
    share = tau_share(a, m, exponent, math.exp(-1.0 / tau))
    assert abs(100 * (share - 1) - mean_error(a, tau, 1.0)) < 40 / a


@pytest.mark.parametrize("tau", [5.0, 20.0, 100.0, 1e4, 1e7])
@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_the_mean_area_of_a_pulse_is_within_2_percent_from_32_units_on(dt, tau):
    for a in (32, 64, *((1000,) if tau < 1000 else ())):
        error = mean_error(a, tau, dt)
        print(f"dt {dt:g} ms, tau {tau:g} ms, {a} units: area {error:+.2f} %")
        assert abs(error) < EXCEPTIONS.get((dt, tau, a), 2.0), (dt, tau, a)


def test_few_slow_pulses_of_32_units_and_more_are_wrong_by_more_than_2_percent():
    # Some time constants above 65,000 steps fit the dither less well.
    rng = np.random.default_rng(0)
    errors = []
    for tau in np.exp(rng.uniform(np.log(65e3), np.log(1e7), 24)):
        a = int(rng.integers(32, 64))
        errors.append(abs(mean_error(a, float(tau), 1.0)))
        print(f"tau {tau:.3g} steps, {a} units: area {errors[-1]:.2f} % off")
    assert max(errors) < 3.4
    assert sum(error > 2.0 for error in errors) <= 4


@pytest.mark.parametrize(
    ("tau", "units"), [(5, 0.8), (20, 0.8), (100, 0.8), (1e4, 0.8), (1e5, 1.2), (1e6, 1.2)]
)
def test_a_small_pulse_is_wrong_by_about_a_unit_at_most_and_not_by_most_of_it(tau, units):
    # The limit of the dither: 0.3 to 0.7 units are lost or won, and up to 1.1 of slow ones.
    for a in (2, 8, 16):
        error = mean_error(a, float(tau), 1.0) * a / 100
        print(f"tau {tau:g} steps, {a} units: {error:+.2f} units")
        assert abs(error) < units, (tau, a)


def state_port(state_bits, tau, dt, **neuron):
    """A port with 64 neurons without threshold whose decays all have a time constant."""
    m, exponent = coefficient(tau, dt)
    port = quiet_port(neurons=NEURONS, state_bits=state_bits)
    values = {
        "dm": m,
        "exponent_m": exponent,
        "dth": m,
        "exponent_th": exponent,
        "thr": port.params.state_max,
    }
    write_neurons(port, [values | neuron] * NEURONS)
    set_register(port, "sweep_count", NEURONS)
    return port


@pytest.mark.parametrize("tau", [5.0, 20.0])
@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("bits", [12, 16, 18, 24])
def test_potentials_of_each_width_have_the_area_of_an_exponential(bits, dt, tau):
    port = state_port(bits, tau, dt)
    total = np.zeros(NEURONS)
    write_state(port, v=[200] * NEURONS)
    while any(v := read_state(port)["v"]):
        total += v
        port.model.step()
    assert total.mean() * -math.expm1(-dt / tau) / 200 == pytest.approx(1, abs=0.02)


def test_slow_states_keep_their_value():
    # 0.05 mV of a threshold of 15 mV with 18 bits: after 2 s at 1e7 ms nothing is lost.
    port = state_port(18, 1e7, 1.0)
    set_register(port, "mode", 2)
    write_state(port, theta=[400] * NEURONS, v=[0] * NEURONS)
    for _ in range(2000):
        port.model.step()
    assert np.mean(read_state(port)["theta"]) == pytest.approx(400, abs=0.25)


@pytest.mark.parametrize("one", [4096, 256, 127])
def test_a_trace_is_right_after_two_time_constants(one):
    # 1000 ms at dt = 0.1 ms; traces of 16, 12 and 8 bits.
    m, exponent = coefficient(1000.0, 0.1)
    trace = np.full(len(MOMENTS), one)
    for k in range(20000):
        trace = decay(trace, m, exponent, [dither(moment + k) for moment in MOMENTS])
    assert trace.mean() / one == pytest.approx(math.exp(-2), rel=0.01)


def test_zero_is_reached_and_kept():
    for dt, tau in ((1.0, 5.0), (0.1, 1000.0), (1.0, 1e7)):
        m, exponent = coefficient(tau, dt)
        assert area(1, m, exponent, 77, 3) < 5 * tau / dt
        assert int(decay(0, m, exponent, 0xFFFFFFFF)) == 0
