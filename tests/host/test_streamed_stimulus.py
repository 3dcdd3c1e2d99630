"""A stimulus that comes in chunks acts as if it came at once, in bounded memory; its errors are survived."""

import ctypes
import operator
import os
import queue
import signal
import threading
import time
import tracemalloc

import numpy as np
import pytest
from small_networks import learner, open_model, relay

from synloom import Device, DeviceError, ParameterError, compile
from synloom.contract.regions import Region
from synloom_sim.model_port import ModelPort

RASTER = np.random.default_rng(4).random((3000, 4)) < 0.2


def chunks(raster, rows):
    for begin in range(0, len(raster), rows):
        yield {"in": raster[begin : begin + rows]}


def pairs(raster, rows):
    """Yield the same spikes as pairs, whose times count from the beginning of the run."""
    for begin in range(0, len(raster), rows):
        steps, index = np.nonzero(raster[begin : begin + rows])
        yield {"in": list(zip((steps + begin).astype(float).tolist(), index.tolist(), strict=True))}


def at_once(network, raster, duration):
    device = open_model(network)
    device.inject("in", raster)
    return device, device.run(duration)


def same(ours, theirs):
    assert ours.steps == theirs.steps
    for name in theirs.sizes:
        np.testing.assert_array_equal(ours.spike_steps[name], theirs.spike_steps[name])
        np.testing.assert_array_equal(ours.spike_indices[name], theirs.spike_indices[name])


@pytest.mark.parametrize("form", [chunks, pairs])
@pytest.mark.parametrize("rows", [1, 7, 250, 3000])
@pytest.mark.parametrize("delay", [0.0, 3.0, [0.0, 1.0, 5.0, 40.0]])
def test_the_bits_are_those_of_the_whole_stimulus(form, rows, delay):
    whole, recording = at_once(relay(delay=delay), RASTER, 3050.0)
    device = open_model(relay(delay=delay))
    same(device.run(3050.0, stimulus=form(RASTER, rows)), recording)
    assert device.counters() == whole.counters()
    for region in (Region.CTRL, Region.WHEEL, Region.NEURON_STATE):
        np.testing.assert_array_equal(device.port.read(region, 0, 20), whole.port.read(region, 0, 20))


def test_learning_and_forced_neurons_are_streamed_too():
    network = learner()
    raster = np.random.default_rng(1).random((400, network.inputs[0].n)) < 0.1
    teacher = np.random.default_rng(2).random((400, network.populations[0].n)) < 0.01
    source, target = network.inputs[0].label, network.populations[0].label
    whole, streamed = open_model(network), open_model(network)
    whole.inject(source, raster)
    whole.inject(target, teacher)
    parts = ({source: raster[k : k + 9], target: teacher[k : k + 9]} for k in range(0, 400, 9))
    same(streamed.run(400.0, stimulus=parts), whole.run(400.0))
    for projection in network.projections:
        ours, theirs = (d.read_weights(projection.label, raw=True) for d in (streamed, whole))
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_takes_no_more_chunks_than_it_needs_and_keeps_what_is_due_later():
    taken = []

    def endless():
        while True:
            taken.append(len(taken))
            yield {"in": np.ones((30, 4), bool)}

    device = open_model(relay())
    assert device.run(100.0, stimulus=endless()).raster("out").all()
    assert len(taken) == 4
    assert device.run(40.0).raster("out").sum(axis=1).tolist() == [4] * 20 + [0] * 20


def test_a_mapping_is_one_chunk_and_times_count_from_the_run():
    device = open_model(relay())
    device.run(17.0)
    assert device.run(10.0, stimulus={"in": [(2.0, 3)]}).spikes("out")[0].tolist() == [19.0]


