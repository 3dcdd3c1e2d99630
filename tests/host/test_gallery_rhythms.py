"""Phases, locking and the rhythm of delayed inhibition: each against a closed form or a loop."""

import numpy as np
import pytest

from synloom.base.errors import ParameterError
from synloom.demo.rhythms import locking, phases, same_parts, volley_period


def test_a_phase_grows_by_one_from_spike_to_spike():
    raster = np.zeros((40, 2), dtype=bool)
    raster[[4, 14, 34], 0] = True
    raster[7, 1] = True
    phase = phases(raster, 0, 40)
    assert np.allclose(phase[4:15, 0], np.arange(11) / 10)
    assert np.allclose(phase[14:35, 0], 1 + np.arange(21) / 20)
    assert np.isnan(phase[:4, 0]).all()
    assert np.isnan(phase[35:, 0]).all()
    assert np.isnan(phase[:, 1]).all()
    assert np.allclose(phases(raster, 10, 20)[:, 0], phase[10:20, 0])


def test_locking_is_one_for_equal_rhythms_and_a_sinc_for_others():
    steps = np.arange(10_000) / 1000.0
    lock = locking(np.stack([steps, steps + 0.3, 1.05 * steps, 1.1 * steps], axis=1))
    assert np.allclose(np.diag(lock), 1.0)
    assert np.isclose(lock[0, 1], 1.0)
    # The mean of exp(2 pi i x) over half a turn is 2 / pi, over a whole one 0.
    assert np.isclose(lock[0, 2], 2 / np.pi, atol=1e-3)
    assert lock[0, 3] < 1e-3
    random = locking(np.random.default_rng(1).random((4000, 30)))
    # Independent phases: the square of the locking has the mean 1 / n.
    off = random[np.triu_indices(30, 1)]
    assert 0.8 < 4000 * np.mean(off**2) < 1.2


@pytest.mark.parametrize(("delay", "kick"), [(2.0, 0.0), (12.0, 9.0), (20.0, 4.0), (5.0, 30.0)])
def test_the_period_is_that_of_a_cell_in_small_steps(delay, kick):
    dt, v, step, kicked = 1e-3, 0.0, 0, False
    while v < 15.0:
        v += dt * (20.0 - v) / 20.0
        step += 1
        if not kicked and step * dt >= delay:
            v, kicked = v - kick, True
    assert np.isclose(step * dt, volley_period(delay, 20.0, kick, 15.0, 20.0), atol=0.01)


def test_a_rhythm_that_cannot_be_is_refused():
    with pytest.raises(ParameterError, match="drive must be above the threshold of 15 mV, not 15"):
        volley_period(5.0, 15.0, 1.0, 15.0, 20.0)
    with pytest.raises(ParameterError, match=r"delay must be below the period of 27\.73 ms, not 28"):
        volley_period(28.0, 20.0, 1.0, 15.0, 20.0)


def test_parts_are_bound_through_others_and_pairs_are_counted():
    bound = np.zeros((5, 5), dtype=bool)
    for a, b in ((0, 1), (1, 2), (3, 4)):
        bound[a, b] = bound[b, a] = True
    assert same_parts(bound, np.array([0, 0, 0, 1, 1])) == 1.0
    assert same_parts(bound, np.array([0, 0, 1, 1, 1])) == 0.6
    assert same_parts(np.zeros((5, 5), dtype=bool), np.array([0, 0, 0, 1, 1])) == 0.6
    chain = np.eye(100, k=1, dtype=bool)  # one pair in one triangle only, and a long way round
    assert same_parts(chain, np.zeros(100, dtype=np.int64)) == 1.0
