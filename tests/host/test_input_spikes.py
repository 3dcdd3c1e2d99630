"""Spikes of inputs are recorded: those of generators are the ones that the array has."""

import numpy as np
import pytest

import synloom as sl
from synloom.contract.frames import RunFlag
from synloom.device.event_queue import EventQueue
from synloom.device.events import events_at
from synloom.device.generated import Generated
from synloom.device.recorders import Recorders

N = 24


def relays(times=None):
    """Cells that fire in each step in which their source spikes, and in no other."""
    network = sl.Network(seed=5)
    parts = [
        sl.PoissonInput(N, rate=np.linspace(0.0, 400.0, N), label="noise"),
        sl.RegularInput(N, rate=np.linspace(1.0, 300.0, N), label="clock"),
        sl.InputPopulation(N, spike_times=times, label="kicks"),
    ]
    for part in parts:
        network.add(part)
        cells = network.add(sl.Population(N, sl.LIF(tau_syn_E=0.0), label=f"{part.label} seen"))
        network.add(sl.Projection(part, cells, sl.OneToOne(), weight=60.0))
    return network


def opened(target="model", times=None):
    device = sl.connect(target, sl.compile(relays(times)))
    for label in device.image.inputs:
        device.record(label)
    return device


def seen(recording):
    """Check all populations of a recording, and return how many spikes they have."""
    total = 0
    for label in ("noise", "clock", "kicks"):
        found, wanted = recording.raster(label), recording.raster(f"{label} seen")
        assert np.array_equal(found, wanted), label
        total += int(found.sum())
    return total


def busy(device):
    """Runs, changes and resets; return all recordings."""
    runs = [device.run(300.0)]
    device.inject("kicks", np.random.default_rng(1).random((200, N)) < 0.1)
    device.inject("noise", np.random.default_rng(2).random((200, N)) < 0.1)
    runs.append(device.run(150.0))
    device.set_rates("noise", 123.0)
    device.set_rates("clock", 77.0)
    runs.append(device.run(100.0))
    device.step({"noise": [3]})
    device.present({"noise": 50.0, "clock": 20.0}, 21.0, rest=4.0)
    runs.append(device.run(60.0))
    device.reset()
    runs.append(device.run(50.0))
    device.reset("all")
    for label in device.image.inputs:
        device.record(label)
    runs.append(device.run(50.0))
    return runs


@pytest.mark.parametrize("target", ["model", "fast"])
def test_spikes_of_inputs_are_those_that_the_neurons_get(target):
    with opened(target, times=[[3.0 * k] for k in range(N)]) as device:
        runs = busy(device)
    assert all(seen(run) > 100 for run in runs)
    assert runs[0].counts("noise")[0] == 0


@pytest.mark.slow
def test_the_simulated_board_has_the_same_ones():
    with opened("sim") as board, opened("model") as model:
        for one, other in zip(busy(board), busy(model), strict=True):
            assert seen(one) > 100
            for label in one.sizes:
                assert np.array_equal(one.raster(label), other.raster(label))


def test_rates_are_those_that_were_asked_for():
    with opened() as device:
        counts = device.run(20_000.0).counts("noise")
    wanted = np.linspace(0.0, 400.0, N) * 20.0
    spread = np.sqrt(wanted * (1.0 - wanted / 20_000.0))
    # Four standard deviations, for 24 binomial counts.
    assert (np.abs(counts - wanted) <= 4.0 * spread + 0.001 * wanted).all()


def test_a_streamed_stimulus_is_recorded():
    raster = np.random.default_rng(4).random((3000, N)) < 0.2
    with opened() as device:
        chunks = ({"kicks": raster[k : k + 100]} for k in range(0, 3000, 100))
        recording = device.run(2000.0, stimulus=chunks)
    assert np.array_equal(recording.raster("kicks"), recording.raster("kicks seen"))
    assert np.array_equal(recording.raster("kicks"), raster[:2000])


def test_a_snapshot_goes_on_with_the_recorders_and_the_same_spikes(tmp_path):
    with opened() as device:
        device.run(70.0)
        device.snapshot(tmp_path / "at_70.npz")
        wanted = device.run(80.0)
    snapshot = sl.Snapshot.load(tmp_path / "at_70.npz")
    with sl.connect("model", snapshot.image) as other:
        other.restore(snapshot)
        found = other.run(80.0)
    assert seen(found) == seen(wanted)
    assert np.array_equal(found.raster("noise"), wanted.raster("noise"))


def test_a_run_that_was_cut_short_has_the_spikes_until_then():
    raster = np.random.default_rng(4).random((400, N)) < 0.2

    def stimulus():
        for k in range(0, 200, 20):
            yield {"kicks": raster[k : k + 20]}
        raise KeyboardInterrupt

    with opened() as device:
        with pytest.raises(KeyboardInterrupt):
            device.run(400.0, stimulus=stimulus())
        part = device.last_recording
        assert 0 < part.steps <= 200
        seen(part)
        seen(device.run(100.0))


def test_spikes_on_their_way_stay_those_of_the_next_run_whatever_line_it_is_cut_at(monkeypatch):
    """Cut as its events are being settled, a run that began with some in the delay wheel has all of them."""
    settle, armed = EventQueue.settle, []

    def interrupted(queue):
        if armed:
            armed.clear()
            raise KeyboardInterrupt
        settle(queue)

    monkeypatch.setattr(EventQueue, "settle", interrupted)
    with opened() as device:
        session = device._session
        device.inject("kicks", [(2.0, 0), (5.0, 1)])
        first = device.image.inputs["kicks"].source
        session._early = events_at(np.array([3]), np.array([first + 2]))
        armed.append(True)
        with pytest.raises(KeyboardInterrupt):
            session.execute(10, RunFlag(0))
        wanted = events_at(np.array([2, 3, 5]), first + np.array([0, 2, 1]))
        assert session.given.tolist() == wanted.tolist()


def test_recordings_of_inputs_are_saved_and_shown_in_other_forms(tmp_path):
    with opened() as device:
        recording = device.run(100.0)
    recording.save(tmp_path / "run.npz")
    again = sl.Recording.load(tmp_path / "run.npz")
    assert np.array_equal(again.raster("noise"), recording.raster("noise"))
    trains = recording.to_neo().segments[0].spiketrains
    clock = [train for train in trains if train.annotations["population"] == "clock"]
    assert [len(train) for train in clock] == recording.counts("clock").tolist()


def test_generators_are_not_computed_again_if_nobody_asks(monkeypatch):
    def never(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr(Generated, "spikes", never)
    with sl.connect("model", sl.compile(relays())) as device:
        assert device.run(10.0).steps == 10
        device.record("noise")
        with pytest.raises(AssertionError, match="computed again"):
            device.run(10.0)


def test_inputs_are_recorded_only_if_they_are_asked_for():
    with sl.connect("model", sl.compile(relays())) as device:
        with pytest.raises(sl.NetworkError, match="spikes of 'noise' were not recorded"):
            device.run(10.0).spikes("noise")
        device.record_nothing()
        device.record("noise")
        recording = device.run(100.0)
        assert list(recording.sizes) == ["noise"]
        assert len(recording.spikes("noise")[0]) > 100
        with pytest.raises(sl.ParameterError, match="whole populations"):
            device.record("noise", indices=[0])
    assert not Recorders(["cells"]).wants_inputs
