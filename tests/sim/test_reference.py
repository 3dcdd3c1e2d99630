"""The float reference against closed forms and a solver of differential equations."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from synloom_sim.reference import (
    LifNeurons,
    PairStdp,
    ReferenceNetwork,
    current_propagator,
    offset_propagator,
)

NO_RECURRENCE = np.full((1, 1), np.nan)


def one_neuron(weight=np.nan, dt=0.1, stdp=None, **neuron):
    return ReferenceNetwork(LifNeurons(**neuron), np.vstack([[[weight]], NO_RECURRENCE]), dt, stdp=stdp)


@pytest.mark.parametrize("tau_syn", [2.0, 10.0, 10.0 + 1e-9, 30.0])
def test_propagator_solves_the_membrane_equation(tau_syn):
    solution = solve_ivp(
        lambda t, s: [-s[0] / 10.0 + s[1], -s[1] / tau_syn], (0, 0.5), [0.0, 1.0], rtol=1e-10, atol=1e-12
    )
    assert current_propagator(10.0, tau_syn, 0.5) == pytest.approx(solution.y[0, -1], rel=1e-7)


def test_propagator_of_a_delta_synapse_is_one():
    assert current_propagator([5.0, 10.0], 0.0, 0.1).tolist() == [1.0, 1.0]


def test_potential_follows_both_currents():
    network = ReferenceNetwork(
        LifNeurons(tau_m=20.0, tau_syn_E=5.0, tau_syn_I=8.0, v_thresh=1e9, i_offset=0.3),
        [[2.0], [-1.5], [np.nan]],
        0.1,
    )
    network.step([0, 1])
    for _ in range(149):
        network.step([])
    solution = solve_ivp(
        lambda t, s: [-s[0] / 20 + s[1] - s[2] + 0.3, -s[1] / 5, -s[2] / 8],
        (0, 15.0),
        [0.0, 2.0, 1.5],
        rtol=1e-10,
        atol=1e-12,
    )
    assert network.v[0] == pytest.approx(solution.y[0, -1], rel=1e-7)


def test_constant_current_fires_with_the_textbook_period():
    network = one_neuron(tau_m=20.0, v_thresh=15.0, i_offset=1.0, refractory=20)
    fired = [t for t in range(5000) if len(network.step([]))]
    period = 20.0 * np.log(20.0 / 5.0) + 20 * 0.1
    assert np.diff(fired) == pytest.approx(period / 0.1, abs=1.0)


def test_offset_brings_v_to_its_asymptote():
    assert offset_propagator(20.0, 1000.0) == pytest.approx(20.0)


def test_reset_by_subtraction_keeps_the_rest():
    network = one_neuron(25.0, tau_m=20.0, v_thresh=15.0, v_reset=15.0, subtract=True)
    assert network.step([0]).tolist() == [0]
    assert network.v[0] == pytest.approx(10.0)


def test_threshold_adapts_and_recovers():
    network = one_neuron(16.0, tau_m=1e-3, v_thresh=15.0, theta_step=2.0, tau_theta=10.0)
    fired = [bool(len(network.step([0]))) for _ in range(20)]
    recovered = int(np.ceil(np.log(2.0) * 10.0 / 0.1))
    assert fired == [True] + [False] * 19
    assert [bool(len(network.step([0]))) for _ in range(recovered - 19)][-1]


def test_spikes_reach_other_neurons_after_the_delay():
    weights = np.full((3, 2), np.nan)
    weights[0, 0] = 20.0
    weights[1, 1] = 20.0
    network = ReferenceNetwork(LifNeurons(tau_m=20.0), weights, 0.1, delay=4)
    assert [network.step([0] if t == 0 else []).tolist() for t in range(6)] == [[0], [], [], [], [1], []]


@pytest.mark.parametrize(("nearest", "before"), [(False, 1.0 + np.exp(-0.5)), (True, 1.0)])
def test_pairs_add_up_with_their_exponentials(nearest, before):
    stdp = PairStdp(
        A_plus=0.1, A_minus=0.2, tau_plus=10.0, tau_minus=20.0, w_min=-100, w_max=100, nearest=nearest
    )
    network = one_neuron(5.0, dt=1.0, stdp=stdp, tau_m=20.0, v_thresh=9.0)
    for t in range(7):
        network.step([0] if t in (0, 5) else [])
        if t == 6:
            network.v[0] = 100.0
    fired = network.step([])
    assert fired.tolist() == [0]
    # Two pre spikes, 7 and 2 steps before: x had decayed 3 times since the second one's step began.
    potentiated = 5.0 + 0.1 * before * np.exp(-0.3)
    assert network.weights[0, 0] == pytest.approx(potentiated)
    network.step([])
    network.step([0])
    # y rose after the decay of its own step and decayed once since.
    assert network.weights[0, 0] == pytest.approx(potentiated - 0.2 * np.exp(-1 / 20.0))


def test_weights_stay_within_bounds():
    stdp = PairStdp(A_plus=50.0, A_minus=0.0, tau_plus=10.0, tau_minus=10.0, w_min=0.0, w_max=21.0)
    network = one_neuron(20.0, stdp=stdp, tau_m=20.0)
    network.step([0])
    assert network.weights[0, 0] == 21.0
