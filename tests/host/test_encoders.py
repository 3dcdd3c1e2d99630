"""Encoders, events and recordings in other forms, against what they should be by hand."""

import json

import numpy as np
import pytest

import synloom as sl
from synloom.data import (
    AddressMap,
    Delta,
    Latency,
    Levels,
    Phase,
    Rate,
    Receptive,
    pairs_of_raster,
    raster_of_pairs,
    read_pairs,
    write_pairs,
)


def test_rates_are_right_in_the_mean():
    values = np.array([0.0, 0.1, 0.5, 1.0])
    raster = Rate(steps=20_000, most=0.4, seed=3)(values)
    expected = 0.4 * values * 20_000
    # Binomial: 4 standard deviations, a chance of 6e-5 each.
    assert (np.abs(raster.sum(axis=0) - expected) <= 4.0 * np.sqrt(expected * (1 - 0.4 * values))).all()
    assert np.array_equal(raster, Rate(steps=20_000, most=0.4, seed=3)(values))


def test_regular_rates_have_even_intervals():
    raster = Rate(steps=30, regular=True)([0.0, 1 / 3, 0.25, 1.0])
    assert np.flatnonzero(raster[:, 1]).tolist() == list(range(2, 30, 3))
    assert np.flatnonzero(raster[:, 2]).tolist() == list(range(3, 30, 4))
    assert raster.sum(axis=0).tolist() == [0, 10, 7, 30]


def test_latency_and_phase_put_large_values_first():
    raster = Latency(steps=11)([1.0, 0.5, 0.0, 0.01])
    assert [np.flatnonzero(c).tolist() for c in raster.T] == [[0], [5], [], [10]]
    raster = Phase(steps=10, period=4)([1.0, 1 / 3])
    assert [np.flatnonzero(c).tolist() for c in raster.T] == [[0, 4, 8], [2, 6]]


def test_changes_follow_a_signal():
    signal = np.array([0.0, 0.4, 1.0, 1.0, 1.0, 0.0, 0.0])
    raster = Delta(threshold=0.5)(signal)
    assert np.flatnonzero(raster[:, 0]).tolist() == [2, 3]  # one spike a step, the rest in the next
    assert np.flatnonzero(raster[:, 1]).tolist() == [5, 6]
    # What the spikes say is never further off than the threshold, if the signal is slow.
    slow = np.cumsum(np.random.default_rng(0).uniform(-0.4, 0.4, (300, 3)), axis=0)
    spikes = Delta(threshold=0.5)(slow).astype(float)
    told = slow[0] + 0.5 * np.cumsum(spikes[:, :3] - spikes[:, 3:], axis=0)
    assert np.abs(told - slow).max() < 0.5


def test_levels_are_crossed():
    signal = np.array([0.0, 1.0, 2.0, 0.0, 2.0])
    assert Levels(levels=[0.5, 1.5])(signal).tolist() == [[0, 0], [1, 0], [0, 1], [0, 0], [1, 1]]
    assert Levels(levels=1.5, both=True)(signal)[:, 0].tolist() == [0, 0, 1, 1, 1]


def test_fields_nearest_to_a_value_answer_first():
    raster = Receptive(by=Latency(steps=50), fields=5, low=0.0, high=4.0)([1.0, 3.9])
    first = [np.argwhere(part)[0][1] for part in (raster[:, :5], raster[:, 5:])]
    assert first == [1, 4]


def test_pairs_and_rasters_are_one_thing(tmp_path):
    raster = (np.random.default_rng(1).random((50, 7)) < 0.2).astype(np.uint8)
    raster[-1, 0] = 1
    pairs = pairs_of_raster(raster, dt=0.1)
    for name in ("spikes.csv", "spikes.npz"):
        write_pairs(tmp_path / name, pairs)
        assert np.array_equal(raster_of_pairs(read_pairs(tmp_path / name), 7, dt=0.1), raster)
    assert raster_of_pairs([(0.05, 1), (0.34, 0)], 2, dt=0.1, steps=2).tolist() == [[0, 0], [0, 1]]


