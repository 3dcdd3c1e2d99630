"""Logs: a replay gives the same bits on every target, and says where two sides first differ."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from experiments_to_continue import ARRAY, first_part, image_of, second_part
from small_networks import learner, open_model, relay

import synloom as sl
from synloom import DeviceError, MismatchError, ParameterError, SynloomWarning, replay
from synloom.cli.commands import run as command
from synloom.device.log_file import LogReader, LogWriter
from synloom_sim.model_port import ModelPort

pytestmark = pytest.mark.filterwarnings("ignore::synloom.SynloomWarning")
TARGETS = ("model", "fast", "sim")


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A log of every kind of call for each dt, begun before the load, and one begun in the middle."""
    folder = tmp_path_factory.mktemp("logs")
    for dt in (1.0, 0.1):
        with sl.connect("fast", image_of(dt), log=folder / f"{dt}.log") as device:
            first_part(device)
            taken = device.snapshot()
            second_part(device)
            device.write_weights("in", device.read_weights("in") * 0.5)
            device.set_adaptation(False)
            device.spike_counts("cells")
            device.reset(keep_theta=False)
            rasters = np.random.default_rng(2).random((30, 12)) < 0.1
            device.run(40 * dt, stimulus=[{"cells": rasters[:10]}, {"cells": rasters[10:]}])
            device.record_nothing()
            for _ in range(2):
                device.restore(taken)
                device.run(20 * dt)
            device.reset("all")
            device.run(10 * dt)
            device.load(device.image)
            device.run(10 * dt)
            with pytest.raises(ParameterError):
                device.run(-1.0)
    with sl.connect("fast", image_of(1.0)) as device:
        first_part(device)
        with device.logged(folder / "middle.log"):
            second_part(device)
        device.run(10.0)
    return folder


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["1.0", "0.1", "middle"])
def test_a_replay_gives_the_same_bits(logs, name, target):
    done = replay(logs / f"{name}.log", target)
    assert done.agrees, done
    assert done.ended
    assert done.runs > 5
    assert done.steps > 200
    assert not done.errors


def test_a_log_has_every_kind_of_entry(logs):
    kinds = {entry.kind for entry in LogReader(logs / "1.0.log")}
    wanted = "begin load restore reset events settings rates mode reward neurons segments weights recorders"
    assert kinds == {*wanted.split(), "run", "counts", "rates back", "clear counts", "learned", "end"}


def test_what_is_loaded_again_is_in_the_file_once(logs):
    entries = [e for e in LogReader(logs / "1.0.log") if e.kind in ("load", "restore")]
    assert [(e.kind, "file" in e.arrays) for e in entries] == [
        ("load", True),
        ("restore", True),
        ("restore", False),
        ("load", False),
        ("load", False),
    ]


def test_two_targets_are_compared_with_each_other(logs):
    done = replay(logs / "1.0.log", "model", against="fast")
    assert done.agrees
    assert done.targets == ("model", "fast")
    assert "no difference" in str(done)


@pytest.mark.parametrize(
    "kind",
    [
        *("restore", "reset", "events", "settings", "rates", "rates back", "mode", "reward", "neurons"),
        "segments",
        *("weights", "recorders", "run", "clear counts"),
    ],
)
def test_a_log_without_one_kind_of_entry_is_not_replayed_to_the_same_bits(logs, tmp_path, kind):
    path = tmp_path / "without.log"
    writer = LogWriter(path)
    for entry in LogReader(logs / "1.0.log"):
        if entry.kind != kind:
            writer.add(entry.kind, entry.values, entry.arrays)
    writer.close()
    try:
        done = replay(path, "fast")
    except ParameterError:
        return
    assert not done.agrees


# ---- differences ---------------------------------------------------------------------------------


def edited(path, target, change):
    """Write a log again with changed entries, its digests right."""
    writer = LogWriter(target)
    for entry in LogReader(path):
        values, arrays = dict(entry.values), {n: a.copy() for n, a in entry.arrays.items()}
        change(entry, values, arrays)
        writer.add(entry.kind, values, arrays)
    writer.close()
    return target


@pytest.fixture
def log(tmp_path):
    """A log of a learner: two runs, a read of counts; and where its first spike after step 50 is."""
    path = tmp_path / "a.log"
    with sl.connect("model", sl.compile(learner()), log=path) as device:
        device.record("out", "v", [4, 7])
        first = device.run(60.0)
        device.spike_counts("out")
        device.run(60.0)
    steps = np.flatnonzero(first.raster("out").any(axis=1))
    return path, int(steps[-1]), int(np.flatnonzero(first.raster("out")[steps[-1]])[0])


