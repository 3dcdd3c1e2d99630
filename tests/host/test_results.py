"""Results that are read back: equal, or one clear error that names the file."""

import json
import shutil

import numpy as np
import pytest
from experiment_files import write

import synloom as sl
from archive_files import bomb, resigned
from synloom.base.errors import ExperimentError
from synloom.experiment import read_experiment, run_experiment, write_folder
from synloom.experiment.settings import with_settings


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    results = run_experiment(read_experiment(write(folder)).changed(steps=30, seed=4), "model")
    write_folder(results, folder / "out")
    return results, folder / "out"


@pytest.fixture
def folder(written, tmp_path):
    shutil.copytree(written[1], tmp_path / "out")
    return tmp_path / "out"


def same(mine, theirs):
    """Whether two dicts of arrays are equal bit by bit."""
    return mine.keys() == theirs.keys() and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(mine.values(), theirs.values(), strict=True)
    )


def test_results_come_back(written):
    results, folder = written
    again = sl.Results.load(folder)
    assert same(again.arrays(), results.arrays())
    assert again.summary() == {**results.summary(), "cost": None}
    assert again.image.digest() == results.image.digest()
    assert str(again.counters) == str(results.counters)
    assert again.recording.first == results.recording.first
    assert list(again.recording.sizes) == list(results.recording.sizes)
    assert list(again.recording.series) == list(results.recording.series)
    assert again.experiment.text == results.experiment.text
    assert again.experiment.seed == 4


def test_spikes_of_inputs_are_recorded_and_come_back(tmp_path):
    wanted = 'spikes = ["noise", "right", "kicks"]'
    path = write(tmp_path, ("[record]\n", f"[record]\n{wanted}\n"))
    results = run_experiment(read_experiment(path).changed(steps=30), "model")
    write_folder(results, tmp_path / "out")
    again = sl.Results.load(tmp_path / "out")
    assert list(again.recording.sizes) == list(results.recording.sizes) == ["right", "noise", "kicks"]
    assert same(again.arrays(), results.arrays())
    assert again.recording.raster("kicks").sum() == 11
    assert again.recording.raster("noise").sum() > 10


def test_results_with_settings_come_back(tmp_path):
    experiment = with_settings(read_experiment(write(tmp_path)), {"populations.left.tau_m": 12.5})
    results = run_experiment(experiment.changed(steps=10), "model")
    write_folder(results, tmp_path / "out")
    again = sl.Results.load(tmp_path / "out")
    assert again.experiment.settings == {"populations.left.tau_m": 12.5}
    assert again.experiment.tables == results.experiment.tables
    assert same(again.arrays(), results.arrays())


@pytest.mark.parametrize(
    "name", ["results.npz", "summary.json", "image.synloom", "experiment/experiment.toml"]
)
def test_a_changed_or_missing_file_is_named(folder, name):
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ExperimentError, match=f"{name} was changed, or is damaged: its digest is wrong"):
        sl.Results.load(folder)
    path.unlink()
    with pytest.raises(ExperimentError, match="No such file"):
        sl.Results.load(folder)


def rewritten(folder, changes):
    """Change arrays, by functions of the old ones or None, and sign the folder again."""
    with np.load(folder / "results.npz") as file:
        arrays = {name: file[name] for name in file.files}
    for name, change in changes.items():
        made = change(arrays.pop(name, None))
        if made is not None:
            arrays[name] = made
    np.savez_compressed(folder / "results.npz", **arrays)
    resigned(folder)


