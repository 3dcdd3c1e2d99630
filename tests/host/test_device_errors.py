"""What devices refuse, and how they survive it."""

import numpy as np
import pytest
from small_networks import BreakingPort, learner, open_model, relay

from synloom import (
    LIF,
    AllToAll,
    ArrayParams,
    CapacityError,
    Device,
    DeviceError,
    InputPopulation,
    LinkError,
    MismatchError,
    Network,
    NetworkError,
    ParameterError,
    PoissonInput,
    Population,
    Projection,
    compile,
    connect,
)
from synloom_sim.model_port import ModelPort

# ---- runs --------------------------------------------------------------------------------------


def test_images_for_other_arrays_are_refused_with_the_difference():
    image = compile(relay())
    device = Device(ModelPort(image.params.replace(neurons=32, state_bits=20)))
    with pytest.raises(MismatchError, match="neurons: 16 in the image, 32 in the device; state_bits: 24"):
        device.load(image)
    with pytest.raises(DeviceError, match="no image is loaded"):
        device.run(1.0)


def test_images_run_on_arrays_that_differ_in_speed_only():
    image = compile(relay())
    device = Device(ModelPort(image.params.replace(lanes=1, neuron_lanes=1, clock_hz=12_000_000)))
    device.load(image)
    assert device.step({"in": [0]})["out"].tolist() == [0]


@pytest.mark.parametrize("countdown", [1, 3, 6, 9])
def test_a_load_that_breaks_leaves_nothing_loaded(countdown):
    image = compile(learner())
    port = BreakingPort(image.params)
    device = Device(port)
    device.load(image)
    port.break_at("write", countdown, LinkError("the cable was pulled"))
    with pytest.raises(LinkError):
        device.load(image)
    with pytest.raises(DeviceError, match="no image is loaded, because a load was cut short; call"):
        device.run(1.0)
    device.load(image)
    assert (device.run(100.0).raster("out") == open_model(learner()).run(100.0).raster("out")).all()


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), LinkError("noise")])
def test_a_run_that_is_interrupted_leaves_the_device_usable(fault):
    image = compile(learner())
    port = BreakingPort(image.params)
    device = Device(port)
    device.load(image)
    port.break_at("records", 3, fault)
    with pytest.raises(type(fault)):
        device.run(10_000.0)
    stopped = device.time
    assert 0.0 < stopped < 10_000.0
    assert device.run(10.0).raster("out").shape == (10, 20)
    assert device.time == stopped + 10.0
    device.reset("all")
    assert (device.run(100.0).raster("out") == open_model(learner()).run(100.0).raster("out")).all()


def test_a_run_left_over_from_before_is_ended_by_a_load():
    image = compile(learner())
    port = ModelPort(image.params)
    Device(port).load(image)
    port.run(100_000)
    device = Device(port)
    device.load(image)
    assert (device.run(100.0).raster("out") == open_model(learner()).run(100.0).raster("out")).all()


def test_closing_is_final_and_may_be_repeated():
    with open_model(relay()) as device:
        device.run(1.0)
    device.close()
    for call in (lambda: device.run(1.0), device.counters, lambda: device.load(compile(relay()))):
        with pytest.raises(DeviceError, match="the device is closed; connect"):
            call()
    with pytest.raises(DeviceError, match="because the device is closed"):
        _ = device.time


CALLS = [
    (lambda d: d.load("image"), ParameterError, "needs an Image"),
    (lambda d: d.run(-1.0), ParameterError, "duration must be at least 0"),
    (lambda d: d.run(0.5), ParameterError, "multiple of dt"),
    (lambda d: d.run(float("nan")), ParameterError, "duration"),
    (lambda d: d.run("1"), ParameterError, "duration"),
    (lambda d: d.run(1e12), ParameterError, "number of steps"),
    (lambda d: d.run(1.0, paced=1), ParameterError, "paced must be True or False"),
    (lambda d: d.step({"off": [1]}), NetworkError, "no population 'off'; it has 'in', 'out'"),
    (lambda d: d.step({"in": [30]}), ParameterError, r"in 0\.\.29, not 30"),
    (lambda d: d.step({"in": [0.5]}), ParameterError, "float64"),
    (lambda d: d.step({"in": np.ones(4, dtype=bool)}), ParameterError, r"shape \(30,\)"),
    (lambda d: d.inject("in", [(1.0, -1)]), ParameterError, "not -1"),
    (lambda d: d.inject("in", [(-1.0, 0)]), ParameterError, "at least 0 ms from now, not -1 ms"),
    (lambda d: d.inject("in", [(np.nan, 0)]), ParameterError, "finite .* not nan"),
    (lambda d: d.inject("in", np.ones((5, 4), dtype=bool)), ParameterError, r"shape \(T, 30\)"),
    (lambda d: d.inject("in", np.ones((5, 30))), ParameterError, "raster of bool or uint8"),
    (lambda d: d.inject("in", [(1.0, 2), (3.0,)]), ParameterError, "must be numbers"),
    (lambda d: d.inject("in", "spikes"), ParameterError, "must be numbers .* not 'spikes'"),
    (lambda d: d.set_rates("in", -1.0), ParameterError, "hz must be at least 0"),
    (lambda d: d.set_rates("in", 2000.0), ParameterError, "1000 Hz"),
    (lambda d: d.set_rates("in", [1.0, 2.0]), ParameterError, "length 30, not of length 2"),
    (lambda d: d.set_rates("in", 1.0, bits=13), ParameterError, r"bits must be in 1\.\.12"),
    (lambda d: d.set_offset("out", np.inf), ParameterError, "current must be a finite number"),
    (lambda d: d.set_offset("out", 1e9), ParameterError, r"must be in -[0-9.]+\.\.[0-9.]+ nA, not 1e\+09 nA"),
    (lambda d: d.set_reward(200.0), ParameterError, "reward must be in"),
    (lambda d: d.set_learning(1), ParameterError, "True or False"),
    (lambda d: d.record("nobody"), NetworkError, "no population 'nobody'; it has 'out', 'in'"),
    (lambda d: d.record("in", "v"), ParameterError, "it has trace"),
    (lambda d: d.record("out", "u"), ParameterError, "spikes, v, isyn_exc"),
    (lambda d: d.record("out", "v", [20]), ParameterError, r"indices must be in 0\.\.19, not 20"),
    (lambda d: d.record("out", "v", [0.5]), ParameterError, "whole numbers"),
    (lambda d: d.record("out", "v", [0], every=0.5), ParameterError, "every"),
    (lambda d: d.record("out", "spikes", [0]), ParameterError, "whole populations"),
    (lambda d: d.read_weights("v"), NetworkError, "no projection 'v'; it has 'w', 'lateral'"),
    (lambda d: d.write_weights("w", np.zeros((2, 2))), ParameterError, r"shape \(30, 20\), not \(2, 2\)"),
    (lambda d: d.write_weights("w", np.full((30, 20), 9.0)), ParameterError, "not 9; compile"),
    (lambda d: d.write_weights("w", np.full((30, 20), np.nan)), ParameterError, "needs a weight"),
    (lambda d: d.write_weights("lateral", np.zeros((20, 20))), ParameterError, "has no synapse"),
    (lambda d: d.write_weights("w", "zeros"), ParameterError, "must be numbers .* not 'zeros'"),
    (lambda d: d.reset("weights"), ParameterError, "'dynamics', 'all'"),
    (lambda d: d.spike_counts("in"), NetworkError, "no population of neurons 'in'"),
]


