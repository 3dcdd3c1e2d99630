"""How the example with three patterns judges its neurons."""

import runpy

import numpy as np
import pytest

from synloom.demo.gallery import example_named
from synloom.demo.hidden_patterns import HiddenPatterns

SCRIPT = runpy.run_path(str(example_named("three_patterns").script))


@pytest.fixture(name="stream")
def _stream():
    """Return a task of 30 s, its starts and patterns, and a time outside of all in each second."""
    task = HiddenPatterns(afferents=20, seconds=30)
    starts, which, _, _ = task.draw(np.random.default_rng(1))
    quiet = np.flatnonzero(np.isnan(task.inside(starts)))
    return task, starts, which, np.unique(quiet // 1000, return_index=True)[1], quiet


def test_a_neuron_has_a_pattern_if_it_answers_it_alone_and_little_else(stream):
    task, starts, which, first, quiet = stream
    one, two, three = (starts[which == k] for k in range(3))
    once_a_second = quiet[first]
    spikes = [np.array([], dtype=np.int64)] * 9
    spikes[0] = one + 4
    spikes[1] = one + 24
    spikes[2] = np.sort(np.concatenate([one, two]) + 7)
    spikes[3] = np.sort(np.concatenate([two + 9, once_a_second, once_a_second + 1]))
    spikes[4] = three[::2] + 3
    spikes[5] = np.sort(np.concatenate([two + 11, once_a_second[::4]]))
    judged = SCRIPT["judge"](task, spikes, starts, which)
    assert np.argwhere(judged["own"]).tolist() == [[0, 0], [1, 0], [5, 1]]
    assert judged["latency"][[0, 1, 5], [0, 0, 1]].tolist() == [4.0, 24.0, 11.0]
    assert judged["alarms"][0] == 0.0
    # 5 false alarms in the last 10 s, of which about two thirds are outside of the patterns.
    assert 0.2 < judged["alarms"][5] < 0.6
    figures = SCRIPT["figures"](judged)
    assert (figures["success"], figures["patterns found"], figures["neurons with a pattern"]) == (0.0, 2, 3)
    assert figures["first"] == (4.0 + 11.0) / 2
    assert figures["apart"] == 20.0


def test_a_run_succeeds_with_a_neuron_for_each_pattern_and_without_any_it_finds_nothing(stream):
    task, starts, which, _, _ = stream
    nothing = [np.array([], dtype=np.int64)] * 9
    spikes = [starts[which == k] + 5 * k for k in range(3)] + nothing[3:]
    figures = SCRIPT["figures"](SCRIPT["judge"](task, spikes, starts, which))
    assert (figures["success"], figures["hits"], figures["first"]) == (100.0, 100.0, 5.0)
    silent = SCRIPT["figures"](SCRIPT["judge"](task, nothing, starts, which))
    assert (silent["success"], silent["patterns found"]) == (0.0, 0.0)
    assert np.isnan(silent["first"])
    assert np.isnan(silent["hits"])
    assert silent["apart"] == 0.0