def test_a_spike_that_is_missing_is_found(log, tmp_path):
    path, step, neuron = log

    def change(entry, values, arrays):
        if entry.kind == "run" and entry.values["first"] == 0:
            arrays["spikes"] = arrays["spikes"][arrays["spikes"] != step << 16 | neuron]
            values["spikes"] = len(arrays["spikes"])

    found = replay(edited(path, tmp_path / "b.log", change), "fast").difference
    assert (found.what, found.step, found.index) == ("spikes", step, (neuron,))
    assert found.sides == {"fast": "spike", "the log": "no spike"}
    assert f"step {step}: neuron {neuron} of 'out': spike (fast), no spike (the log)" in str(found)


def test_a_sample_that_differs_is_found(log, tmp_path):
    def change(entry, values, arrays):
        if entry.kind == "run" and entry.values["first"] == 60:
            arrays["values"][13, 1] ^= 1

    found = replay(edited(log[0], tmp_path / "b.log", change), "model").difference
    assert (found.what, found.step, found.index) == ("samples", 73, (1,))
    assert "v of 'out' 7" in str(found)


def test_a_weight_that_differs_is_found(log, tmp_path):
    image = sl.compile(learner())
    pre, row, post = image.synapses[image.projections["w"].first + 5].tolist()

    def change(entry, values, arrays):
        if entry.kind == "learned" and not entry.values["from_zero"]:
            arrays["weights"][row, post] += 1

    found = replay(edited(log[0], tmp_path / "b.log", change), "model").difference
    assert (found.what, found.step, found.index) == ("weights", 120, (row, post))
    assert f"before step 120: weight [{pre}, {post}] of 'w'" in str(found)


def test_a_count_that_differs_is_found(log, tmp_path):
    def change(entry, values, arrays):
        if entry.kind == "counts":
            arrays["counts"][9] += 1

    found = replay(edited(log[0], tmp_path / "b.log", change), "model").difference
    assert (found.what, found.step, found.index) == ("counts", 60, (9,))


class FaultyPort(ModelPort):
    """The model with a weight that flips a bit at the beginning of its third run."""

    runs = 0

    def run(self, steps, flags=0):
        self.runs += 1
        if self.runs == 2:
            self.model.state.weights[3, 5] ^= 1
        super().run(steps, flags)


def test_a_target_with_a_fault_is_found_with_the_synapse(log, monkeypatch):
    def opened(target, params, **options):
        return FaultyPort(params) if target == "faulty" else ModelPort(params)

    monkeypatch.setattr("synloom.device.replay.open_port", opened)
    found = replay(log[0], "faulty", against="model").difference
    assert found is not None
    assert found.step >= 60
    assert set(found.sides) == {"faulty", "model"}


# ---- logs that end early -------------------------------------------------------------------------


def test_a_log_that_was_cut_off_anywhere_is_replayed_up_to_its_last_whole_entry(log, tmp_path):
    content, cut = log[0].read_bytes(), tmp_path / "cut.log"
    sizes = np.random.default_rng(3).integers(200, len(content), 25).tolist()
    entries, beginning = [], content.index(b'"load"') - 40
    for size in sorted(sizes):
        cut.write_bytes(content[:size])
        if size < beginning:
            with pytest.raises(ParameterError, match="has no beginning"):
                replay(cut, "fast")
            continue
        done = replay(cut, "fast")
        assert done.agrees
        assert not done.ended
        entries.append(done.entries)
    assert entries[-1] > entries[0]


def test_a_process_that_is_killed_leaves_a_log_that_can_be_replayed(tmp_path):
    code = (
        "import sys; import synloom as sl; from small_networks import learner\n"
        "device = sl.connect('model', sl.compile(learner()), log=sys.argv[1])\n"
        "while True:\n    device.run(20.0); print('.', flush=True)\n"
    )
    path = tmp_path / "killed.log"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code, path], env=environment, stdout=subprocess.PIPE
    ) as process:
        for _ in range(6):
            assert process.stdout.readline() == b".\n"
        process.send_signal(signal.SIGKILL)
    done = replay(path, "fast")
    assert done.agrees
    assert not done.ended
    assert done.runs >= 5
    assert "has no end" in str(done)


def test_an_interrupted_run_is_replayed_up_to_where_it_stopped(tmp_path):
    path = tmp_path / "a.log"

    def chunks():
        for _ in range(3):
            yield {"in": np.ones((100, 4), dtype=bool)}
        raise KeyboardInterrupt

    for target in ("model", "sim"):
        path = tmp_path / f"{target}.log"
        with sl.connect(target, sl.compile(relay(delay=5.0), ARRAY), log=path) as device:
            with pytest.raises(KeyboardInterrupt):
                device.run(500.0, stimulus=chunks())
            stopped = device.time
            device.run(400.0)
        done = replay(path, "fast")
        assert done.agrees, done
        assert done.steps == stopped + 400
        assert done.errors == ("KeyboardInterrupt: ",)


