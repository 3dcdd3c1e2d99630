"""Places along a rendered railway: the land, its seasons, and precision against recall."""

import numpy as np
import pytest

from synloom.base.errors import ParameterError
from synloom.demo.retrieval import (
    along_sequences,
    area,
    confidence,
    precision_recall,
    recall_at_full_precision,
    standardised,
)
from synloom.demo.route import SEASONS, Route, patch_normalised


def still(route, season="summer"):
    return route.traverse(SEASONS[season], np.random.default_rng(1), noise=0.0)


def test_a_ride_without_noise_is_the_same_again_and_with_noise_it_is_not():
    route = Route(4, seed=3)
    assert (still(route) == still(Route(4, seed=3))).all()
    noisy = [route.traverse(SEASONS["summer"], np.random.default_rng(k)) for k in (1, 1, 2)]
    assert (noisy[0] == noisy[1]).all()
    assert np.abs(noisy[0] - noisy[2]).mean() > 0.02
    assert np.abs(still(route) - still(Route(4, seed=4))).mean() > 0.02


def test_near_things_pass_quicker_than_far_ones():
    images = still(Route(40, seed=5, width=96, height=48)) @ np.array([0.299, 0.587, 0.114])
    change = np.abs(np.diff(images, axis=0)).mean(axis=(0, 2))
    # Rows of the sky, of the mountains just above the horizon, and of the fields and trees below it.
    assert change[:4].max() < 0.2 * change[20:40].mean()
    assert change[8:14].mean() < change[22:34].mean()


def test_seasons_change_the_colours_and_not_the_land():
    route = Route(30, seed=6)
    summer, winter = still(route, "summer"), still(route, "winter")
    below = slice(36, 48)
    assert winter[:, below].mean() > summer[:, below].mean() + 0.2  # snow on the fields
    red = (summer[..., 0] > 1.7 * summer[..., 1]) & (summer[..., 0] > 0.4)
    also = (winter[..., 0] > 1.5 * winter[..., 1]) & (winter[..., 0] > 0.4)
    assert red.sum() > 100
    assert also[red].mean() > 0.9  # the same houses at the same pixels


def test_images_are_in_range_and_sizes_are_checked():
    images = Route(2, seed=1).traverse(SEASONS["autumn"], np.random.default_rng(1), noise=3.0)
    assert images.shape == (2, 48, 96, 3)
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    with pytest.raises(ParameterError, match="places must be at least 1, not 0"):
        Route(0, seed=1)
    with pytest.raises(ParameterError, match="must divide 96 and 48, not be 20 and 8"):
        patch_normalised(images, 20, 8, 4)
    with pytest.raises(ParameterError, match="patch must divide 16 and 8, not be 3"):
        patch_normalised(images, 16, 8, 3)


def test_patches_are_normalised_as_by_a_loop_and_light_does_not_matter():
    images = np.random.default_rng(2).random((3, 48, 96, 3))
    small = patch_normalised(images, 16, 8, 4)
    grey = images @ np.array([0.299, 0.587, 0.114])
    part = np.array(
        [[grey[1, r : r + 6, c : c + 6].mean() for c in range(48, 72, 6)] for r in range(24, 48, 6)]
    )
    # The spread of means of 36 random pixels is below the floor of 0.06, which keeps noise small.
    assert np.allclose(small[1].reshape(8, 16)[4:8, 8:12], (part - part.mean()) / 0.06)
    clear = np.kron(np.random.default_rng(3).random((1, 8, 16, 1)), np.ones((1, 6, 6, 3)))
    first, second = (patch_normalised(each, 16, 8, 4) for each in (clear, 0.4 * clear + 0.3))
    assert np.allclose(first, second)
    assert np.allclose(first.reshape(8, 16)[:4, :4].std(), 1.0)


def test_precision_and_recall_are_those_of_a_loop_over_thresholds():
    rng = np.random.default_rng(4)
    sure, right = rng.random(200), rng.random(200) < 0.6
    precision, recall = precision_recall(sure, right)
    for k in (0, 10, 99, 199):
        answered = sure >= np.sort(sure)[::-1][k]
        assert np.isclose(precision[k], right[answered].mean())
        assert np.isclose(recall[k], right[answered].sum() / 200)
    first_wrong = int(np.flatnonzero(~right[np.argsort(-sure)])[0])
    assert np.isclose(recall_at_full_precision(sure, right), first_wrong / 200)
    steps = [p / 200 for p, r in zip(precision, right[np.argsort(-sure)], strict=True) if r]
    assert np.isclose(area(sure, right), sum(steps))


def test_the_area_is_one_if_all_is_right_and_equal_confidence_is_no_help():
    assert area(np.arange(5.0), np.ones(5, dtype=bool)) == 1.0
    assert area(np.arange(5.0), np.zeros(5, dtype=bool)) == 0.0
    half = np.array([True, False] * 10)
    assert recall_at_full_precision(np.ones(20), half) == 0.0
    assert recall_at_full_precision(half.astype(float), half) == 0.5


def test_confidence_is_the_lead_over_all_but_the_neighbours():
    evidence = np.array([[0.0, 9.0, 10.0, 8.0, 1.0, 4.0], [5.0, 0.0, 0.0, 0.0, 0.0, 5.0]])
    assert confidence(evidence, near=1).tolist() == [6.0, 0.0]


def test_sequences_follow_the_diagonal():
    rng = np.random.default_rng(5)
    evidence = rng.random((7, 7))
    wanted = np.zeros((7, 7))
    for q in range(7):
        for p in range(7):
            wanted[q, p] = sum(evidence[q - k, p - k] for k in range(3) if q >= k and p >= k)
    assert np.allclose(along_sequences(evidence, 3), wanted)
    assert np.allclose(along_sequences(evidence, 1), evidence)
    with pytest.raises(ParameterError, match="length must be at least 1, not 0"):
        along_sequences(evidence, 0)


def test_standardised_rows_have_mean_0_and_deviation_1():
    rows = standardised(np.array([[1.0, 2.0, 3.0, 4.0], [7.0, 7.0, 7.0, 7.0]]))
    assert np.allclose(rows[0].mean(), 0.0)
    assert np.allclose(rows[0].std(), 1.0)
    assert rows[1].tolist() == [0.0] * 4
