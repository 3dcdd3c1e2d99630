"""Changes between two runs: parameters of neurons act from the next step on, and only where they were set."""

import numpy as np
import pytest
from small_networks import delta_cell, learner, open_model

from synloom import (
    LIF,
    AllToAll,
    ArrayParams,
    CapacityError,
    InputPopulation,
    Network,
    NetworkError,
    ParameterError,
    Population,
    Projection,
    SynloomWarning,
    compile,
    connect,
)


def driven(dt=1.0, **cell):
    """Two populations that get 6 mV in every step, without a leak."""
    network = Network(dt=dt, seed=1)
    source = network.add(InputPopulation(1, label="in"))
    for label in ("a", "b"):
        target = network.add(Population(3, delta_cell(tau_m=np.inf, **cell), label=label, v_range=200.0))
        network.add(Projection(source, target, AllToAll(), weight=6.0, label=f"to {label}"))
    return network


def intervals(device, label, steps=60):
    """Steps from spike to spike of each neuron, with a spike of the input in every step."""
    device.inject("in", np.ones((steps, 1), dtype=bool))
    raster = device.run(steps * device.image.dt).raster(label)
    return [set(np.diff(np.flatnonzero(raster[:, k])).tolist()) for k in range(raster.shape[1])]


@pytest.mark.parametrize("target", ["model", "fast", "sim"])
def test_a_threshold_acts_from_the_next_step_on(target):
    # 6 mV a step from -65 mV: -50 is reached by the third, -40 by the fifth, -30 by the sixth.
    with connect(target, compile(driven())) as device:
        assert intervals(device, "a") == [{3}, {3}, {3}]
        device.set_neurons("a", v_thresh=[-50.0, -40.0, -30.0])
        assert intervals(device, "a") == [{3}, {5}, {6}]
        assert intervals(device, "b") == [{3}, {3}, {3}]


def test_a_change_is_that_of_a_network_compiled_with_it():
    values = {"v_thresh": -45.0, "v_reset": -60.0, "tau_refrac": 4.0}
    changed, made = open_model(driven()), open_model(driven(**values))
    changed.set_neurons("a", **values)
    changed.set_neurons("b", **values)
    for device in (changed, made):
        device.reset()
    assert intervals(changed, "a") == intervals(made, "a") != intervals(open_model(driven()), "a")
    assert (changed.read_state("b")["v"] == made.read_state("b")["v"]).all()


def test_the_reset_by_subtraction_follows_both_potentials():
    # A spike takes what the threshold is above the reset: 15, then 25, then 35 mV of 6 a step.
    device = open_model(driven(reset_mode="subtract"))
    for values, mean in (({}, 2.5), ({"v_thresh": -40.0}, 25 / 6), ({"v_reset": -75.0}, 35 / 6)):
        if values:
            device.set_neurons("a", **values)
        device.reset()
        device.inject("in", np.ones((300, 1), dtype=bool))
        assert device.run(300.0).counts("a") == pytest.approx([300 / mean] * 3, abs=2)


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_a_refractory_time_is_whole_steps(dt):
    device = open_model(driven(dt=dt))
    device.set_neurons("b", tau_refrac=7 * dt)
    assert intervals(device, "b") == [{10}] * 3


def test_adaptation_can_be_set_and_needs_its_time_constant_once():
    device = open_model(driven())
    with pytest.raises(ParameterError, match="give tau_theta, too"):
        device.set_neurons("a", theta_plus=1.0)
    device.set_neurons("a", theta_plus=2.0, tau_theta=np.inf)
    device.set_adaptation(True)
    device.inject("in", np.ones((100, 1), dtype=bool))
    counts = device.run(100.0).counts("a")
    theta = device.read_state("a")["theta"]
    assert theta == pytest.approx(2.0 * counts, rel=0.01)
    device.set_neurons("a", tau_theta=50.0)
    device.run(50.0)
    assert device.read_state("a")["theta"] == pytest.approx(theta * np.exp(-1), rel=0.01)


def test_changes_stay_beside_each_other_and_a_load_ends_them():
    device = open_model(driven())
    device.set_neurons("a", v_thresh=-40.0)
    device.set_offset("a", 0.0)
    device.set_neurons("a", tau_refrac=2.0)
    assert intervals(device, "a") == [{7}] * 3
    device.load(device.image)
    assert intervals(device, "a") == [{3}] * 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "give one of v_thresh"),
        ({"tau_m": 10.0}, "'tau_m' of 'a' cannot be changed while it is loaded"),
        ({"v_thresh": -70.0}, "neuron 0 would have -65 and -70 mV"),
        ({"v_thresh": 1e6}, "v_thresh of 'a' must be in "),
        ({"v_thresh": [1.0, 2.0]}, "of length 3, not of length 2"),
        ({"v_thresh": np.nan}, "v_thresh must be"),
        ({"v_reset": -20.0}, "would fire in every step"),
        ({"tau_refrac": 256.0}, "at most 255 steps"),
        ({"tau_refrac": -1.0}, "tau_refrac must be at least 0"),
        ({"tau_theta": 0.0}, "tau_theta must be"),
    ],
)
def test_a_wrong_value_is_refused_and_changes_nothing(values, message):
    device = open_model(driven())
    before = device.snapshot().digest()
    with pytest.raises(ParameterError, match=message):
        device.set_neurons("a", **values)
    assert device.snapshot().digest() == before


def test_what_the_array_or_the_image_lacks_is_named():
    network = Network()
    network.add(Population(2, LIF(), label="cells"))
    device = open_model(network, ArrayParams(adaptation=False))
    with pytest.raises(CapacityError, match="adaptation"):
        device.set_neurons("cells", theta_plus=1.0)
    with pytest.raises(NetworkError, match="nobody"):
        device.set_neurons("nobody", v_thresh=-50.0)


def test_what_rounding_changes_is_warned_of():
    device = open_model(learner())
    with pytest.warns(SynloomWarning, match="tau_refrac of 'out' are changed"):
        device.set_neurons("out", tau_refrac=1.4)
