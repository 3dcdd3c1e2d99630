"""Experiment files with extreme contents: one clear line each, in little time and memory."""

import re

import numpy as np
import pytest
from experiment_files import RIGHT, write

from archive_files import bomb
from synloom.base.errors import ExperimentError, SynloomError
from synloom.experiment import read_experiment
from synloom.experiment.network_builder import build_network, compile_experiment

NUMBERS = [
    (found.start(), found.group())
    for found in re.finditer(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])", RIGHT)
    if RIGHT[: found.start()].count('"') % 2 == 0
]
EXTREMES = (
    "1e308",
    "-1e308",
    "5e-324",
    "1e16",
    "1e15",
    "-1e15",
    "1e-15",
    "0x" + "f" * 5000,
    "-0.0",
    "inf",
    "nan",
)


def outcome(path):
    """Return the error of an experiment, which must be one short line; "" if it can be compiled."""
    try:
        experiment = read_experiment(path)
        compile_experiment(experiment, build_network(experiment))
    except SynloomError as error:
        text = str(error)
        assert text.isprintable(), text
        assert len(text) < 2000
        return text
    return ""


@pytest.mark.parametrize("place", range(len(NUMBERS)))
@pytest.mark.filterwarnings("ignore::synloom.SynloomWarning")
def test_extreme_numbers_are_refused_or_work(place, tmp_path):
    start, old = NUMBERS[place]
    for value in EXTREMES:
        path = tmp_path / "x.toml"
        path.write_text(RIGHT[:start] + value + RIGHT[start + len(old) :])
        message = outcome(path)
        if "308" in value or "0x" in value:
            assert str(path) in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("a = " + "{a=" * 100_000, "nested too deeply"),
        ("a = " + "9" * 5000, "whole number of thousands of digits"),
        ("a." * 500_000 + "b = 1", "a key of more than 32 parts"),
        ("[" + "a . " * 500_000 + "b]", "a key of more than 32 parts"),
        ("a" * 1_000_000 + " = 1", "is not known"),
        ('"a\\nb\\u0000" = 1', "is not known"),
        ("a = '\0'", "is not TOML"),
        ("# " + "." * 9_000_000, "has more than 8,388,608 bytes"),
    ],
)
def test_extreme_texts_are_one_line(tmp_path, text, words):
    path = tmp_path / "x.toml"
    path.write_text(text)
    assert words in outcome(path)


def test_impossible_paths_are_one_line(tmp_path):
    for path in ("a\0b", "x" * 5000, "/dev/zero", str(tmp_path)):
        assert outcome(path)


@pytest.mark.parametrize("name", ["a\\u0000.csv", "x" * 300 + ".csv", "a/" * 3000 + "x.csv", "loop.csv"])
def test_impossible_names_of_data_files_are_one_line(tmp_path, name):
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    path = write(tmp_path, ("times = [[1.0, 5.0], [], [2.0]]", f'file = "{name}"'))
    assert "inputs.kicks.file" in outcome(path)


@pytest.mark.parametrize("old", ["noise", "left", "feed"])
def test_long_names_are_refused(tmp_path, old):
    for name in ("x" * 65, "x" * 100_000, "a\\u0000b", "a\\nb"):
        path = write(
            tmp_path, text=re.sub(rf"\b{old}\b", lambda _, n=name: f'"{n}"', RIGHT.replace('"', "'"))
        )
        assert outcome(path)


def test_a_small_data_file_that_unpacks_to_gigabytes_is_refused(tmp_path):
    path = write(tmp_path, ("times = [[1.0, 5.0], [], [2.0]]", 'file = "a.npz"'))
    np.savez(tmp_path / "b.npz", channels=np.zeros(3))
    bomb(tmp_path / "b.npz", tmp_path / "a.npz", "times", 600_000_000)
    assert "at most 134,217,728 are allowed" in outcome(path)


def test_a_large_text_file_is_refused_unread(tmp_path):
    path = write(tmp_path, ("times = [[1.0, 5.0], [], [2.0]]", 'file = "a.csv"'))
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(10 << 30)
    assert "more than 33,554,432 bytes" in outcome(path)


def test_too_many_snapshots_are_refused_before_anything_runs(tmp_path):
    path = write(tmp_path, ("duration = 40.0", "duration = 4e9"), ("every = 10.0", "every = 1.0"))
    with pytest.raises(ExperimentError, match=r"record.weights\[0\].every asks for 4000000000 snapshots"):
        read_experiment(path)
