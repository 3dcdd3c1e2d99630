"""Weights that are read while a run goes on: the run stays the same, and the readings are those of pauses."""

import json

import numpy as np
import pytest
from small_networks import learner, open_model

import synloom as sl
from synloom.base.errors import DeviceError, NetworkError, ParameterError


def opened(**options):
    device = open_model(learner())
    source = next(iter(device.image.inputs))
    n = device.image.inputs[source].n
    device.inject(source, np.random.default_rng(1).random((300, n)) < 0.1)
    return device, next(iter(device.image.projections))


def test_a_run_with_readings_is_the_run_without():
    device, feed = opened()
    watched = device.run(200.0, weights={feed: 30.0})
    other, _ = opened()
    plain = other.run(200.0)
    for label in plain.sizes:
        assert np.array_equal(watched.raster(label), plain.raster(label))
        assert watched.raster(label).any()
    assert watched.cost.weight_updates == plain.cost.weight_updates > 0
    assert device.last_recording is watched
    assert np.array_equal(device.read_weights(feed), other.read_weights(feed), equal_nan=True)


def test_readings_are_the_weights_at_their_times():
    device, feed = opened()
    device.run(20.0)
    series = device.run(100.0, weights={feed: 30.0}).weights(feed)
    assert series.times.tolist() == [20.0, 50.0, 80.0, 110.0, 120.0]
    other, _ = opened()
    other.run(20.0)
    for k, duration in enumerate((0.0, 30.0, 30.0, 30.0, 10.0)):
        other.run(duration)
        assert np.array_equal(series.values[k], other.read_weights(feed), equal_nan=True)
    assert not np.array_equal(series.values[0], series.values[-1], equal_nan=True)


def test_a_reading_carries_two_to_four_bytes_for_each_pair(monkeypatch):
    device, feed = opened()
    words, read = [], device.port.read

    def counted(region, first, count):
        words.append(count)
        return read(region, first, count)

    monkeypatch.setattr(device.port, "read", counted)
    device.run(0.0)
    assert not words
    device.run(0.0, weights={feed: 10.0})
    info = device.image.projection(feed)
    pairs = device.image.inputs[info.pre].n * device.image.populations[info.post].n
    assert pairs <= sum(words) <= 2 * pairs


def test_a_run_of_no_steps_reads_once():
    device, feed = opened()
    recording = device.run(0.0, weights={feed: 10.0})
    assert recording.weights(feed).times.tolist() == [0.0]
    assert recording.steps == 0


def test_files_keep_them(tmp_path):
    device, feed = opened()
    recording = device.run(60.0, weights={feed: 20.0})
    recording.save(tmp_path / "run.npz")
    again = sl.Recording.load(tmp_path / "run.npz").weights(feed)
    assert again.times.tolist() == [0.0, 20.0, 40.0, 60.0]
    assert np.array_equal(again.values, recording.weights(feed).values, equal_nan=True)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("weights0", lambda values: values[1:], "must be float64 of shape"),
        ("weights0", lambda values: values.astype(np.float32), "must be float64 of shape"),
        ("weights0", lambda values: np.where(np.isnan(values), values, np.inf), "must be finite or NaN"),
        ("weights0", lambda values: values[:, :0], r"1..4096 sources and targets"),
        ("weights0", lambda values: np.repeat(values, 4096, axis=2), r"1..4096 sources and targets"),
        ("weights0", lambda values: values[:, 1:], "must have the projection's shape"),
        ("weights0", lambda values: values.transpose(0, 2, 1), "must have the projection's shape"),
        ("weight_times0", lambda times: times[::-1], "at ascending times"),
        ("weight_times0", lambda times: times + np.nan, "must be finite float64"),
        ("weight_times0", lambda times: None, "weight_times0"),
        ("header", lambda text: text, ""),
        ("header", lambda text: edited(text, weights="feed"), "must be a list of projections"),
        ("header", lambda text: edited(text, weight_shapes=None), ""),
        ("header", lambda text: edited(text, weight_shapes=3), "must be a list of the shapes"),
        ("header", lambda text: edited(text, weights=["feed", "feed"]), "each there once"),
        ("header", lambda text: edited(text, weights=None), "must be a list of projections"),
    ],
)
def test_wrong_weights_in_a_file_are_refused(name, change, said, tmp_path):
    device, feed = opened()
    path = tmp_path / "run.npz"
    device.run(40.0, weights={feed: 20.0}).save(path)
    with np.load(path) as archive:
        arrays = {key: archive[key] for key in archive.files}
    changed = change(arrays.pop(name))
    np.savez(path, **arrays, **({} if changed is None else {name: changed}))
    if not said:
        assert sl.Recording.load(path).weights(feed).times.tolist() == [0.0, 20.0, 40.0]
        return
    with pytest.raises(ParameterError, match=said):
        sl.Recording.load(path)


def edited(text, **changes):
    return np.frombuffer(json.dumps({**json.loads(text.tobytes()), **changes}).encode(), np.uint8)


def test_what_was_read_before_an_error_is_kept(monkeypatch):
    device, feed = opened()
    execute, calls = device._session.execute, []

    def failing(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 3:
            raise DeviceError("broken")
        return execute(*arguments, **options)

    monkeypatch.setattr(device._session, "execute", failing)
    with pytest.raises(DeviceError, match="broken"):
        device.run(100.0, weights={feed: 20.0})
    last = device.last_recording
    assert last.steps == 40
    assert last.weights(feed).times.tolist() == [0.0, 20.0, 40.0]


@pytest.mark.parametrize(
    ("weights", "options", "error", "match"),
    [
        ({"nothing": 10.0}, {}, NetworkError, "nothing"),
        ({"feed": 0.5}, {}, ParameterError, "interval"),
        ({"feed": 1.5}, {}, ParameterError, "multiple of dt"),
        ({"feed": 10.0}, {"paced": True}, ParameterError, "leave out paced"),
        ({"feed": 10.0}, {"stimulus": []}, ParameterError, "leave out paced"),
        (["feed"], {}, ParameterError, "must be a mapping"),
    ],
)
def test_wrong_readings_are_refused_before_the_run(weights, options, error, match):
    device, feed = opened()
    if isinstance(weights, dict) and "feed" in weights:
        weights = {feed: weights["feed"]}
    with pytest.raises(error, match=match):
        device.run(10.0, weights=weights, **options)
    assert device.time == 0.0


def test_weights_that_were_not_read_are_an_error():
    device, feed = opened()
    with pytest.raises(NetworkError, match="were not read"):
        device.run(10.0).weights(feed)
