"""Spike data that could be read in two ways is refused; the message has the forms that are accepted."""

import numpy as np
import pytest
from small_networks import delta_cell, open_model, relay

from synloom import FromList, FromMatrix, InputPopulation, Network, ParameterError, PoissonInput, Population
from synloom.base.errors import ExperimentError
from synloom.experiment.data_files import read_spikes
from synloom.experiment.location import Location

STEP = {
    "a row of ints": (4, [0, 1, 1, 0]),
    "a row of zeros": (4, np.zeros(4, int)),
    "a row for two channels": (2, [0, 1]),
    "a row for one channel": (1, [0]),
    "a row of floats": (4, np.array([0.0, 1.0, 0.0, 0.0])),
    "indices as floats": (4, [1.0, 2.0]),
    "an index twice": (4, [2, 2]),
    "a raster": (4, np.zeros((1, 4), bool)),
    "indices in two dimensions": (4, [[2], [3]]),
    "one number": (4, 3),
    "a dict": (4, {2: True}),
    "a set": (4, {2, 3}),
    "text": (4, "23"),
    "indices of uint8": (4, np.array([2], np.uint8)),
}


@pytest.mark.parametrize("name", STEP)
def test_a_step_refuses_what_is_no_row_and_no_indices(name):
    n, spikes = STEP[name]
    device = open_model(relay(n))
    with pytest.raises(
        ParameterError, match=rf"'in'.*row of bool or uint8 with shape \({n},\), or the indices"
    ):
        device.step({"in": spikes})
    assert device.time == 0.0


@pytest.mark.parametrize(
    ("n", "spikes", "acts"),
    [
        (4, [], []),
        (4, [1], [1]),
        (4, (0, 3), [0, 3]),
        (4, np.array([0, 1]), [0, 1]),
        (2, [1], [1]),
        (2, np.array([True, True]), [0, 1]),
        (4, np.array([0, 1, 0, 1], np.uint8), [1, 3]),
        (4, [False, False, True, False], [2]),
        (4, np.flatnonzero([1, 0, 1, 1]), [0, 2, 3]),
    ],
)
def test_a_step_takes_rows_and_indices(n, spikes, acts):
    assert open_model(relay(n)).step({"in": spikes})["out"].tolist() == acts


INJECT = {
    "a float raster of two channels": (2, np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])),
    "an int raster of two channels": (2, np.array([[0, 1], [1, 0]])),
    "a raster as lists": (2, [[0, 1], [1, 0]]),
    "a float raster": (4, np.eye(4)),
    "pairs of uint8": (2, np.array([[5, 0], [6, 1]], np.uint8)),
    "pairs of uint8 for more channels": (4, np.array([[5, 0], [6, 1]], np.uint8)),
    "a dict": (4, {0: [1.0, 2.0]}),
    "a flat list": (4, [1.0, 2.0]),
    "one pair": (4, (1.0, 2)),
    "a list for each channel": (4, [[1.0], [2.0], [3.0], [4.0]]),
    "times and indices": (8, (np.array([5.0, 6.0]), np.array([0, 1]))),
    "times and indices as lists": (8, ([5.0, 6.0], [0, 1])),
    "a transposed raster": (4, np.ones((2, 3), bool)),
}


@pytest.mark.parametrize("name", INJECT)
def test_inject_refuses_what_is_no_raster_and_no_pairs(name):
    n, spikes = INJECT[name]
    device = open_model(relay(n))
    with pytest.raises(
        ParameterError, match=rf"'in'.*shape \(T, {n}\), a row for each step, or a list of pairs"
    ):
        device.inject("in", spikes)
    assert not device.run(10.0).raster("out").any()


