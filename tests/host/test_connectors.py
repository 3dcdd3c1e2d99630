import numpy as np
import pytest
import scipy.sparse

from synloom import (
    AllToAll,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FromList,
    FromMatrix,
    NetworkError,
    Normal,
    OneToOne,
    ParameterError,
    SmallWorld,
    Uniform,
)


def mask_of(connector, n_pre, n_post, seed=0, recurrent=False):
    made = connector.synapses(n_pre, n_post, np.random.default_rng(seed), recurrent)
    mask = np.zeros((n_pre, n_post), dtype=int)
    np.add.at(mask, (made.pre, made.post), 1)
    assert mask.max(initial=0) <= 1
    return mask


RANDOM = [
    FixedProbability(0.3),
    FixedProbability(0.3, allow_self_connections=False),
    FixedInDegree(5),
    FixedOutDegree(5),
    SmallWorld(6, 0.3),
]


def test_all_to_all_makes_every_pair():
    assert mask_of(AllToAll(), 3, 5).all()
    assert (mask_of(AllToAll(allow_self_connections=False), 4, 4, recurrent=True) == 1 - np.eye(4)).all()
    assert mask_of(AllToAll(allow_self_connections=False), 4, 4, recurrent=False).all()


def test_one_to_one_is_the_diagonal():
    assert (mask_of(OneToOne(), 7, 7) == np.eye(7)).all()


def test_probability_is_met_within_five_deviations():
    n = 200
    total = mask_of(FixedProbability(0.3), n, n).sum()
    assert abs(total - 0.3 * n * n) < 5 * np.sqrt(0.3 * 0.7 * n * n)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_probability_at_its_ends(p):
    assert (mask_of(FixedProbability(p), 20, 20) == p).all()


def test_degrees_are_exact():
    assert (mask_of(FixedInDegree(5), 30, 20).sum(axis=0) == 5).all()
    assert (mask_of(FixedOutDegree(5), 30, 20).sum(axis=1) == 5).all()


@pytest.mark.parametrize("connector", [FixedInDegree(9, False), FixedOutDegree(9, False)])
def test_degrees_without_self_use_all_others(connector):
    assert (mask_of(connector, 10, 10, recurrent=True) == 1 - np.eye(10)).all()


def test_degrees_are_spread_evenly():
    out = mask_of(FixedInDegree(10), 100, 1000).sum(axis=1)
    assert abs(out - 100).max() < 5 * np.sqrt(100)


def test_small_world_without_rewiring_is_a_ring():
    ring = mask_of(SmallWorld(4, 0.0), 10, 10)
    assert ring[0].tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 1, 1]
    assert (ring == [np.roll(ring[0], k) for k in range(10)]).all()


def test_small_world_rewires_a_part_and_keeps_the_out_degree():
    ring, made = mask_of(SmallWorld(10, 0.0), 200, 200), mask_of(SmallWorld(10, 0.2), 200, 200)
    assert (made.sum(axis=1) == 10).all()
    assert not made.diagonal().any()
    moved = int((ring & ~made).sum())
    assert abs(moved - 400) < 5 * np.sqrt(2000 * 0.2 * 0.8)


@pytest.mark.parametrize("connector", RANDOM, ids=repr)
def test_a_seed_gives_the_same_again_and_another_something_else(connector):
    first = mask_of(connector, 40, 40, 3)
    assert (first == mask_of(connector, 40, 40, 3)).all()
    assert (first != mask_of(connector, 40, 40, 4)).any()


def test_list_keeps_pairs_and_weights():
    made = FromList([(0, 2, 1.5), (3, 1, -2.0)]).synapses(4, 3, np.random.default_rng(0), False)
    assert made.pre.tolist() == [0, 3]
    assert made.post.tolist() == [2, 1]
    assert made.weights is not None
    assert made.weights.tolist() == [1.5, -2.0]


def test_matrices_say_which_pairs_there_are():
    rng = np.random.default_rng(0)
    numbers = np.array([[1.0, np.nan], [0.0, -2.0]])
    made = FromMatrix(numbers).synapses(2, 2, rng, False)
    assert list(zip(made.pre, made.post, made.weights, strict=True)) == [
        (0, 0, 1.0),
        (1, 0, 0.0),
        (1, 1, -2.0),
    ]
    assert FromMatrix(np.eye(2, dtype=bool)).synapses(2, 2, rng, False).weights is None
    sparse = scipy.sparse.csr_array(([3.0, 0.0], ([0, 1], [1, 0])), shape=(2, 2))
    made = FromMatrix(sparse).synapses(2, 2, rng, False)
    assert sorted(zip(made.pre, made.post, made.weights, strict=True)) == [(0, 1, 3.0), (1, 0, 0.0)]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: FixedProbability(1.5), ParameterError, "p must be in"),
        (lambda: FixedProbability(float("nan")), ParameterError, "not nan"),
        (lambda: FixedProbability(0.1, allow_self_connections=1), ParameterError, "True or False"),
        (lambda: FixedInDegree(2.0), ParameterError, "whole number"),
        (lambda: FixedInDegree(-1), ParameterError, "k must be in"),
        (lambda: SmallWorld(3, 0.1), ParameterError, "even"),
        (lambda: FromList([]), ParameterError, "at least one"),
        (lambda: FromList([(0, 1), (2,)]), ParameterError, "needs a list"),
        (lambda: FromList([(0.5, 1)]), ParameterError, "whole numbers, not 0.5"),
        (lambda: FromList([(0, 1, np.nan)]), ParameterError, "finite, not nan"),
        (lambda: FromMatrix([1.0, 2.0]), ParameterError, "2-D"),
        (lambda: FromMatrix([["a"]]), ParameterError, "numbers or booleans"),
        (lambda: FromMatrix([[np.inf]]), ParameterError, "finite, not inf"),
        (lambda: mask_of(OneToOne(), 2, 3), NetworkError, "the same size, not 2 and 3"),
        (
            lambda: mask_of(SmallWorld(4, 0.1), 4, 4),
            NetworkError,
            r"below the number of neurons \(4\), not 4",
        ),
        (lambda: mask_of(FixedInDegree(5), 4, 9), NetworkError, "k must be at most 4, .* not 5"),
        (
            lambda: mask_of(FixedOutDegree(4, False), 4, 4, recurrent=True),
            NetworkError,
            "k must be at most 3, .* not 4",
        ),
        (lambda: mask_of(FromList([(0, 5)]), 3, 5), NetworkError, "post must be in 0..4, not 5"),
        (lambda: mask_of(FromList([(0, 1), (0, 1)]), 3, 5), NetworkError, "listed 2 times"),
        (lambda: mask_of(FromMatrix(np.eye(3)), 3, 4), NetworkError, "shape"),
        (lambda: Uniform(2.0, 1.0), ParameterError, "high"),
        (lambda: Normal(0.0, -1.0), ParameterError, "sd"),
        (lambda: Normal(0.0, 1.0, low=2.0, high=1.0), ParameterError, "low"),
    ],
)
def test_bad_input_is_one_clear_error(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_distributions_stay_in_their_range():
    rng = np.random.default_rng(0)
    even = Uniform(1.0, 2.0).draw(1000, rng)
    assert even.min() >= 1.0
    assert even.max() <= 2.0
    assert abs(even.mean() - 1.5) < 0.05
    clipped = Normal(0.0, 1.0, low=0.0, high=1.0).draw(1000, rng)
    assert clipped.min() == 0.0
    assert clipped.max() == 1.0
