"""Running experiments: what the results hold, and that a folder of them is whole or not there."""

import json

import numpy as np
import pytest
from experiment_files import EXAMPLES, RIGHT, write

import synloom as sl
from synloom.base.errors import ExperimentError
from synloom.cli.main import main
from synloom.compiler.synapses import expand
from synloom.experiment import check_folder, read_experiment, run_experiment, write_folder
from synloom.experiment.network_builder import build_network, compile_experiment
from synloom.image.report import ReportBuilder

PNG = b"\x89PNG\r\n\x1a\n"
PICTURES = {"raster", "state-v", "state-trace", "weights-feed", "weights-cross"}


def command(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["run", *map(str, arguments)])
    return ended.value.code


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return run_experiment(read_experiment(write(tmp_path_factory.mktemp("right"))))


def test_results_hold_what_was_to_be_recorded(results):
    arrays = results.arrays()
    assert set(arrays) == {
        *("dt", "duration", "left.counts", "right.counts"),
        *(f"{name}.spike_{what}" for name in ("left", "right") for what in ("times", "neurons")),
        *(
            f"{name}{end}"
            for name in ("left.v", "right.v", "noise.trace")
            for end in ("", "_times", "_indices")
        ),
        *(f"{name}.weights{end}" for name in ("feed", "cross") for end in ("", "_times")),
    }
    for name in ("left", "right"):
        counts = np.bincount(arrays[f"{name}.spike_neurons"], minlength=len(arrays[f"{name}.counts"]))
        np.testing.assert_array_equal(arrays[f"{name}.counts"], counts)
        assert counts.sum() > 0
        assert (np.diff(arrays[f"{name}.spike_times"]) >= 0).all()
    np.testing.assert_array_equal(arrays["left.v_times"], np.arange(1.0, 40.0, 2.0))
    assert arrays["left.v"].shape == (20, 2)
    assert arrays["noise.trace"].shape == (20, 1)
    np.testing.assert_array_equal(arrays["feed.weights_times"], [0.0, 10.0, 20.0, 30.0, 40.0])
    np.testing.assert_array_equal(arrays["cross.weights_times"], [0.0, 40.0])
    assert (np.isfinite(arrays["cross.weights"]).sum(axis=1) == 2).all()


def test_changes_happen_when_they_should(results):
    weights = results.arrays()["feed.weights"]
    assert (weights[0] != weights[2]).any()
    np.testing.assert_array_equal(weights[2], weights[3])
    np.testing.assert_array_equal(weights[2], weights[4])


def test_given_spikes_and_bursts_are_joined(tmp_path):
    kicks = build_network(read_experiment(write(tmp_path))).inputs[1]
    assert [times.tolist() for times in kicks.spike_times] == [
        [1.0, 5.0, 10.0, 13.0, 20.0, 23.0],
        [],
        [2.0, 10.0, 13.0, 20.0, 23.0],
    ]


def test_like_copies_and_replaces(tmp_path):
    left, right = build_network(read_experiment(write(tmp_path))).populations
    assert (left.n, right.n) == (5, 4)
    assert right.cell.tau_refrac == left.cell.tau_refrac == 2.0
    assert (left.cell.theta_plus, right.cell.theta_plus) == (0.0, 1.0)
    assert not np.array_equal(left.v_init[:4], right.v_init)


def test_a_run_in_pieces_is_the_run_of_the_sdk():
    experiment = read_experiment(EXAMPLES / "delay_chain.toml").changed(duration=60.0)
    results = run_experiment(experiment)
    with sl.connect("model", compile_experiment(experiment, build_network(experiment))) as device:
        recording = device.run(60.0)
    for name in recording.sizes:
        for ours, theirs in zip(results.recording.spikes(name), recording.spikes(name), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert recording.counts("group_5").sum() == 16


def test_a_seed_repeats_a_run_and_another_one_does_not(tmp_path, results):
    experiment = read_experiment(write(tmp_path))
    again, other = run_experiment(experiment), run_experiment(experiment.changed(seed=4))
    for name, array in results.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name])
    assert not np.array_equal(other.arrays()["left.v"], results.arrays()["left.v"])


