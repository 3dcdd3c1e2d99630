"""The examples do what their comments say, and the manual is the format."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from experiment_files import EXAMPLES

from synloom.cli.run_experiment import run
from synloom.experiment import read_experiment, run_experiment
from synloom.experiment.reference import refreshed
from synloom.experiment.schema import EXPERIMENT, SECTIONS
from synloom.experiment.section import Named, Section
from synloom.experiment.value_types import ListOf

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "experiments.md").read_text()


def example(name, **changes):
    return run_experiment(read_experiment(EXAMPLES / f"{name}.toml").changed(**changes))


# ---- examples ----------------------------------------------------------------------------------


def test_the_strongest_input_wins():
    results = example("winner_take_all", duration=3000.0)
    phases = []
    for name in ("group_a", "group_b", "group_c"):
        times, _ = results.recording.spikes(name)
        # The first 100 ms of a phase belong to the handing over.
        phases.append(
            [((times >= begin + 100.0) & (times < begin + 1000.0)).sum() for begin in (0, 1000, 2000)]
        )
    table = np.array(phases)
    winners = np.diag(table)
    assert winners.min() > 200
    assert (table - np.diag(winners)).max() < winners.min() / 10
    assert results.counters.losses == {}


def test_stdp_makes_two_peaks_and_slows_the_neurons():
    results = example("stdp_balance", duration=8000.0)
    weights = results.weights["feed"]
    counts, _ = np.histogram(weights.present(-1), 5, (0.0, 0.35))
    before, _ = np.histogram(weights.present(0), 5, (0.0, 0.35))
    assert before.min() > 90
    assert counts[0] > 300
    assert counts[2] < before[2] / 2
    assert counts[4] > 1.3 * counts[3]
    times, _ = results.recording.spikes("neurons")
    assert (times < 1000.0).sum() > 1.7 * (times >= 7000.0).sum() > 0
    assert results.counters.losses == {}


def test_volleys_run_through_the_chain_if_they_are_sharp():
    results = example("delay_chain")
    groups = [f"group_{k}" for k in range(1, 6)]
    spread, middle = np.zeros((5, 2)), np.zeros((5, 2))
    for k, name in enumerate(groups):
        times, neurons = results.recording.spikes(name)
        for volley, begin in enumerate((0.0, 70.0)):
            mine = (times >= begin) & (times < begin + 70.0)
            assert sorted(neurons[mine]) == list(range(16)), name
            spread[k, volley], middle[k, volley] = times[mine].std(), times[mine].mean()
        late = (times >= 140.0).sum()
        assert 0 < late < 8 if k == 0 else late == 0
    assert (np.diff(middle, axis=0) >= 5.0).all()
    assert (np.diff(middle, axis=0) < 6.5).all()
    assert spread[-1, 1] < 0.3 < spread[0, 1]
    assert results.counters.losses == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["winner_take_all", "stdp_balance", "delay_chain"])
def test_the_simulated_board_gives_the_models_bits(name):
    experiment = read_experiment(EXAMPLES / f"{name}.toml")
    ours, theirs = (run_experiment(experiment, target).arrays() for target in ("model", "sim"))
    assert ours.keys() == theirs.keys()
    for key, array in ours.items():
        assert array.dtype == theirs[key].dtype
        assert array.tobytes() == theirs[key].tobytes(), key


def test_all_examples_share_one_array():
    arrays = [read_experiment(path).tables["array"] for path in sorted(EXAMPLES.glob("*.toml"))]
    assert len(arrays) == 3
    assert all(array == arrays[0] for array in arrays)


# ---- the manual --------------------------------------------------------------------------------


def test_the_manuals_tables_are_the_formats():
    assert refreshed(PAGE) == PAGE, "run: python -m synloom.experiment.reference docs/experiments.md"
    titles = re.findall(r"<!-- keys of (.*) -->", PAGE)
    assert titles == [section.title for section in SECTIONS]


def test_every_table_that_is_accepted_is_in_the_manual():
    found = []

    def visit(kind):
        if isinstance(kind, Named):
            visit(kind.section)
        elif isinstance(kind, ListOf):
            visit(kind.kind)
        elif isinstance(kind, Section):
            found.append(kind.title)
            for key in kind.keys:
                visit(key.kind)

    visit(EXPERIMENT)
    assert sorted(found) == sorted(section.title for section in SECTIONS)


def test_every_option_is_in_the_manual():
    for option in run.params:
        if option.param_type_name == "option":
            assert f"`{option.opts[0]}" in PAGE, option.opts


def test_the_manuals_example_runs(tmp_path):
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "small.toml").write_text(text)
    done = CliRunner().invoke(run, [str(tmp_path / "small.toml"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    written = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {"raster.png", "state-v.png", "weights-feed.png"}
    files = {"results.npz", "summary.json", "report.txt", "experiment", "image.synloom", "digests.json"}
    assert written == files | pictures


def test_the_manual_lists_the_examples():
    for path in EXAMPLES.glob("*.toml"):
        assert f"(examples/{path.name})" in PAGE