def test_a_damaged_log_names_the_entry(log, tmp_path):
    content = bytearray(log[0].read_bytes())
    content[-60] ^= 1
    path = tmp_path / "damaged.log"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"entry \d+ is damaged: its digest is wrong"):
        replay(path, "model")


def test_an_entry_that_cannot_be_is_refused(log, tmp_path):
    wrong = {
        "events": lambda v, a: a.update(events=a["events"] - (1 << 20)),
        "run": lambda v, a: v.update(first=7),
        "counts": lambda v, a: v.update(first=30),
        "mode": lambda v, a: v.update(on="x" * 5000),
        "weights": lambda v, a: v.update(label="nobody" * 1000),
        "recorders": lambda v, a: v.update(probes=[["nobody", "v", 1]]),
        "load": lambda v, a: a.update(file=a["file"][:-9]),
    }
    with sl.connect("model", sl.compile(relay()), log=tmp_path / "a2.log") as device:
        device.record("out", "v", [0])
        device.inject("in", [(1.0, 2)])
        device.run(5.0)
        device.spike_counts("out")
        device.set_learning(False)
        device.write_weights("relay", device.read_weights("relay"))
    for kind, change in wrong.items():

        def apply(entry, values, arrays, kind=kind, change=change):
            if entry.kind == kind:
                change(values, arrays)

        path = edited(tmp_path / "a2.log", tmp_path / f"{kind}.log", apply)
        with pytest.raises(ParameterError, match=rf"entry \d+ \({kind}\)") as refused:
            replay(path, "model")
        assert len(str(refused.value)) < 1000


# ---- the file ------------------------------------------------------------------------------------


def test_a_file_that_exists_is_not_replaced(tmp_path):
    device = open_model(relay())
    path = tmp_path / "a.log"
    path.write_text("mine")
    with pytest.raises(ParameterError, match="there is no file"):
        device.logged(path)
    with pytest.raises(ParameterError, match="there is no file"):
        sl.connect("model", device.image, log=path)
    assert path.read_text() == "mine"
    device.run(5.0)
    with device.logged(tmp_path / "b.log"):
        with pytest.raises(DeviceError, match="a log already"):
            device.logged(tmp_path / "c.log")
        device.run(5.0)
    assert not (tmp_path / "c.log").exists()
    assert replay(tmp_path / "b.log", "model").steps == 5


def test_what_is_no_log_is_refused(tmp_path):
    device = open_model(relay())
    device.image.save(tmp_path / "image")
    with pytest.raises(ParameterError, match="not a Synloom log"):
        replay(tmp_path / "image")
    with pytest.raises(ParameterError, match="cannot read the log"):
        replay(tmp_path / "nothing")
    with pytest.raises(ParameterError, match="path must be"):
        replay(3)
    with pytest.raises(ParameterError, match="path must be"):
        device.logged(b"a")
    (tmp_path / "later").write_bytes(b"synloom log 2\n")
    with pytest.raises(MismatchError, match="version 2"):
        replay(tmp_path / "later")


@pytest.mark.filterwarnings("default::synloom.SynloomWarning")
def test_an_experiment_goes_on_when_its_log_cannot_be_written(tmp_path, monkeypatch):
    device = open_model(relay())
    path = tmp_path / "a.log"
    log = device.logged(path)
    device.run(5.0)

    def full(file, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synloom.device.log_file.os.write", full)
    with pytest.warns(SynloomWarning, match="No space left on device"):
        device.inject("in", [(0.0, 1)])
    assert device.run(5.0).raster("out").sum() == 1
    monkeypatch.undo()
    log.close()
    log.close()
    with device.logged(tmp_path / "next.log"):
        device.run(3.0)
    assert replay(tmp_path / "next.log", "model").steps == 3
    assert replay(path, "model").steps == 5


def test_a_device_without_a_log_does_not_read_its_weights():
    device = open_model(learner())
    reads = []
    real = device.port.read
    device.port.read = lambda region, offset, count: reads.append(count) or real(region, offset, count)
    device.run(10.0)
    assert max(reads, default=0) < 600


# ---- the command ---------------------------------------------------------------------------------


def test_the_command_replays_and_its_exit_code_says_whether_all_was_equal(log, tmp_path, capsys):
    assert command(["replay", str(log[0]), "--target", "fast", "--against", "model"]) == 0
    assert "no difference" in capsys.readouterr().out

    def change(entry, values, arrays):
        if entry.kind == "counts":
            arrays["counts"][9] += 1

    path = edited(log[0], tmp_path / "b.log", change)
    with pytest.raises(SystemExit) as stopped:
        command(["replay", str(path), "--target", "fast", "--json"])
    assert stopped.value.code == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["difference"]["what"] == "counts"
    assert shown["targets"] == ["fast"]