def test_spikes_matrices_and_pairs_come_from_files(tmp_path):
    path = write(
        tmp_path,
        ("times = [[1.0, 5.0], [], [2.0]]", 'file = "data/spikes.npz"'),
        ("pairs = [[0, 0, 9.0], [1, 1, 9.0], [2, 3, 9.0]]", 'file = "pairs.csv"'),
        ('connector = "fixed_in_degree"\nk = 2\nweight = -0.5', 'connector = "matrix"\nfile = "matrix.csv"'),
    )
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "data" / "spikes.npz", times=[4.0, 1.0], channels=[1, 1])
    (tmp_path / "pairs.csv").write_text("from,to,weight\n0,0,9\n1,2,8\n")
    (tmp_path / "matrix.csv").write_text("-1,,,\n" * 3 + ",nan,,-2\n" * 2)
    experiment = read_experiment(path)
    network = build_network(experiment)
    assert network.inputs[1].spike_times[1].tolist() == [1.0, 4.0]
    results = run_experiment(experiment)
    cross = results.weights["cross"].values[-1]
    assert np.isfinite(cross).sum() == 5
    assert cross[0, 0] == pytest.approx(-1.0, rel=0.02)
    write_folder(results, tmp_path / "out")
    again = run_experiment(read_experiment(tmp_path / "out" / "experiment" / path.name))
    np.testing.assert_array_equal(again.arrays()["right.v"], results.arrays()["right.v"])


DELAYED = """
[run]
duration = 60.0
[inputs.kicks]
n = 2
kind = "spikes"
times = [[3.0], [40.0]]
[populations.cells]
n = 3
tau_syn_E = 0.0
[projections.way]
from = "kicks"
to = "cells"
connector = "all_to_all"
weight = 20.0
delay_file = "delays.csv"
"""


def test_delays_of_all_pairs_come_from_a_file(tmp_path):
    path = tmp_path / "delayed.toml"
    path.write_text(DELAYED)
    delays = np.array([[1.0, 30.0, 7.0], [2.0, 0.0, 2.0]])
    np.savetxt(tmp_path / "delays.csv", delays, delimiter=",")
    results = run_experiment(read_experiment(path))
    spikes = zip(*results.recording.spikes("cells"), strict=True)
    arrivals = {
        (start + delay, j) for start, row in zip((3, 40), delays, strict=True) for j, delay in enumerate(row)
    }
    assert {(float(t), int(j)) for t, j in spikes} == arrivals
    write_folder(results, tmp_path / "out")
    again = run_experiment(read_experiment(tmp_path / "out" / "experiment" / path.name))
    key = "cells.spike_times"
    np.testing.assert_array_equal(again.arrays()[key], results.arrays()[key])


@pytest.mark.parametrize(
    ("numbers", "more", "message"),
    [
        ("1,2\n3,4\n", "", r"way.delay_file \(delays.csv\) must have .* 2 x 3, not 2 x 2"),
        ("1,2,3\n4,,6\n", "", "numbers of at least 0; that of source 1 and target 1 is nan"),
        ("1,2,3\n4,-5,6\n", "", "that of source 1 and target 1 is -5"),
        ("1,2,3\n4,5,6\n", "delay = 1.0", "way must have delay or delay_file, not both"),
    ],
)
def test_a_wrong_file_of_delays_is_refused(tmp_path, numbers, more, message):
    path = tmp_path / "delayed.toml"
    path.write_text(DELAYED + more)
    (tmp_path / "delays.csv").write_text(numbers)
    with pytest.raises(ExperimentError, match=message):
        build_network(read_experiment(path))


def test_random_delays_are_drawn_for_each_synapse_as_in_the_sdk(tmp_path):
    path = tmp_path / "delayed.toml"
    path.write_text(DELAYED.replace('delay_file = "delays.csv"', "delay = { uniform = [1.0, 30.0] }"))
    experiment = read_experiment(path)
    network = build_network(experiment)
    (edge,) = expand(network, ReportBuilder())
    assert len(np.unique(edge.delay)) > 2, "there are two sources"
    again = sl.Network(dt=network.dt, seed=network.seed)
    source = again.add(sl.InputPopulation(2, label="in"))
    target = again.add(sl.Population(3, sl.LIF(), label="cells"))
    delay = sl.Uniform(1.0, 30.0)
    again.add(sl.Projection(source, target, sl.AllToAll(), weight=20.0, delay=delay, label="way"))
    (other,) = expand(again, ReportBuilder())
    np.testing.assert_array_equal(edge.delay, other.delay)
    rows = sum(len(np.unique(edge.delay[edge.pre == i])) for i in range(2))
    path.write_text(path.read_text() + "\n[array]\naxons = 1\ndelay_slots = 64\n")
    experiment = read_experiment(path)
    with pytest.raises(sl.CapacityError, match=rf"needs axons={rows - 2}.*\(a row for each further delay"):
        compile_experiment(experiment, build_network(experiment))


