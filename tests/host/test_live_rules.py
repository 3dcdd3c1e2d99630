"""Changes of learning rules between two runs: by closed forms, and by networks compiled with the values."""

import numpy as np
import pytest
from small_networks import open_model

from synloom import (
    LIF,
    STDP,
    AllToAll,
    InputPopulation,
    Network,
    NetworkError,
    PairRule,
    ParameterError,
    PoissonInput,
    Population,
    Projection,
    Snapshot,
    SynloomWarning,
    TraceTarget,
    compile,
    connect,
)

TAU = 20.0


def pairs(rule, *, dt=1.0, sources=1):
    """Inputs whose synapses learn by a rule, and neurons that are forced to fire."""
    network = Network(dt=dt, seed=1)
    cells = network.add(Population(2, LIF(tau_syn_E=0.0, tau_syn_I=0.0), label="cells"))
    for k in range(sources):
        source = network.add(InputPopulation(2, label=f"in{k}"))
        network.add(Projection(source, cells, AllToAll(), weight=0.0, plasticity=rule, label=f"w{k}"))
    return network


def change(device, pre, post, label="w0"):
    """Change of the weight between channel 0 and neuron 0 by spikes at these times, ms."""
    before = device.read_weights(label)[0, 0]
    device.inject(label.replace("w", "in"), [(time, 0) for time in pre])
    device.inject("cells", [(time, 0) for time in post])
    device.run(100.0)
    device.reset()
    return device.read_weights(label)[0, 0] - before


@pytest.mark.parametrize("target", ["model", "fast", "sim"])
def test_amplitudes_act_from_the_next_step_on(target):
    rule = STDP(A_plus=0.2, A_minus=0.3, w_min=-8.0, w_max=8.0)
    with connect(target, compile(pairs(rule))) as device:
        lsb = 8.0 / device.image.params.weight_max
        for a_plus, a_minus in ((0.2, 0.1), (0.05, 0.3), (-0.1, -0.2), (0.0, 0.1)):
            device.set_rule("w0", A_plus=a_plus, A_minus=a_minus)
            for s in (3.0, 11.0):
                up, down = change(device, [5.0], [5.0 + s]), change(device, [5.0 + s], [5.0])
                # One pair: A exp(-s / tau) of the range, to one unit of the weight.
                assert up == pytest.approx(16.0 * a_plus * np.exp(-s / TAU), abs=1.01 * lsb)
                assert down == pytest.approx(-16.0 * a_minus * np.exp(-s / TAU), abs=1.01 * lsb)


def test_offsets_have_the_names_of_the_rule():
    device = open_model(pairs(TraceTarget(A=0.2, target=0.2, w_min=-8.0, w_max=8.0)))
    lsb = 8.0 / device.image.params.weight_max
    for target in (0.2, 0.5, 0.0):
        device.set_rule("w0", target=target)
        assert change(device, [], [50.0]) == pytest.approx(-16.0 * 0.2 * target, abs=1.01 * lsb)
    device = open_model(pairs(PairRule(A_pre=0.2, y0=0.3, w_min=-8.0, w_max=8.0)))
    device.set_rule("w0", A_pre=0.1, y0=0.4)
    assert change(device, [50.0], []) == pytest.approx(16.0 * 0.1 * -0.4, abs=1.01 * lsb)


@pytest.mark.parametrize("target", ["model", "fast"])
def test_a_change_is_that_of_a_network_compiled_with_it(target):
    def learner(**amplitudes):
        network = Network(seed=3)
        source = network.add(PoissonInput(12, rate=40.0, label="in"))
        cells = network.add(Population(8, LIF(), label="cells"))
        rule = STDP(**{"A_plus": 0.02, "A_minus": 0.015, "w_max": 4.0, **amplitudes})
        network.add(Projection(source, cells, AllToAll(), weight=1.5, plasticity=rule, label="w"))
        return compile(network)

    wanted = {"A_plus": 0.012, "A_minus": 0.025}
    with connect(target, learner()) as changed, connect(target, learner(**wanted)) as made:
        assert changed.image.registers["one_x"] == made.image.registers["one_x"]
        changed.set_rule("w", **wanted)
        for device in (changed, made):
            device.run(300.0)
        weights = changed.read_weights("w")
        assert np.array_equal(weights, made.read_weights("w"))
        assert weights.std() > 0.1