def test_camera_events_find_their_channels():
    events = np.zeros(3, dtype=[("x", "u2"), ("y", "u2"), ("timestamp", "i8"), ("polarity", "?")])
    events["x"], events["y"], events["timestamp"] = [9, 0, 5], [3, 0, 2], [7000, 2000, 2500]
    events["polarity"] = [True, False, True]
    address = AddressMap(width=10, height=4, factor=3)
    assert (address.columns, address.rows, address.channels) == (4, 2, 16)
    assert address(events).tolist() == [[0.0, 0], [0.5, 8 + 1], [5.0, 8 + 4 + 3]]
    assert AddressMap(width=10, height=4, unit="s", polarities=False)(events, origin=0.0)[0, 0] == 2e6


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Rate(steps=0), "steps must be"),
        (lambda: Rate(steps=5)([1.5]), "values must be in"),
        (lambda: Delta(threshold=0.0), "threshold must be"),
        (lambda: Delta(threshold=1.0)([[np.nan]]), "finite"),
        (lambda: Levels(levels=[2.0, 1.0]), "ascend"),
        (lambda: Receptive(by=3), "by must be an encoder"),
        (lambda: raster_of_pairs([(0, 5)], 5, dt=1.0), "channels must be in 0..4"),
        (lambda: raster_of_pairs([(0.0, 0.5)], 5, dt=1.0), "whole numbers"),
        (lambda: raster_of_pairs([(-1.0, 0)], 5, dt=1.0), "at least 0"),
        (lambda: raster_of_pairs([(1e9, 0)], 500, dt=0.1), "too large"),
        (lambda: raster_of_pairs([(1e300, 2)], 5, dt=1.0), "over 2,147,483,648 steps"),
        (lambda: pairs_of_raster([[0.5]], dt=1.0), "raster must have"),
        (lambda: pairs_of_raster([[0, 1], [1]], dt=1.0), "rows of one length"),
        (lambda: AddressMap(width=4, height=4)(np.zeros(2, [(c, "U5") for c in "txyp"])), "must be numbers"),
        (lambda: AddressMap(width=4, height=4, unit=["us"]), "unit must be"),
        (lambda: Rate(steps=1 << 24)(np.ones(10_000)), "16,777,216 steps and 10,000 channels is too large"),
        (lambda: Rate(steps=1 << 24, regular=True)(np.ones(10_000)), "too large"),
        (lambda: Latency(steps=1 << 24)(np.ones(10_000)), "too large"),
        (lambda: Phase(steps=1 << 24, period=2)(np.ones(10_000)), "too large"),
        (lambda: Levels(levels=np.arange(1 << 18))(np.ones((1 << 14, 2))), "too large"),
        (lambda: Receptive(by=Latency(steps=1 << 20), fields=2048)(np.ones(100)), "too large"),
        (lambda: Receptive(by=Latency(steps=2), fields=2048)(np.ones(1 << 20)), "too large"),
        (lambda: sl.from_weights({"a": np.ones((40, 40))}), "list of matrices of numbers"),
        (lambda: AddressMap(width=4, height=4)(np.zeros(3)), "structured array"),
        (lambda: AddressMap(width=4, height=4, unit="h"), "unit must be"),
        (lambda: write_pairs("spikes.txt", []), "must end with"),
    ],
)
def test_what_is_wrong_is_said(call, words):
    with pytest.raises(sl.ParameterError, match=words):
        call()


def test_wrong_files_name_their_line(tmp_path):
    path = tmp_path / "spikes.csv"
    path.write_text("time,channel\n1.0,2\nnothing,3\n")
    with pytest.raises(sl.ParameterError, match=r"spikes.csv, line 3: must be a time and a channel"):
        read_pairs(path)
    path.write_text("2,1.5\n")
    with pytest.raises(sl.ParameterError, match="whole numbers"):
        read_pairs(path)
    (tmp_path / "spikes.npz").write_bytes(b"PK")
    with pytest.raises(sl.ParameterError, match=r"spikes.npz: is no archive"):
        read_pairs(tmp_path / "spikes.npz")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("heading", [b"", b"time_ms,channel\n", b"-,#\n"])
