"""Plain matrices become a network that computes what a loop computes."""

import numpy as np
import pytest

import synloom as sl


def loop(matrices, biases, thresholds, inputs, keep, subtract):
    """Return the spikes of every layer, each layer's a step after the one before."""
    v = [np.zeros(m.shape[1]) for m in matrices]
    fired = [np.zeros(m.shape[1]) for m in matrices]
    raster = [[] for _ in matrices]
    for row in inputs:
        sources = [row.astype(float), *fired[:-1]]
        for k, (matrix, source) in enumerate(zip(matrices, sources, strict=True)):
            v[k] = keep * v[k] + source @ matrix + biases[k]
            fired[k] = (v[k] >= thresholds[k]).astype(float)
            v[k] = np.where(fired[k] > 0, v[k] - thresholds[k] if subtract else 0.0, v[k])
            raster[k].append(fired[k])
    return [np.array(r) for r in raster]


@pytest.mark.parametrize(("tau", "reset"), [(np.inf, "subtract"), (12.0, "to_value")])
def test_layers_fire_as_the_loop(tau, reset):
    rng = np.random.default_rng(2)
    # Whole numbers up to 127 are exact in 8 bits; thresholds between them leave no ties.
    matrices = [
        rng.integers(-40, 90, (64, 100)).astype(float),
        rng.integers(-60, 127, (100, 10)).astype(float),
    ]
    for matrix in matrices:
        matrix.flat[0] = 127.0
    biases = [rng.uniform(-3.0, 5.0, 100), np.zeros(10)]
    thresholds = [900.3 if tau == np.inf else 400.3, rng.uniform(700.0, 900.0, 10)]
    inputs = rng.random((60, 64)) < 0.2
    network = sl.from_weights(
        matrices, biases=biases, thresholds=[thresholds[0], thresholds[1]], tau_m=tau, reset=reset
    )
    wanted = loop(matrices, biases, thresholds, inputs, np.exp(-1.0 / tau), reset == "subtract")
    with sl.connect("model", sl.compile(network)) as device:
        device.inject("input", inputs)
        recording = device.run(60.0)
    for k, raster in enumerate(wanted):
        got = recording.raster(f"layer{k + 1}")
        assert raster.sum() > 20
        # A bias is rounded to the array's unit; a spike at the threshold may move.
        assert (got != raster).sum() <= 0.002 * raster.size
    assert [p.n for p in network.populations] == [100, 10]


def test_one_matrix_and_no_synapse():
    matrix = np.array([[2.0, np.nan], [1.0, 3.0]])
    network = sl.from_weights([matrix], thresholds=[[1.5, 2.5]])
    with sl.connect("model", sl.compile(network)) as device:
        assert np.isnan(device.read_weights("weights1")).tolist() == [[False, True], [False, False]]
        assert device.step({"input": [0]})["layer1"].tolist() == [0]
        assert device.step({"input": [1]})["layer1"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"weights": np.ones((2, 2))}, "write \\[matrix\\]"),
        ({"weights": []}, "at least one"),
        ({"weights": [np.ones((3, 4)), np.ones((2, 3))]}, "must have 4 rows.*give the transposes"),
        ({"weights": [np.ones(3)]}, "must have shape"),
        ({"weights": ["ab"]}, "matrices of numbers"),
        ({"weights": [np.full((2, 2), np.inf)]}, "must be within"),
        ({"weights": [np.ones((2, 2))], "thresholds": 0.0}, "must be above 0"),
        ({"weights": [np.ones((2, 2))], "biases": [[1.0]]}, None),
        ({"weights": [np.ones((2, 2))], "biases": [[1.0, 2.0, 3.0]]}, "length 2"),
        ({"weights": [np.ones((2, 2))], "biases": [1.0, 2.0]}, "one entry for each of the 1 layers"),
        ({"weights": [np.ones((2, 2))], "tau_m": 0.0}, "tau_m must be"),
        ({"weights": [np.ones((2, 2))], "reset": "zero"}, "reset must be"),
    ],
)
def test_what_is_wrong_is_said(arguments, words):
    with pytest.raises(sl.ParameterError, match=words):
        sl.from_weights(arguments.pop("weights"), **arguments)