def test_the_folder_holds_arrays_pictures_and_the_experiment(tmp_path, capsys):
    path, out = write(tmp_path), tmp_path / "deep" / "out"
    assert command(path, "--out", out) == 0
    captured = capsys.readouterr()
    assert "A bit of everything" in captured.out
    assert f"files in {out}" in captured.out
    files = {str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()}
    data = {"results.npz", "summary.json", "report.txt", "experiment/experiment.toml"}
    data |= {"image.synloom", "digests.json"}
    assert files == data | {f"{name}.png" for name in PICTURES}
    for name in PICTURES:
        picture = (out / f"{name}.png").read_bytes()
        assert picture.startswith(PNG)
        assert len(picture) > 8000
    assert (out / "experiment" / "experiment.toml").read_text() == RIGHT
    assert "quantisation:" in (out / "report.txt").read_text()
    assert {file.name for file in out.parent.iterdir()} == {"out"}
    with np.load(out / "results.npz") as arrays:
        assert arrays["left.v"].dtype == np.float64


def test_json_is_the_summary_and_nothing_else(tmp_path, capsys):
    path, out = write(tmp_path), tmp_path / "out"
    assert command(path, "--out", out, "--json", "--steps", "25", "--seed", "8") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["steps"], report["duration"], report["seed"], report["target"]) == (25, 25.0, 8, "fast")
    assert report["folder"] == str(out)
    assert "results.npz" in report["files"]
    assert report["weights"]["feed"]["synapses"] == 30
    assert report["weights"]["cross"]["changed"] == 0
    assert report["counters"]["steps"] == 25
    summary = json.loads((out / "summary.json").read_text())
    assert summary == {key: value for key, value in report.items() if key not in ("folder", "files")}


def test_without_recorders_there_are_arrays_and_no_pictures(tmp_path):
    text = RIGHT[: RIGHT.index("[record]")] + "[record]\nspikes = []\n"
    assert command(write(tmp_path, text=text), "--out", tmp_path / "out", "--duration", "5") == 0
    assert not list((tmp_path / "out").glob("*.png"))


def test_results_are_not_overwritten_unless_forced(tmp_path, capsys):
    path, out = write(tmp_path), tmp_path / "out"
    assert command(path, "--out", out, "--steps", "5") == 0
    before = (out / "results.npz").read_bytes()
    assert command(path, "--out", out, "--steps", "6") == 1
    assert f"{out} holds results already; replace them with --force" in capsys.readouterr().err
    assert (out / "results.npz").read_bytes() == before
    assert command(path, "--out", out, "--steps", "6", "--force") == 0
    assert json.loads((out / "summary.json").read_text())["steps"] == 6
    assert sorted(file.name for file in tmp_path.iterdir()) == ["experiment.toml", "out"]


