"""Snapshots: run A + B equals run A, snapshot, restore elsewhere, run B, bit for bit."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from experiments_to_continue import ARRAY, first_part, image_of, second_part
from small_networks import BreakingPort, learner, open_model, relay

import synloom as sl
from synloom import DeviceError, LinkError, MismatchError, NetworkError, ParameterError, Snapshot
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.registers import COUNTERS
from synloom.image.snapshot import LIVE_REGISTERS

pytestmark = pytest.mark.filterwarnings("ignore::synloom.SynloomWarning")
DTS = (1.0, 0.1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What is seen when nothing is restored, by dt, and snapshots from the middle, by dt and target."""
    folder, seen, paths = tmp_path_factory.mktemp("snapshots"), {}, {}
    for dt in DTS:
        for target in ("model", "sim"):
            with sl.connect(target, image_of(dt)) as device:
                first_part(device)
                paths[dt, target] = folder / f"{target}-{dt}.snap"
                taken = device.snapshot(paths[dt, target])
                assert taken.time == pytest.approx(124 * dt)
                if target == "model":
                    seen[dt] = second_part(device)
    return seen, paths


@pytest.mark.parametrize("dt", DTS)
@pytest.mark.parametrize("source", ["model", "sim"])
@pytest.mark.parametrize("target", ["model", "fast", "sim"])
def test_a_run_goes_on_anywhere_bit_for_bit(whole, dt, source, target):
    seen, paths = whole
    with sl.connect(target, ARRAY) as device:
        device.restore(paths[dt, source])
        assert second_part(device) == seen[dt]


def test_the_experiment_uses_all_that_a_snapshot_holds(whole):
    for dt in DTS:
        taken = Snapshot.load(whole[1][dt, "model"])
        for name, words in taken.memories.items():
            assert words.any(), name
        assert len(taken.events)
        assert taken.registers["probe_wait"]
        seen = whole[0][dt]
        assert len(seen["spikes cells 0"]) > 20
        assert len(seen["spikes others 0"]) > 20
        assert seen["in"] != taken.memories["weights"].tolist()


def changed(taken, part):
    """Return a snapshot with one part as after a load."""
    image = taken.image
    memories = {name: np.zeros_like(words) for name, words in taken.memories.items()}
    memories |= {"weights": image.weights, "gen_rate": image.gen_rate}
    padded = np.zeros((ARRAY.neurons, 16), dtype=np.uint16)
    padded[:, : image.neuron_params.shape[1]] = image.neuron_params
    memories["neuron_params"] = padded.reshape(-1)
    others = {"events": taken.events[:0], "rates": image.gen_rate, "every": 1, "inputs_merged": 0}
    others |= {"probes": taken.probes[:1], "spikes": taken.spikes[:1], "counters": dict.fromkeys(COUNTERS, 0)}
    if part in memories:
        return replace(taken, memories={**taken.memories, part: memories[part]})
    if part in others:
        return replace(taken, **{part: others[part]})
    value = {"now": taken.now - 1, "learn_rng": 1, "gen_rng": 1}.get(part, 0)
    now = {"now": value} if part == "now" else {}
    return replace(taken, registers={**taken.registers, part: value}, **now)


def test_every_part_of_a_snapshot_decides_what_comes(whole):
    taken = Snapshot.load(whole[1][1.0, "model"])
    others = ("events", "rates", "every", "inputs_merged", "probes", "spikes", "counters")
    for part in (*taken.memories, *LIVE_REGISTERS, *others):
        with sl.connect("fast", ARRAY) as device:
            device.restore(changed(taken, part))
            try:
                seen = second_part(device)
            except NetworkError:
                continue  # what was not recorded any more
        assert {**seen, "digest": ""} != {**whole[0][1.0], "digest": ""}, part


@pytest.mark.parametrize("dt", DTS)
def test_snapshots_of_equal_states_are_equal_on_all_targets(whole, dt):
    one, other = (Snapshot.load(whole[1][dt, target]) for target in ("model", "sim"))
    assert one.digest() == other.digest()


def test_taking_a_snapshot_changes_nothing(whole):
    with sl.connect("model", image_of(1.0)) as device:
        first_part(device)
        assert device.snapshot().digest() == device.snapshot().digest()
        assert second_part(device) == whole[0][1.0]


def test_a_run_goes_on_in_another_process(whole):
    code = (
        "import json, sys; import synloom as sl; from experiments_to_continue import second_part\n"
        "with sl.connect('fast', sl.Snapshot.load(sys.argv[1]).image.params) as device:\n"
        "    device.restore(sys.argv[1])\n"
        "    print(json.dumps(second_part(device)))\n"
    )
    path = whole[1][0.1, "sim"]
    command = [sys.executable, "-W", "ignore", "-c", code, path]
    done = subprocess.run(command, env=environment(), capture_output=True, check=True)
    assert json.loads(done.stdout) == json.loads(json.dumps(whole[0][0.1]))


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_a_device_goes_back_as_often_as_it_likes():
    device = open_model(learner())
    device.run(100.0)
    taken = device.snapshot()
    runs = []
    for _ in range(3):
        runs.append(device.run(100.0).raster("out"))
        device.restore(taken)
        assert device.time == 100.0
    assert runs[0].sum() > 10
    assert (runs[0] == runs[1]).all()
    assert (runs[0] == runs[2]).all()