WRONG = [
    ("left.v", lambda a: None, "no array 'left.v'"),
    ("left.v", lambda a: a[:-1], "left.v must be float64 of the shape"),
    ("left.v", lambda a: a.astype(np.float32), "not float32"),
    ("left.v", lambda a: a * np.inf, "left.v must be finite"),
    ("left.v_indices", lambda a: a + 10, "left.v has indices"),
    ("left.v_times", lambda a: a + 0.5, "must be times of steps"),
    ("left.spike_times", lambda a: a + 1000.0, "must be times of steps within the run"),
    ("left.spike_times", lambda a: a * np.nan, "must be times of steps within the run"),
    ("left.spike_neurons", lambda a: a + 10, "spike_neurons must be in 0..4"),
    ("left.spike_neurons", lambda a: a[::-1], "must be in 0..4, sorted"),
    ("feed.weights", lambda a: a[1:], "feed.weights must be"),
    ("feed.weights_times", lambda a: a + 1.0, "feed.weights_times must be those"),
    ("feed.weights", lambda a: np.where(np.isnan(a), 0.0, a) * np.nan, "must be NaN without a synapse"),
    ("cross.weights", lambda a: np.nan_to_num(a), "must be NaN without a synapse"),
    ("feed.weights", lambda a: a + 1e300, "at most 1e\\+09 in magnitude"),
    ("left.counts", lambda a: a - 1000, "must be at least 0"),
    ("left.counts", lambda a: a + 0.5, "must be int64"),
    ("dt", lambda a: a * 2, "dt is not that of the experiment"),
    ("more", lambda a: np.zeros(3), "'more' is no array of this experiment"),
]


@pytest.mark.parametrize(("name", "change", "words"), WRONG)
def test_wrong_arrays_are_named(folder, name, change, words):
    rewritten(folder, {name: change})
    with pytest.raises(ExperimentError, match=words):
        sl.Results.load(folder)


SUMMARIES = [
    ("seed", -1, "seed must be in"),
    ("seed", None, "another network"),
    ("duration", 1e308, "must be at most"),
    ("experiment", "../experiment.toml", "no file's name"),
    ("experiment", "a\0b", "name"),
    ("target", 3, "target must be text"),
    ("counters", {}, "counters must be those of an array"),
    ("counters", {"steps": -1}, "counters.steps must be in"),
    ("seconds", float("inf"), "seconds must be"),
    ("settings", {"run.dt": 2.0}, "image.synloom is of another network|multiple of dt"),
    ("settings", {"changes[" + "9" * 5000 + "].at": 2.0}, "is no key"),
    ("settings", [], "settings must hold a table"),
    ("steps", 3, "summary.json and the other files disagree"),
]


@pytest.mark.parametrize(("key", "value", "words"), SUMMARIES)
def test_wrong_summaries_are_named(folder, key, value, words):
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {key: value}))
    resigned(folder)
    with pytest.raises(ExperimentError, match=words) as caught:
        sl.Results.load(folder)
    assert str(caught.value).isprintable()


def test_an_image_of_another_network_is_noticed(folder, written):
    network = sl.Network(dt=1.0, seed=4)
    network.add(sl.Population(3, sl.LIF(), label="left"))
    sl.compile(network).save(folder / "image.synloom")
    resigned(folder)
    with pytest.raises(ExperimentError, match=r"image.synloom is of another network"):
        sl.Results.load(folder)


def test_arrays_are_bounded_before_they_are_unpacked(folder):
    bomb(folder / "results.npz", folder / "new.npz", "left.v", 600_000_000)
    (folder / "new.npz").rename(folder / "results.npz")
    resigned(folder)
    with pytest.raises(ExperimentError, match="give a larger most_bytes"):
        sl.Results.load(folder)


def test_what_is_no_folder_of_results_is_one_clear_error(tmp_path):
    for path in (tmp_path, tmp_path / "none", "/dev/null", "a\0b", "x" * 5000):
        with pytest.raises(ExperimentError, match="holds no intact results"):
            sl.Results.load(path)
    with pytest.raises(sl.ParameterError, match="folder must be a str or a path"):
        sl.Results.load(3)
    with pytest.raises(sl.ParameterError, match="most_bytes must be in"):
        sl.Results.load(tmp_path, most_bytes=0)