def test_what_is_no_results_folder_is_never_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    (tmp_path / "file").write_text("text")
    for name in ("mine", "file"):
        with pytest.raises(ExperimentError, match="holds no results; give another folder"):
            check_folder(tmp_path / name, force=True)
    with pytest.raises(ExperimentError, match="is not a writable folder"):
        check_folder(tmp_path / "file" / "out")
    (tmp_path / "empty").mkdir()
    check_folder(tmp_path / "empty")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_write_leaves_nothing(error, tmp_path, monkeypatch, capsys):
    def broken(*arguments, **options):
        raise error

    path, out = write(tmp_path), tmp_path / "out"
    monkeypatch.setattr("synloom.experiment.figures.draw_figures", broken)
    code = command(path, "--out", out, "--steps", "3")
    message = capsys.readouterr().err.splitlines()[-1]
    if error is KeyboardInterrupt:
        assert (code, message) == (130, "interrupted")
    else:
        assert (code, message) == (1, f"error: {out} cannot be written: No space left on device")
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_run_closes_the_target_and_writes_nothing(tmp_path, monkeypatch):
    closed = []
    close = sl.Device.close
    monkeypatch.setattr(sl.Device, "close", lambda self: (closed.append(True), close(self)))
    monkeypatch.setattr(sl.Device, "counters", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    path = write(tmp_path)
    assert command(path, "--out", tmp_path / "out", "--steps", "3") == 130
    assert closed
    assert list(tmp_path.iterdir()) == [path]


def test_help_names_every_option(capsys):
    assert command("--help") == 0
    text = capsys.readouterr().out
    for option in ("--target", "--out", "--force", "--seed", "--duration", "--steps", "--baud", "--json"):
        assert option in text


def test_wrong_use_is_exit_code_2(tmp_path, capsys):
    path = write(tmp_path)
    assert command(path, "--steps", "3", "--duration", "3") == 2
    assert command(path, "--steps", "0") == 2
    assert "Usage: synloom run" in capsys.readouterr().err
    assert command(path, "--duration", "2.5", "--out", tmp_path / "out") == 1
    assert "run.duration must be a multiple of dt (1 ms), not 2.5" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--duration", "--steps"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-5", "-1", "0"])
def test_what_is_no_length_is_wrong_use(option, value, tmp_path, capsys):
    path = write(tmp_path)
    assert command(path, f"{option}={value}", "--out", tmp_path / "out") == 2
    err = capsys.readouterr().err
    assert f"Error: Invalid value for '{option}'" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("duration", [float("nan"), float("inf"), -float("inf"), -5.0, 0.0, 1e-9])
def test_an_experiment_of_no_length_is_refused(duration, tmp_path):
    with pytest.raises(ExperimentError, match=r"run\.duration must be (a finite number|at least 1 ms)"):
        read_experiment(write(tmp_path)).changed(duration=duration)


def test_full_counters_are_a_warning_and_recorded_spikes_are_not(tmp_path, monkeypatch, capsys):
    read = sl.Device.spike_counts
    monkeypatch.setattr(sl.Device, "spike_counts", lambda *a, **k: read(*a, **k) * 0 + 65535)
    changes = (
        '[record]\ncounts = ["left", "right"]',
        '[record]\nspikes = ["right"]\ncounts = ["left", "right"]',
    )
    path = write(tmp_path, changes)
    assert command(path, "--out", tmp_path / "out", "--json") == 0
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("warning: ")]
    assert len(lines) == 1
    assert "left.counts: 5 of 5 spike counters saturated at 65535" in lines[0]
    assert json.loads(captured.out)["warnings"] == [lines[0].removeprefix("warning: ")]
    with np.load(tmp_path / "out" / "results.npz") as arrays:
        counts = np.bincount(arrays["right.spike_neurons"], minlength=4)
        np.testing.assert_array_equal(arrays["right.counts"], counts)


def test_a_target_that_is_not_there_writes_nothing(tmp_path, capsys):
    path = write(tmp_path)
    assert command(path, "--target", "/dev/no-such-board", "--out", tmp_path / "out") == 1
    assert "there is no serial port" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_says_what_the_run_cost(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command(write(tmp_path), "--out", "out") == 0
    printed = capsys.readouterr().out
    cost = json.loads((tmp_path / "out" / "summary.json").read_text())["cost"]
    assert (
        f"cost: 40 steps, {cost['spikes']:,} spikes, {cost['synaptic_operations']:,} synaptic operations"
        in (printed)
    )
    assert cost["weight_updates"] > 0
    assert "energy, estimated: " in printed
    assert "ulx3s-85f " in printed
    assert "J an operation" in printed


def test_a_cost_of_unknown_spikes_is_left_out(tmp_path, capsys):
    nothing = ('[record]\ncounts = ["left", "right"]', "[record]\nspikes = []\ncounts = []")
    lacking = ("lanes = 4", "lanes = 4\nspike_counters = false")
    results = run_experiment(read_experiment(write(tmp_path, nothing, lacking)))
    assert results.cost() is None
    assert results.summary()["cost"] is None
