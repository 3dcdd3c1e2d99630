"""The digits demo: what it sends, what it learns, what it draws, what it prints."""

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.image import imread

from synloom.base.errors import ParameterError
from synloom.cli.demo import demo
from synloom.contract.params import ArrayParams
from synloom.demo.data import contrast_rates, load_digits, validation_split
from synloom.demo.digits import compile_digits, learn, teacher_classes
from synloom.demo.experiment import Experiment, Reference, compare
from synloom.demo.plots import draw_all
from synloom.demo.readout import confusion, names_of, shares_by_response, vote
from synloom.demo.settings import ARRAY, FORMS, SETTINGS, DigitSettings
from synloom.device.targets import connect

SMALL = replace(DigitSettings(), neurons=100, epochs=1, looks=1)
"""As the demo's network, with as many neurons as few images can fill."""


@pytest.fixture(scope="module")
def digits():
    return load_digits().first(200, 60)


@pytest.fixture(scope="module")
def outcomes(digits):
    with connect("model", ARRAY) as device:
        return [learn(device, digits, SMALL, supervised=form, seed=3) for form in (True, False)]


def test_the_split_is_the_one_that_others_used():
    digits = load_digits()
    assert (len(digits.train), len(digits.test)) == (1203, 594)
    assert digits.test_labels[:10].tolist() == [6, 9, 3, 7, 2, 1, 5, 2, 5, 2]
    assert 0.0 <= digits.train.min() < digits.train.max() == 1.0


def test_validation_never_sees_the_test_part():
    digits = load_digits()
    part = validation_split(digits, 3)
    known = {row.tobytes() for row in digits.train}
    assert all(row.tobytes() in known for row in (*part.train, *part.test))
    assert len(part.train) + len(part.test) == 1203


def test_rates_are_the_difference_from_the_mean_image():
    mean = np.full(64, 0.5)
    image = mean.copy()
    image[3], image[7] = 0.8, 0.1
    rates = contrast_rates(image[None], mean, 500.0)[0]
    assert np.flatnonzero(rates).tolist() == [3, 64 + 7]
    np.testing.assert_allclose(rates[[3, 71]], [300.0, 400.0])
    assert contrast_rates(mean[None], mean, 500.0).max() == 0.0
    with pytest.raises(ParameterError, match="shape"):
        contrast_rates(image, mean, 500.0)


def test_neurons_vote_as_they_responded():
    counts = np.array([[4, 0, 0], [2, 0, 0], [2, 3, 0]])
    shares = shares_by_response(counts, np.array([5, 5, 8]))
    np.testing.assert_allclose(shares[0, [5, 8]], [0.6, 0.4])
    assert names_of(shares).tolist() == [5, 8, -1]
    predicted = vote(np.array([[1, 0, 9], [1, 1, 0]]), shares)
    assert predicted.tolist() == [5, 8]
    # Nine votes of one neuron against four of each of two others; as roots three against two and two.
    burst, others = np.array([[9, 4, 4]]), np.eye(10)[[1, 2, 2]]
    assert (vote(burst, others).tolist(), vote(burst, others, 0.5).tolist()) == ([1], [2])
    assert confusion(predicted, np.array([5, 5]))[5, [5, 8]].tolist() == [1, 1]


def test_the_page_gives_the_settings():
    page = (Path(__file__).parents[2] / "docs" / "digits.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([0-9.]+) \| ([0-9.]+) \|", page, re.MULTILINE)
    for k, form in enumerate(FORMS):
        assert {name: float(values[k]) for name, *values in rows} == asdict(SETTINGS[form])


def test_classes_have_equal_shares():
    assert np.bincount(teacher_classes(250)).tolist() == [25] * 10
    with pytest.raises(ParameterError, match="multiple of 10"):
        teacher_classes(255)


@pytest.mark.parametrize("form", FORMS)
def test_the_network_fits_its_array_and_is_hardly_rounded(form):
    supervised = form == "supervised"
    image = compile_digits(SETTINGS[form], ARRAY, supervised=supervised)
    assert ("teacher" in image.inputs) == supervised
    assert "out of range" not in str(image.report)
    assert "clipped" not in str(image.report)


def test_it_learns_with_a_teacher(outcomes):
    assert outcomes[0].accuracy > 0.75


def test_it_learns_without_a_teacher(outcomes):
    assert outcomes[1].accuracy > 0.7


def test_nothing_is_lost(outcomes):
    assert [outcome.losses for outcome in outcomes] == [{}, {}]


def test_every_step_is_accounted_for(digits, outcomes):
    for outcome in outcomes:
        assert outcome.steps == 16 * (200 + 60)
        assert outcome.test_start == 16 * 200
        assert outcome.spike_steps.max() < outcome.steps
        assert len(outcome.spike_steps) == len(outcome.spike_neurons)


def test_weights_move_and_stay_within_their_bounds(outcomes):
    for outcome in outcomes:
        assert outcome.weights.shape == (128, SMALL.neurons)
        assert outcome.weights.min() < 0
        assert outcome.weights.min() >= -127


