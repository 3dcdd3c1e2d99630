"""Learning beside what is known: the subspace, what is forgotten, and the projection on the array."""

import runpy

import numpy as np
import pytest

import synloom as sl
from synloom.base.errors import ParameterError
from synloom.demo.example import ARRAY
from synloom.demo.gallery import example_named
from synloom.demo.subspace import change_of_earlier, principal_subspace, share_outside


def activity_of_rank(rank, rng, features=24, noise=0.05):
    sizes = np.linspace(2.0, 1.0, rank)
    basis = np.linalg.qr(rng.normal(size=(features, rank)))[0].T
    return rng.normal(size=(600, rank)) * sizes @ basis + noise * rng.normal(size=(600, features)), basis


def test_the_subspace_is_that_of_the_singular_vectors():
    rng = np.random.default_rng(1)
    activity, _ = activity_of_rank(5, rng)
    learned = principal_subspace(activity, 5, rng)
    assert np.allclose(learned @ learned.T, np.eye(5), atol=0.05)
    exact = np.linalg.svd(activity, full_matrices=False)[2][:5]
    # The cosines of the angles between both subspaces.
    assert np.linalg.svd(learned @ exact.T, compute_uv=False).min() > 0.99
    fewer = principal_subspace(activity, 2, rng)
    assert share_outside(activity, learned) < 0.02
    assert share_outside(activity, fewer) > 0.3


def test_the_share_outside_is_that_of_a_loop_and_0_and_1_at_the_ends():
    rng = np.random.default_rng(2)
    activity, basis = activity_of_rank(3, rng, noise=0.0)
    assert np.isclose(share_outside(activity, basis), 0.0)
    assert np.isclose(share_outside(activity, np.zeros((3, 24))), 1.0)
    left = [x - sum((x @ h) * h for h in basis[:2]) for x in activity]
    assert np.isclose(share_outside(activity, basis[:2]), sum(v @ v for v in left) / (activity**2).sum())


def test_more_cells_than_features_are_refused():
    with pytest.raises(ParameterError, match=r"size must be in 1\.\.24, not 25"):
        principal_subspace(np.ones((5, 24)), 25, np.random.default_rng(1))


def test_what_changed_of_earlier_tasks_is_counted_from_when_they_were_learned():
    right = np.array([[90.0, 10.0, 12.0], [80.0, 85.0, 11.0], [70.0, 88.0, 91.0]])
    assert change_of_earlier(right) == ((70.0 - 90.0) + (88.0 - 85.0)) / 2


@pytest.fixture(scope="module")
def continual():
    return runpy.run_path(str(example_named("continual").script))


def test_the_array_learns_what_the_lateral_cells_leave(continual):
    """A teacher changes the right and the wrong neuron by x - H' H x, within the rounding of spikes."""
    rng, task = np.random.default_rng(3), continual["SHORT"]
    # The first row is the mean brightness, which each image has much of.
    H = np.linalg.qr(np.hstack([np.ones((64, 1)), rng.normal(size=(64, task.lateral - 1))]))[0].T
    image = rng.integers(0, continual["GREYS"] + 1, 64)
    with sl.connect("software", sl.compile(continual["network"](task, 1), ARRAY)) as device:
        device.set_learning(False)
        continual["write_lateral"](device, H)
        changes = {}
        for projected in (True, False):
            device.write_weights("w", np.zeros((64, 10)))
            continual["teach"](device, image, 3, 5, projected=projected)
            changes[projected] = device.read_weights("w") / (2.0 * task.A)
        assert device.counters().losses == {}
    left = image - H.T @ (H @ image)
    for projected, wanted in ((True, left), (False, image)):
        each = changes[projected]
        assert np.abs(each[:, 3] - wanted).max() < 2.0
        assert np.abs(each[:, 5] + wanted).max() < 2.0
        assert not np.delete(each, [3, 5], axis=1).any()
    # What is known answers as before: of the change, hardly anything is in the subspace.
    inside = {k: np.linalg.norm(H @ each[:, 3]) / np.linalg.norm(each[:, 3]) for k, each in changes.items()}
    assert inside[True] < 0.1
    assert inside[False] > 0.5


def test_an_answer_is_that_of_the_weights_while_lateral_cells_are_silent(continual):
    rng, task = np.random.default_rng(4), continual["SHORT"]
    image = rng.integers(0, continual["GREYS"] + 1, 64)
    with sl.connect("software", sl.compile(continual["network"](task, 1), ARRAY)) as device:
        device.set_learning(False)
        for _ in range(3):
            weights = rng.uniform(-0.5, 0.5, (64, 10))
            device.write_weights("w", weights)
            said, spikes = continual["answer"](device, image)
            assert (spikes == image).all()
            # 8 bits hold each weight within 1/250; at most so much may the best be behind.
            sums = image @ weights
            assert sums[said] > sums.max() - 3.0