def test_a_snapshot_has_the_rule_and_a_load_ends_it(tmp_path):
    device = open_model(pairs(STDP(A_plus=0.2, A_minus=0.3, w_min=-8.0, w_max=8.0)))
    first = change(device, [5.0], [8.0])
    device.set_rule("w0", A_plus=-0.2)
    device.snapshot().save(tmp_path / "state.snap")
    other = connect("fast", device.image)
    other.restore(Snapshot.load(tmp_path / "state.snap"))
    assert change(other, [5.0], [8.0]) == pytest.approx(-first, abs=0.2)
    other.set_rule("w0", A_minus=0.1)
    assert change(other, [5.0], [8.0]) == pytest.approx(-first, abs=0.2)
    other.load(other.image)
    assert change(other, [5.0], [8.0]) == first


def test_equal_rules_that_share_their_place_change_together():
    device = open_model(pairs(STDP(A_plus=0.2, A_minus=0.3, w_min=-8.0, w_max=8.0), sources=2))
    before = device.snapshot().digest()
    with pytest.raises(ParameterError, match=r"set_rule\(\['w0', 'w1'\], ...\)"):
        device.set_rule("w0", A_minus=0.2)
    assert device.snapshot().digest() == before
    device.set_rule(["w0", "w1"], A_minus=-0.2)
    for label in ("w0", "w1"):
        assert change(device, [8.0], [5.0], label) == pytest.approx(16.0 * 0.2 * np.exp(-3 / TAU), abs=0.2)
    # Columns are of one projection each.
    device.set_rule("w1", A_plus=0.0)
    assert change(device, [5.0], [8.0], "w1") == 0.0
    assert change(device, [5.0], [8.0], "w0") > 1.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "set_rule needs a parameter to change; A_minus, A_plus of 'w0' can change"),
        ({"tau_plus": 10.0}, "'tau_plus' of the rule of 'w0' cannot be changed while it is loaded"),
        ({"A_plus": 1e3}, "A_plus of 'w0' must be in -"),
        ({"A_plus": 1e308}, "A_plus of 'w0' must be in -"),
        ({"A_plus": np.nan}, "A_plus must be"),
        ({"A_plus": [0.1]}, "A_plus must be"),
        ({"A_plus": True}, "A_plus must be"),
        ({"target": 0.1}, "'target' of the rule"),
    ],
)
def test_a_wrong_value_is_refused_and_changes_nothing(values, message):
    device = open_model(pairs(STDP(w_min=-8.0, w_max=8.0)))
    before = device.snapshot().digest()
    with pytest.raises(ParameterError, match=message):
        device.set_rule("w0", **values)
    assert device.snapshot().digest() == before


def test_what_the_image_lacks_is_named():
    device = open_model(pairs(TraceTarget()))
    with pytest.raises(NetworkError, match="nobody"):
        device.set_rule("nobody", A=0.1)
    with pytest.raises(ParameterError, match="not an empty sequence"):
        device.set_rule([], A=0.1)
    with pytest.raises(ParameterError, match="target of 'w0' must be in 0"):
        device.set_rule("w0", target=1e3)
    network = pairs(STDP(A_minus=0.0))
    cells = network.populations[0]
    network.add(Projection(cells, cells, AllToAll(), weight=-0.5, label="static"))
    device = open_model(network)
    with pytest.raises(ParameterError, match="'A_minus' of the rule of 'w0' cannot be changed"):
        device.set_rule("w0", A_minus=0.1)
    with pytest.raises(ParameterError, match="'static' has no learning rule"):
        device.set_rule("static", A_plus=0.1)


def test_what_rounding_changes_is_warned_of():
    device = open_model(pairs(STDP(A_plus=0.2, rounding="nearest", w_min=-8.0, w_max=8.0)))
    with pytest.warns(SynloomWarning, match=r"A_plus of .w0. are changed .*: 0.001 .* becomes 0"):
        device.set_rule("w0", A_plus=0.001)
    device = open_model(pairs(STDP(A_plus=0.2, w_min=-8.0, w_max=8.0)))
    with pytest.warns(SynloomWarning, match="A_plus of 'w0' are changed"):
        device.set_rule("w0", A_plus=1e-7)