def test_memory_stays_bounded():
    def noise(steps):
        rng = np.random.default_rng(0)
        for _ in range(steps // 100):
            yield {"in": rng.random((100, 4)) < 0.5}

    def peak(steps):
        device = open_model(relay(weight=0.01))
        device.record_nothing()
        tracemalloc.start()
        device.run(float(steps), stimulus=noise(steps))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert device.counters()["row_passes"] > 1.9 * steps
        return most

    short, long = peak(2_000), peak(20_000)
    assert long < 1.2 * short + 100_000


@pytest.mark.parametrize("good", [0, 1, 5])
def test_an_iterator_that_raises_leaves_the_device_where_the_array_stopped(good):
    def broken():
        yield from list(chunks(RASTER, 200))[:good]
        raise OSError("the disk is gone")

    device = open_model(relay())
    with pytest.raises(OSError, match="the disk is gone"):
        device.run(3000.0, stimulus=broken())
    stopped = round(device.time)
    assert stopped <= 200 * good
    rest = device.run(200.0 * good - stopped)
    np.testing.assert_array_equal(rest.raster("out"), RASTER[stopped : 200 * good])
    assert device.counters().losses == {}


def test_a_signal_ends_a_stimulus_that_has_nothing_to_give():
    """A live source may say for hours that nothing has come yet."""

    def idle():
        yield from chunks(RASTER, 20)
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(50):
            asked.append({})
            yield asked[-1]

    asked, device = [], open_model(relay())
    with pytest.raises(KeyboardInterrupt):
        device.run(len(RASTER) + 100.0, stimulus=idle())
    assert not asked
    stopped = round(device.time)
    assert stopped == device.last_recording.steps <= len(RASTER)
    np.testing.assert_array_equal(device.last_recording.raster("out"), RASTER[:stopped])
    np.testing.assert_array_equal(device.run(float(len(RASTER) - stopped)).raster("out"), RASTER[stopped:])


@pytest.fixture
def handler():
    """SIGINT raises, as it does in a program of one's own; what it was comes back."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("handler")
@pytest.mark.parametrize("sent", [0, 2])
def test_one_signal_ends_a_stimulus_that_waits_for_ever(sent):
    """A sensor that says nothing: the thread sends one signal, and the queue stays empty."""
    waits, over, late = threading.Event(), threading.Event(), []

    class Sensor(queue.Queue):
        def get(self, *arguments):
            if self.empty():
                waits.set()
            return super().get(*arguments)

    def interrupt():
        waits.wait()
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
        if not over.wait(20.0):
            late.append("it had to be woken")
            sensor.put(None)

    sensor = Sensor()
    for chunk in list(chunks(RASTER, 50))[:sent]:
        sensor.put(chunk)
    whole = at_once(relay(), RASTER[: 50 * sent], 200.0)[1].raster("out")
    device = open_model(relay())
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        device.run(200.0, stimulus=iter(sensor.get, None))
    over.set()
    thread.join()
    assert not late
    last = device.last_recording
    before = [last.raster("out")] if last else []
    rest = device.run(200.0 - device.time).raster("out")
    assert (np.concatenate([*before, rest]) == whole).all()
    assert whole.any() == bool(sent)


@pytest.mark.usefixtures("handler")
@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_chunk_that_comes_with_a_signal_is_not_lost(at):
    """The iterator is all in C, so the signal acts after it has given its chunk."""
    kill = ctypes.CDLL(None).kill
    parts = list(chunks(RASTER[:400], 100))
    numbers = [int(signal.SIGINT) if k == at else 0 for k in range(len(parts))]
    sent = map(operator.itemgetter(1), zip(map(kill, [os.getpid()] * 4, numbers), parts, strict=True))
    whole = at_once(relay(), RASTER[:400], 500.0)[1].raster("out")
    device = open_model(relay())
    with pytest.raises(KeyboardInterrupt):
        device.run(500.0, stimulus=sent)
    now, last = round(device.time), device.last_recording
    device.inject(
        "in", [(100.0 * (at + 1) - now + t, i) for t, i in np.argwhere(RASTER[100 * (at + 1) : 400])]
    )
    rest = device.run(500.0 - now).raster("out")
    assert (np.concatenate([*([last.raster("out")] if last else []), rest]) == whole).all()


@pytest.mark.usefixtures("handler")
def test_a_stimulus_that_runs_another_device_leaves_this_one_safe_from_signals():
    class Signalled(ModelPort):
        armed = False

        def events(self, words):
            if self.armed:
                self.armed = False
                os.kill(os.getpid(), signal.SIGINT)
                seen.append(signal.getsignal(signal.SIGINT))
            return super().events(words)

    seen, other = [], open_model(relay())
    device = Device(Signalled(compile(relay()).params))
    device.load(compile(relay()))

    def source():
        for chunk in chunks(RASTER, 100):
            other.step()
            device.port.armed = True
            yield chunk

    with pytest.raises(KeyboardInterrupt):
        device.run(300.0, stimulus=source())
    # It was held where it came, and acted at the next safe point.
    assert seen[0] is not signal.default_int_handler


def test_an_interruption_in_a_late_chunk_loses_no_spike():
    image = compile(relay())
    for words in (256, 1024):
        device = Device(ModelPort(image.params.replace(event_words=words)))
        device.load(image)

        def until(stop):
            for begin in range(0, 3000, 50):
                if begin == stop:
                    raise KeyboardInterrupt
                yield {"in": RASTER[begin : begin + 50]}

        with pytest.raises(KeyboardInterrupt):
            device.run(3000.0, stimulus=until(2500))
        stopped = round(device.time)
        rest = device.run(3000.0 - stopped, stimulus=chunks(RASTER[2500:], 50) if stopped == 2500 else None)
        np.testing.assert_array_equal(rest.raster("out")[: 2500 - stopped], RASTER[stopped:2500])


@pytest.mark.parametrize(
    ("stimulus", "message"),
    [
        (3, "stimulus must be an iterable of chunks"),
        ("in", "stimulus must be an iterable of chunks"),
        ([{"in": [(1.0, 0)]}, None, {"in": [(4.0, 0)]}], "chunk 1 of the stimulus must be a mapping .* None"),
        ([np.zeros((3, 4), bool)], "chunk 0 of the stimulus must be a mapping"),
        ([{"in": [(5.0, 0)]}, {"in": [(4.0, 0)]}], "chunks must follow one another in time"),
        ([{"in": np.ones((5, 4), bool)}, {"in": [(4.0, 0)]}], "an earlier chunk reaches 5 ms"),
        ([{"in": np.zeros((3, 5), bool)}], "must be of bool or uint8 and have shape"),
        ([{"nobody": [(5.0, 0)]}], "the image has no population 'nobody'"),
    ],
)
def test_what_is_wrong_is_said(stimulus, message):
    device = open_model(relay())
    with pytest.raises(Exception, match=message):
        device.run(20.0, stimulus=stimulus)
    assert device.run(5.0).steps == 5
    with pytest.raises(ParameterError):
        device.run(20.0, stimulus=3)


@pytest.mark.parametrize(
    "call",
    [
        lambda device: device.set_rates("in", 5.0),
        lambda device: device.run(5.0),
        lambda device: device.load(device.image),
        lambda device: device.counters(),
        lambda device: device.inject("in", [(0.0, 0)]),
        lambda device: device.schedule(1.0, learning=False),
        lambda device: device.close(),
    ],
)
def test_a_stimulus_cannot_call_the_device_that_asks_it(call):
    """What it did would act at no stated step, and would not be in the log where it happened."""

    def calling():
        yield {"in": RASTER[:50]}
        call(device)
        yield {"in": RASTER[50:]}

    device = open_model(relay())
    with pytest.raises(DeviceError, match=r"was called within device\.run, by a stimulus"):
        device.run(100.0, stimulus=calling())
    device.run(100.0 - device.time)
    _, recording = at_once(relay(), RASTER[:50], 100.0)
    assert device.time == recording.duration
