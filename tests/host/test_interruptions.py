"""After an interruption a device goes on where it stopped; it serves one thread; rates return."""

import threading

import numpy as np
import pytest
from small_networks import BreakingPort, delta_cell, learner, relay

from synloom import (
    AllToAll,
    Device,
    DeviceError,
    FixedProbability,
    InputPopulation,
    LinkError,
    Network,
    OneToOne,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    Uniform,
    compile,
)
from synloom.contract.frames import RunFlag
from synloom_sim.model_port import ModelPort


def loaded(network, port=BreakingPort, **changes):
    image = compile(network)
    device = Device(port(image.params.replace(**changes)))
    device.load(image)
    return device


# ---- runs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("countdown", [1, 2, 5, 9])
@pytest.mark.parametrize("event_words", [256, 8192])
def test_an_interrupted_run_goes_on_with_the_spikes_that_are_not_yet_due(countdown, event_words):
    raster = np.random.default_rng(4).random((3000, 4)) < 0.3
    device = loaded(relay(), event_words=event_words)
    device.record("out", "v", [0])
    device.inject("in", raster)
    device.port.break_at("records", countdown, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        device.run(3000.0)
    stopped = round(device.time)
    assert 0 <= stopped < 3000
    rest = device.run(3000.0 - stopped)
    assert (rest.raster("out") == raster[stopped:]).all()
    assert device.counters()["spikes"] == raster.sum()
    assert device.counters().losses == {}


def test_spikes_that_are_in_the_array_already_are_not_sent_again():
    device = loaded(relay(), ModelPort)
    device.inject("in", np.ones((100, 4), bool))
    queue = device._session.queue
    words = queue.take(40)
    port = device.port
    assert port.events(words)
    port.run(100, RunFlag.GATED)
    for _ in range(10):  # step 39 waits: its events are in the wheel, and more might come
        port.records(0.01)
    with pytest.raises(KeyboardInterrupt), device._session._guard():
        raise KeyboardInterrupt
    assert device.time == 39.0
    assert device.run(61.0).raster("out").all()
    assert device.counters().losses == {}


def test_an_array_that_cannot_be_stopped_must_be_loaded_again():
    class Deaf(BreakingPort):
        def control(self, action):
            raise LinkError("the cable was pulled")

    device = loaded(learner(), Deaf)
    device.port.break_at("records", 2, KeyboardInterrupt())
    with pytest.raises(LinkError):
        device.run(10_000.0)
    with pytest.raises(DeviceError, match="no image is loaded, because a run was cut short; call"):
        device.run(1.0)


@pytest.mark.parametrize("countdown", [1, 2])
def test_a_reset_that_is_cut_short_needs_a_load(countdown):
    device = loaded(learner())
    device.run(20.0)
    device.port.break_at("write", countdown, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        device.reset()
    with pytest.raises(DeviceError, match="because a reset was cut short"):
        device.run(1.0)


# ---- writes ------------------------------------------------------------------------------------


def two_targets():
    """Weights whose rows do not follow one another in the array, so that each is a write of its own."""
    network = Network(seed=2)
    source = network.add(InputPopulation(6, label="in"))
    for label in ("one", "two"):
        target = network.add(Population(5, delta_cell(), label=label))
        network.add(Projection(source, target, AllToAll(), weight=Uniform(2.0, 9.0), label=f"to {label}"))
    return network


@pytest.mark.parametrize("countdown", [1, 2, 4, 6])
def test_a_write_of_weights_that_was_cut_short_is_finished_by_the_next_call(countdown):
    device = loaded(two_targets())
    new = device.read_weights("to two")[::-1].copy()
    device.port.break_at("write", countdown, RuntimeError("no more"))
    with pytest.raises(RuntimeError):
        device.write_weights("to two", new)
    assert device.read_weights("to two").tolist() == new.tolist()


def test_what_is_finished_comes_before_what_is_asked_next():
    device = loaded(two_targets())
    old = device.read_weights("to one")
    device.port.break_at("write", 3, RuntimeError("no more"))
    with pytest.raises(RuntimeError):
        device.write_weights("to one", old[::-1])
    device.write_weights("to one", np.full_like(old, 4.0))
    assert np.ptp(device.read_weights("to one")) == 0.0


@pytest.mark.parametrize("call", ["load", "restore", "forget"])
def test_a_load_leaves_nothing_to_finish(call):
    device = loaded(two_targets())
    taken, old = device.snapshot(), device.read_weights("to one")
    device.port.break_at("write", 3, RuntimeError("no more"))
    with pytest.raises(RuntimeError):
        device.write_weights("to one", old[::-1])
    image = device.image
    {"load": lambda: device.load(image), "restore": lambda: device.restore(taken), "forget": device.forget}[
        call
    ]()
    if call == "forget":
        device.load(image)
    assert device.read_weights("to one").tolist() == old.tolist()


def test_a_write_that_cannot_be_finished_says_so_again():
    class Unplugged(BreakingPort):
        def write(self, region, offset, values):
            if self.breaks == "always":
                raise LinkError("the cable was pulled")
            super().write(region, offset, values)

    device = loaded(two_targets(), Unplugged)
    device.port.breaks = "always"
    for _ in range(2):
        with pytest.raises(LinkError, match="cable"):
            device.write_weights("to one", device.read_weights("to one"))
    device.port.breaks = ""
    device.run(1.0)


# ---- rates -------------------------------------------------------------------------------------


def generators(rate=500.0):
    network = Network()
    source = network.add(RegularInput(4, rate=rate, label="in"))
    kicks = network.add(InputPopulation(4, label="kicks"))
    target = network.add(Population(4, delta_cell(), label="out"))
    network.add(Projection(source, target, OneToOne(), weight=20.0))
    network.add(Projection(kicks, target, OneToOne(), weight=20.0))
    return network


@pytest.mark.parametrize("rest", [0.0, 10.0])
def test_a_presentation_leaves_the_rates_that_were_set(rest):
    device = loaded(generators())
    assert device.present({"in": [0.0, 250.0, 1000.0, 500.0]}, 40.0, rest=rest)["out"][0] == 0
    # The phase that is left from before may give a spike more or less.
    assert np.abs(device.run(40.0).counts("out") - 20).max() <= 1
    device.set_rates("in", [100.0, 200.0, 250.0, 0.0])
    device.present({"in": 1000.0}, 40.0, rest=rest)
    assert np.abs(device.run(40.0).counts("out") - [4, 8, 10, 0]).max() <= 1


def test_a_presentation_without_rates_leaves_them_on():
    device = loaded(generators())
    # The first spike comes after a whole period: the twentieth would be in step 40.
    assert device.present({}, 40.0)["out"].tolist() == [19] * 4


@pytest.mark.parametrize("countdown", [1, 2])
def test_an_interrupted_presentation_leaves_the_rates_that_were_set(countdown):
    device = loaded(generators(250.0))
    device.port.break_at("records", countdown, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        device.present({"in": 1000.0, "kicks": np.ones((20, 4), bool)}, 40_000.0)
    device.run(100.0)  # the kicks that were not yet due
    assert device.run(40.0).counts("out").tolist() == [10] * 4


def test_a_snapshot_after_an_interrupted_change_of_rates_goes_on_as_the_device_does():
    device = loaded(generators())
    device.port.break_at("write", 1, RuntimeError("no more"))
    with pytest.raises(RuntimeError):
        device.set_rates("in", 1000.0)
    taken = device.snapshot()
    other = loaded(generators())
    other.restore(taken)
    assert device.run(40.0).counts("out").tolist() == other.run(40.0).counts("out").tolist()
    assert device.snapshot().digest() == other.snapshot().digest()


def test_rates_that_cannot_be_restored_need_a_load():
    device = loaded(generators(250.0))
    device.port.break_at("write", 4, LinkError("the cable was pulled"))
    with pytest.raises(LinkError):
        device.present({"in": 1000.0}, 10.0)
    with pytest.raises(DeviceError, match="because a stimulus was cut short"):
        device.run(1.0)


# ---- turns -------------------------------------------------------------------------------------


def test_a_second_thread_is_told():
    entered, leave = threading.Event(), threading.Event()

    class Waiting(ModelPort):
        def records(self, timeout):
            entered.set()
            leave.wait(10.0)
            return super().records(timeout)

    device = loaded(relay(), Waiting)
    entered.clear()
    leave.clear()
    other = threading.Thread(target=device.run, args=(10.0,))
    other.start()
    assert entered.wait(10.0)
    try:
        for call in (
            lambda: device.step(),
            device.counters,
            device.close,
            lambda: device.set_rates("in", 1.0),
        ):
            with pytest.raises(DeviceError, match=r"while another thread is in device\.run"):
                call()
    finally:
        leave.set()
        other.join()
    assert device.time == 10.0
    device.step()


def test_threads_may_take_turns():
    device = loaded(relay())
    for _ in range(3):
        other = threading.Thread(target=device.run, args=(5.0,))
        other.start()
        other.join()
    assert device.time == 15.0


# ---- random streams ----------------------------------------------------------------------------


def drawn(*labels, seed=5):
    network = Network(seed=seed)
    source = network.add(PoissonInput(10, label="in"))
    for label in labels:
        target = network.add(Population(10, delta_cell(), label=f"to {label}"))
        connector = FixedProbability(0.5)
        network.add(Projection(source, target, connector, weight=Uniform(1.0, 5.0), label=label))
    image = compile(network)
    with Device(ModelPort(image.params)) as device:
        device.load(image)
        return {label: device.read_weights(label, raw=True).tolist() for label in labels}


def test_a_projections_draws_depend_on_its_label_and_the_seed_alone():
    alone, first, last = drawn("b"), drawn("b", "a"), drawn("c", "a", "b")
    assert alone["b"] == first["b"] == last["b"]
    assert first["a"] == last["a"] != first["b"]
    assert drawn("b", seed=6)["b"] != alone["b"]
