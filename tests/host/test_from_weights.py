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


def run_layers(matrices, inputs, **options):
    """Return the spikes of all layers, and how often a potential was clipped."""
    with sl.connect("model", sl.compile(sl.from_weights(matrices, **options))) as device:
        device.inject("input", inputs)
        recording = device.run(float(len(inputs)))
        rasters = [recording.raster(f"layer{k + 1}") for k in range(len(matrices))]
        return rasters, device.counters()["state_saturations"]


def test_without_a_leak_a_range_keeps_what_inhibition_adds_up():
    # 40 steps of inhibition, 28 of the same excitation, and 30 more: only what was kept tells them apart.
    matrix = np.array([[-100.0, -127.0], [100.0, 127.0]])
    inputs = np.zeros((98, 2), dtype=bool)
    inputs[:40, 0] = inputs[40:, 1] = True
    thresholds, no_bias = [[150.5, 150.5]], [np.zeros(2)]
    (wanted,) = loop([matrix], no_bias, [np.full(2, 150.5)], inputs, 1.0, True)
    assert np.flatnonzero(wanted.any(axis=1))[0] == 81
    (got,), clipped = run_layers([matrix], inputs, thresholds=thresholds, v_range=5200.0)
    assert clipped == 0
    assert np.array_equal(got, wanted)
    # The compiler's own choice, from thresholds and weights, is too small here.
    (chosen,), clipped = run_layers([matrix], inputs, thresholds=thresholds)
    assert clipped > 0
    assert not np.array_equal(chosen, wanted)


def test_each_layer_may_have_a_range_of_its_own():
    matrices = [np.ones((2, 3)), np.ones((3, 2)), np.ones((2, 1))]
    assert [p.v_range for p in sl.from_weights(matrices).populations] == [None] * 3
    assert [p.v_range for p in sl.from_weights(matrices, v_range=7.0).populations] == [7.0] * 3
    own = sl.from_weights(matrices, v_range=[50.0, None, 9])
    assert [p.v_range for p in own.populations] == [50.0, None, 9.0]


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
        ({"weights": [np.ones((2, 2))], "biases": {"a": [1.0, 2.0]}}, "one entry for each of the 1 layers"),
        ({"weights": [np.ones((2, 2))], "thresholds": np.array(2.0)}, "one entry for each of the 1 layers"),
        ({"weights": [np.ones((2, 2))], "tau_m": 0.0}, "tau_m must be"),
        ({"weights": [np.ones((2, 2))], "reset": "zero"}, "reset must be"),
        ({"weights": [np.ones((2, 2))], "v_range": 0.0}, "v_range must be in \\(0, "),
        ({"weights": [np.ones((2, 2))], "v_range": [None, 2.0]}, "v_range must have one entry for each of"),
        ({"weights": [np.ones((2, 2))], "v_range": [-1.0]}, "v_range\\[0\\] must be in \\(0, "),
        ({"weights": [np.ones((2, 2))], "v_range": "wide"}, "v_range must have one entry"),
    ],
)
def test_what_is_wrong_is_said(arguments, words):
    with pytest.raises(sl.ParameterError, match=words):
        sl.from_weights(arguments.pop("weights"), **arguments)