def test_a_differing_spike_and_a_differing_weight_are_counted(outcomes):
    first = outcomes[0]
    assert compare(outcomes, outcomes).bits == 0
    weights = first.weights.copy()
    weights[5, 6] ^= 3
    spikes = first.spike_neurons.copy()
    spikes[10] = (spikes[10] + 1) % 7
    difference = compare([replace(first, weights=weights, spike_neurons=spikes)], [first])
    assert difference.differing_weight_bits == 2
    assert 1 <= difference.differing_raster_bits <= 2
    assert difference.raster_bits == first.steps * SMALL.neurons
    assert difference.weight_bits == 8 * first.weights.size


def test_every_picture_is_drawn(digits, outcomes, tmp_path):
    paths = draw_all(outcomes, digits.test, tmp_path / "deep" / "down")
    assert [path.name for path in paths] == [
        f"{form}_{picture}.png"
        for form in ("supervised", "unsupervised")
        for picture in ("confusion", "fields", "raster")
    ]
    for path in paths:
        pixels = imread(path)
        assert min(pixels.shape[:2]) > 300
        assert pixels[..., :3].std() > 0.02


class FakeDemo:
    """Lets the command run a smaller experiment."""

    def __init__(self, monkeypatch):
        monkeypatch.setattr("synloom.cli.demo._QUICK", (40, 20))

    def run(self, *arguments):
        return CliRunner().invoke(demo, ["digits", *arguments], standalone_mode=False)


@pytest.fixture
def small_demo(monkeypatch):
    return FakeDemo(monkeypatch)


def test_the_command_ends_with_its_figures(small_demo, tmp_path):
    result = small_demo.run("--target", "model", "--quick", "--out", str(tmp_path), "--json")
    assert result.return_value == 0
    figures = json.loads(result.stdout.splitlines()[-1])
    assert list(figures) == [
        "test_accuracy",
        "unsupervised_accuracy",
        "differing_bits",
        "seconds",
        "steps",
        "clocks",
    ]
    assert figures["differing_bits"] is None
    assert figures["steps"] == 2 * 16 * (40 + 20 * DigitSettings().looks)
    assert 0.0 <= figures["test_accuracy"] <= 1.0
    assert (tmp_path / "supervised_raster.png").exists()
    assert np.load(tmp_path / "unsupervised.npz")["weights"].dtype == np.int8
    assert "testing" in result.stderr


def test_a_folder_that_cannot_be_written_is_told_before_the_work(small_demo, tmp_path):
    (tmp_path / "file").write_text("")
    result = small_demo.run("--target", "model", "--quick", "--out", str(tmp_path / "file" / "deep"))
    assert isinstance(result.exception, ParameterError)
    assert "name another folder" in str(result.exception)
    assert "learning" not in result.stderr


def test_one_form_alone(small_demo, tmp_path):
    result = small_demo.run(
        "--target", "model", "--quick", "--unsupervised", "--out", str(tmp_path), "--json"
    )
    figures = json.loads(result.stdout.splitlines()[-1])
    assert figures["test_accuracy"] is None
    assert figures["unsupervised_accuracy"] is not None
    assert not list(tmp_path.glob("supervised*"))


def test_equal_bits_are_a_success(small_demo, monkeypatch, tmp_path):
    monkeypatch.setattr("synloom.device.targets._OPENERS", {"model": _model, "sim": _model})
    result = small_demo.run("--quick", "--supervised", "--out", str(tmp_path), "--json")
    assert result.return_value == 0
    assert json.loads(result.stdout.splitlines()[-1])["differing_bits"] == 0
    assert "equal the model's, bit for bit" in result.stdout


def test_one_differing_bit_is_a_failure(small_demo, monkeypatch, tmp_path):
    honest = Reference.result

    def wrong(self, progress):
        outcomes = honest(self, progress)
        outcomes[0].weights[0, 0] ^= 1
        return outcomes

    monkeypatch.setattr(Reference, "result", wrong)
    monkeypatch.setattr("synloom.device.targets._OPENERS", {"model": _model, "sim": _model})
    result = small_demo.run("--quick", "--supervised", "--out", str(tmp_path), "--json")
    assert result.return_value == 1
    assert json.loads(result.stdout.splitlines()[-1])["differing_bits"] == 1
    assert "DIFFER" in result.stdout


def _model(params, progress, faults, options):
    from synloom_sim.model_port import ModelPort

    return ModelPort(params)


def test_errors_of_the_models_process_arrive_here():
    experiment = Experiment(limit=(10, 5))
    tiny = ArrayParams(inputs=16, neurons=16)
    with Reference(experiment, tiny) as reference, pytest.raises(Exception, match="inputs"):
        reference.result(lambda what, share: None)


@pytest.mark.parametrize(
    "arguments", [["--seeds", "a"], ["--seeds", "-1"], ["--validation"], ["--seeds", "1", "--target", "auto"]]
)
def test_wrong_use(small_demo, arguments):
    assert type(small_demo.run(*arguments).exception).__name__ == "UsageError"