@pytest.mark.parametrize(
    ("n", "spikes"),
    [
        (2, [(0.0, 0), (1.0, 1)]),
        (2, np.array([[0.0, 0], [1.0, 1], [3.0, 1]])),
        (4, np.array([[0.0, 0.0], [1.0, 1.0]])),
        (4, [[0, 0], [1, 1]]),
        (2, np.array([[1, 0], [0, 1]], np.uint8)),
        (4, list(zip(np.array([0.0, 1.0]), np.array([0, 1]), strict=True))),
    ],
)
def test_inject_takes_pairs_and_rasters(n, spikes):
    device = open_model(relay(n))
    device.inject("in", spikes)
    raster = device.run(10.0).raster("out")
    assert raster[0].tolist() == [1] + [0] * (n - 1)
    assert raster[1, 1] == 1


@pytest.mark.parametrize(
    "stimulus",
    [
        np.array([[0.0, 1.0], [1.0, 0.0]]),
        np.array([[0, 1], [1, 0]]),
        [(0.0, 1), (1.0, 0)],
        np.ones((3, 4), bool),
    ],
)
def test_present_takes_no_raster_but_bool_and_uint8(stimulus):
    with pytest.raises(ParameterError, match=r"raster of bool or uint8 with shape \(T, 2\)"):
        open_model(relay(2)).present({"in": stimulus}, 5.0)


TIMES = {
    "a flat list": (2, [1.0, 5.0]),
    "a flat list for one channel": (1, [1.0]),
    "a dict": (2, {0: [1.0], 1: [2.0]}),
    "a set": (2, {(1.0,), (2.0,)}),
    "text": (2, "12"),
    "a raster of bool": (2, np.ones((2, 5), bool)),
    "a raster of uint8": (2, np.ones((2, 5), np.uint8)),
    "dicts within": (1, [{0: 1.0}]),
}


@pytest.mark.parametrize("name", TIMES)
def test_spike_times_refuse_what_is_no_list_for_each_channel(name):
    n, times = TIMES[name]
    with pytest.raises(ParameterError, match=rf"spike_times.*give a list of {n} lists of times in ms"):
        InputPopulation(n, spike_times=times)


def test_lists_of_pairs_are_no_masks_and_no_columns():
    for pairs in (np.ones((3, 2), bool), np.nonzero(np.eye(2)), ([0, 1], [1, 0]), {(0, 1): 2.0}):
        with pytest.raises(ParameterError, match="FromList needs a list"):
            FromList(pairs)
    assert FromList(((0, 1), (1, 0))).pairs.tolist() == [[0, 1], [1, 0]]


def test_a_matrix_of_ones_and_zeros_is_a_mask_or_weights():
    with pytest.raises(ParameterError, match=r"astype\(bool\).*astype\(float\)"):
        FromMatrix(np.eye(3, dtype=int))
    assert len(FromMatrix(np.eye(3, dtype=bool)).pre) == 3
    assert len(FromMatrix(np.eye(3)).pre) == 9


def test_raw_weights_are_not_taken_for_si():
    device = open_model(relay())
    with pytest.raises(ParameterError, match="must be in SI units, not int8"):
        device.write_weights("relay", device.read_weights("relay", raw=True))


def test_rates_in_a_near_miss_form_are_refused():
    network = Network()
    network.add(Population(2, delta_cell()))
    network.add(PoissonInput(2, label="in"))
    device = open_model(network)
    for rates in ({0: 5.0}, [[1.0, 2.0]], [True, False], "5", [1.0], None):
        with pytest.raises(ParameterError, match="hz"):
            device.set_rates("in", rates)


def test_spike_files_with_their_columns_swapped_are_refused(tmp_path):
    where = Location("x.toml", "inputs.in.file")
    (tmp_path / "a.csv").write_text("channel,time\n0,5.0\n")
    with pytest.raises(ExperimentError, match="times in its first column"):
        read_spikes("a.csv", tmp_path, where)
    (tmp_path / "b.csv").write_text("time (ms),channel\n5.0,0\n")
    assert read_spikes("b.csv", tmp_path, where)[0].tolist() == [5.0]
    np.savez(tmp_path / "c.npz", times=np.ones(3, bool), channels=np.zeros(3))
    with pytest.raises(ExperimentError, match="raster of bool"):
        read_spikes("c.npz", tmp_path, where)