@pytest.mark.parametrize(("call", "error", "words"), CALLS)
def test_one_clear_error_and_nothing_changes(call, error, words):
    device = open_model(learner())
    with pytest.raises(error, match=words):
        call(device)
    assert (device.run(60.0).raster("out") == open_model(learner()).run(60.0).raster("out")).all()


def test_rates_of_populations_without_generators_are_refused():
    with pytest.raises(NetworkError, match="make it a PoissonInput"):
        open_model(relay()).set_rates("in", 5.0)


def test_features_that_are_not_there_are_named():
    network = relay()
    params = compile(network).params.replace(spike_counters=False, adaptation=False, generators=False)
    device = open_model(network, params)
    with pytest.raises(CapacityError, match="spike_counters=True"):
        device.spike_counts("out")
    with pytest.raises(CapacityError, match="adaptation=True"):
        device.record("out", "theta", [0])
    device.reset()
    device.run(3.0)
    assert "theta" not in device.read_state("out")


def test_connect_opens_the_model():
    device = connect("model", ArrayParams(inputs=16, neurons=16))
    assert device.params.neurons == 16
    device.load(compile(relay(), device.params))
    assert device.step({"in": [2]})["out"].tolist() == [2]


def test_present_counts_only_its_own_spikes_and_a_refused_one_leaves_nothing():
    network = Network()
    kicks = network.add(InputPopulation(3, label="kicks"))
    rates = network.add(PoissonInput(2, rate=0.0, label="rates"))
    cells = network.add(Population(4, LIF(tau_syn_E=0.0), label="cells"))
    network.add(Projection(kicks, cells, AllToAll(), weight=30.0))
    network.add(Projection(rates, cells, AllToAll(), weight=30.0))
    with connect("model", compile(network)) as device:
        device.inject("kicks", np.ones((20, 3), bool))
        device.run(20.0)
        assert not device.present({"rates": 0.0}, 10.0)["cells"].any()
        for stimuli in (
            {"rates": 900.0, "nobody": 1.0},
            {"kicks": np.ones((11, 3), bool)},
            [1],
            {"rates": "x"},
        ):
            with pytest.raises((ParameterError, NetworkError)):
                device.present(stimuli, 10.0)
        with pytest.raises((ParameterError, NetworkError)):
            device.step({"kicks": [0], "nobody": [1]})
        with pytest.raises(ParameterError, match="mapping"):
            device.step([1, 2])
        assert not device.present({}, 20.0)["cells"].any()
        assert len(device.step({"kicks": np.array([0, 1, 0], np.uint8)})["cells"]) == 4


def test_an_image_that_does_not_fit_leaves_the_old_one():
    network = Network()
    network.add(Population(4, LIF(), label="cells"))
    image = compile(network)
    with connect("model", image) as device:
        with pytest.raises(MismatchError):
            device.load(compile(network, image.params.replace(neurons=90)))
        device.run(3.0)


def test_features_that_the_array_lacks_are_refused():
    network = Network()
    network.add(Population(4, LIF(), label="cells"))
    params = compile(network).params.replace(
        plasticity=False,
        soft_bounds=False,
        stochastic_rounding=False,
        reward=False,
        adaptation=False,
        spike_counters=False,
    )
    with connect("model", compile(network, params)) as device:
        for refused in (
            lambda: device.set_adaptation(True),
            lambda: device.set_learning(True),
            lambda: device.set_reward(0.5),
            lambda: device.present({}, 5.0),
        ):
            with pytest.raises(CapacityError, match="replace"):
                refused()
        assert device.time == 0.0
        device.reset()