def test_counters_go_on_from_those_of_the_snapshot():
    device = open_model(learner())
    device.run(100.0)
    taken = device.snapshot()
    device.run(50.0)
    wanted = device.counters()
    other = sl.connect("model", taken.image.params)
    other.restore(taken)
    assert dict(other.counters()) == {**taken.counters, "inputs_merged": 0}
    other.run(50.0)
    assert dict(other.counters()) == dict(wanted)
    other.load(taken.image)
    assert other.counters()["steps"] == 0


def test_counters_that_go_on_are_full_where_the_arrays_own_are():
    device = open_model(learner())
    device.run(100.0)
    most = (1 << device.params.counter_bits) - 1
    device.restore(replace(taken := device.snapshot(), counters={**taken.counters, "spikes": most - 1}))
    assert device.run(100.0).raster("out").sum() > 2
    assert device.counters()["spikes"] == most


def test_the_cost_of_a_run_is_the_same_after_a_restore():
    device = open_model(learner())
    device.run(60.0)
    taken = device.snapshot()
    wanted = device.run(40.0).cost
    device.restore(taken)
    got = device.run(40.0).cost
    assert got.synaptic_operations == wanted.synaptic_operations > 0


def test_own_rates_return_after_a_presentation_on_the_restored_device():
    device = open_model(learner(rate=5.0))
    device.set_rates("in", 100.0)
    taken = device.snapshot()
    other = sl.connect("model", taken.image.params)
    other.restore(taken)
    for each in (device, other):
        each.present({"in": 0.0}, 10.0)
    assert (device.run(200.0).raster("out") == other.run(200.0).raster("out")).all()


@pytest.mark.parametrize("target", ["model", "sim"])
def test_an_interrupted_run_goes_on_elsewhere(target):
    image = sl.compile(relay(dt=1.0, delay=5.0), ARRAY)
    raster = np.random.default_rng(5).random((400, 4)) < 0.3

    def chunks():
        yield {"in": raster[:200]}
        yield {"in": raster[200:]}
        raise KeyboardInterrupt

    with sl.connect("model", image) as device:
        device.inject("in", raster)
        wanted = device.run(410.0).raster("out")
    assert wanted.sum() > 100
    with sl.connect(target, image) as device:
        with pytest.raises(KeyboardInterrupt):
            device.run(500.0, stimulus=chunks())
        reached, before = device.time, device.last_recording.raster("out")
        taken = device.snapshot()
        rest = device.run(410.0 - reached).raster("out")
    assert (np.concatenate([before, rest]) == wanted).all()
    with sl.connect("fast", image) as device:
        device.restore(taken)
        assert (device.run(410.0 - reached).raster("out") == rest).all()
        assert device.counters().losses == {}


def test_another_image_is_refused_and_nothing_changed():
    device, other = open_model(learner(seed=3)), open_model(learner(seed=4))
    taken = device.snapshot()
    before = other.snapshot().digest()
    with pytest.raises(MismatchError, match=r"device.load\(snapshot.image\)"):
        other.restore(taken)
    assert other.snapshot().digest() == before
    other.load(taken.image)
    other.restore(taken)
    assert other.snapshot().digest() == taken.digest()


def test_another_array_is_refused():
    taken = open_model(relay()).snapshot()
    with (
        sl.connect("model", sl.ArrayParams(neurons=128)) as device,
        pytest.raises(MismatchError, match="neurons"),
    ):
        device.restore(taken)


def test_what_is_no_snapshot_is_refused(tmp_path):
    device = open_model(relay())
    with pytest.raises(ParameterError, match="Snapshot"):
        device.restore(5)
    with pytest.raises(ParameterError, match="no_such_file"):
        device.restore(tmp_path / "no_such_file")
    device.image.save(tmp_path / "image")
    with pytest.raises(ParameterError, match="not a Synloom snapshot"):
        device.restore(tmp_path / "image")
    with pytest.raises(ParameterError, match="path must be"):
        device.snapshot(5)
    device.forget()
    with pytest.raises(DeviceError, match="no image"):
        device.snapshot()


def test_a_restore_that_is_cut_short_anywhere_leaves_no_image():
    image = sl.compile(learner())
    device = sl.Device(BreakingPort(image.params))
    device.load(image)
    device.run(50.0)
    taken = device.snapshot()
    for countdown in range(1, 100):
        device.restore(taken)
        device.port.break_at("write", countdown, LinkError("the line broke"))
        try:
            device.restore(taken)
        except LinkError:
            with pytest.raises(DeviceError, match="a restore was cut short"):
                device.run(1.0)
        else:
            break
    assert 20 < countdown < 99
    device.port.fault = None
    device.restore(taken)
    assert device.snapshot().digest() == taken.digest()


def test_a_snapshot_is_refused_while_a_run_goes_on():
    device = open_model(relay())
    device.port.run(100)
    with pytest.raises(DeviceError, match="between runs"):
        device.snapshot()


@pytest.mark.parametrize("region", [Region.X_TRACE, Region.WHEEL, Region.GEN_PHASE, Region.NEURON_STATE])
def test_a_bit_of_any_memory_makes_another_digest(region):
    device = open_model(learner())
    before = device.snapshot().digest()
    offset = memory_of(device.params, region).offset(*([0, 2] if region is Region.WHEEL else [1]))
    device.port.write(region, offset, [1])
    assert device.snapshot().digest() != before