def test_no_event_is_lost_to_a_byte_order_mark_or_a_heading(mark, heading, tmp_path):
    path = tmp_path / "spikes.csv"
    path.write_bytes(mark + heading + b"1.5,2\n3,4\n")
    assert read_pairs(path).tolist() == [[1.5, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("line", ["1.0x,2", "0x10,2", "1,2\0", " -.5e,1", '"1.0",2', "1,two"])
def test_a_damaged_first_line_is_no_heading(line, tmp_path):
    path = tmp_path / "spikes.csv"
    path.write_text(f"{line}\n3,4\n")
    with pytest.raises(sl.ParameterError, match=r"spikes.csv, line 1: must be a time and a channel") as error:
        read_pairs(path)
    assert str(error.value).isprintable()


def test_archives_of_too_many_events_are_refused_unread(tmp_path):
    path = tmp_path / "huge.npz"
    many = np.zeros((1 << 26) + 1, dtype=np.uint8)
    np.savez_compressed(path, time_ms=many, channel=many)
    with pytest.raises(sl.ParameterError, match=r"time_ms must have at most 67,108,864 events"):
        read_pairs(path)


@pytest.fixture(scope="module")
def recording():
    network = sl.Network(dt=0.5, seed=1)
    noise = network.add(sl.PoissonInput(20, rate=80.0, label="noise"))
    cells = network.add(sl.Population(6, sl.LIF(), label="cells"))
    others = network.add(sl.Population(2, sl.LIF(), label="others"))
    network.add(sl.Projection(noise, cells, sl.AllToAll(), weight=0.4))
    network.add(sl.Projection(cells, others, sl.AllToAll(), weight=0.5))
    with sl.connect("model", sl.compile(network)) as device:
        device.record("cells", "v", indices=[1, 4], every=2)
        device.record("others", "isyn_exc", every=2)
        device.run(20.0)
        return device.run(100.0)


def test_a_recording_comes_back_from_its_file(recording, tmp_path):
    recording.save(tmp_path / "run.npz")
    same = sl.Recording.load(tmp_path / "run.npz")
    assert (same.first, same.steps, same.dt, same.sizes) == (40, 200, 0.5, {"cells": 6, "others": 2})
    for name in same.sizes:
        assert np.array_equal(same.raster(name), recording.raster(name))
    assert np.array_equal(same.values("cells", "v"), recording.values("cells", "v"))
    assert np.array_equal(same.times("others", "isyn_exc"), recording.times("others", "isyn_exc"))
    with pytest.raises(sl.DeviceError):
        _ = same.cost


def test_damaged_recordings_are_refused(recording, tmp_path):
    path = tmp_path / "run.npz"
    recording.save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for k in range(80):
        damaged = bytearray(whole)
        if k % 2:
            del damaged[int(rng.integers(0, len(whole) - 1)) :]
        else:
            damaged[int(rng.integers(0, len(whole)))] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            same = sl.Recording.load(path)
        except sl.ParameterError as error:
            told = str(error)
        else:
            told = ""
            assert np.array_equal(same.raster("cells"), recording.raster("cells"))
        assert "\n" not in told
    path.write_bytes(whole)
    with pytest.raises(sl.ParameterError, match="at most 10 are allowed"):
        sl.Recording.load(path, most_bytes=10)


def header_with(**changes):
    return lambda text: np.frombuffer(
        json.dumps({**json.loads(text.tobytes()), **changes}).encode(), np.uint8
    )


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("indices0", lambda indices: indices - 2, r"indices of \['cells', 'v'\] must be in 0..5"),
        ("indices0", lambda indices: indices + 2**40, r"indices of .* must be in 0..5"),
        ("indices0", lambda indices: indices * 0, "indices of .* must differ"),
        ("indices0", lambda indices: indices[:, None], "must have one dimension"),
        ("steps0", lambda steps: steps[:, None], "must have one dimension"),
        ("steps0", lambda steps: steps[::-1], "steps of .* must ascend"),
        ("steps0", lambda steps: np.repeat(steps[::2], 2), "steps of .* must ascend"),
        ("values0", lambda values: values + np.nan, "values of .* must be finite"),
        ("spikes0", lambda pair: pair[:, ::-1], "spikes of 'cells' must be in order"),
        ("spikes0", lambda pair: np.repeat(pair, 2, axis=1), "spikes of 'cells' must be in order"),
        ("header", header_with(steps=2**61), "steps must be in"),
        ("header", header_with(first=2**61), "first must be in"),
        ("header", header_with(series=[["cells", "v"], ["cells", "v"]]), "is there twice"),
        ("header", header_with(format=True), "no number of a format"),
        ("header", header_with(format="1"), "no number of a format"),
    ],
)
def test_nonsense_in_a_recording_is_refused(recording, name, change, said, tmp_path):
    path = tmp_path / "run.npz"
    recording.save(path)
    with np.load(path) as archive:
        arrays = {key: archive[key] for key in archive.files}
    np.savez(path, **{**arrays, name: np.ascontiguousarray(change(arrays[name]))})
    with pytest.raises(sl.ParameterError, match=said) as error:
        sl.Recording.load(path)
    assert str(error.value).isprintable()
    np.savez(path, **{**arrays, "header": header_with(format=2)(arrays["header"])})
    words = r"run.npz: written by another version of Synloom \(format 2; this one reads 1\)$"
    with pytest.raises(sl.ParameterError, match=words):
        sl.Recording.load(path)


def test_neo_has_every_spike_and_sample(recording):
    (segment,) = recording.to_neo().segments
    assert len(segment.spiketrains) == 8
    times, neurons = recording.spikes("cells")
    train = next(t for t in segment.spiketrains if t.name == "cells[3]")
    assert train.annotations["source_index"] == 3
    assert train.rescale("ms").magnitude == pytest.approx(times[neurons == 3])
    assert float(train.t_start) == 20.0
    assert float(train.t_stop) == 120.0
    v = next(s for s in segment.analogsignals if s.name == "v")
    assert v.annotations == {"population": "cells", "source_indices": [1, 4]}
    assert str(v.units.dimensionality) == "mV"
    assert v.magnitude == pytest.approx(recording.values("cells", "v"))
    assert v.times.rescale("ms").magnitude == pytest.approx(recording.times("cells", "v"))


def test_tables_have_every_spike_and_sample(recording):
    table = recording.to_pandas()
    assert len(table) == sum(len(recording.spikes(name)[0]) for name in recording.sizes)
    assert table["time"].is_monotonic_increasing
    mine = table[table["population"] == "cells"]
    assert mine["neuron"].value_counts().sort_index().to_list() == recording.counts("cells").tolist()
    samples = recording.to_pandas("cells", "v")
    assert samples.columns.to_list() == [1, 4]
    assert samples.to_numpy() == pytest.approx(recording.values("cells", "v"))
    with pytest.raises(sl.ParameterError, match="give the population"):
        recording.to_pandas(variable="v")
    with pytest.raises(sl.NetworkError):
        recording.to_pandas("noise")
