"""Tasks of the gallery's examples: what their generators say is what they draw."""

import numpy as np
import pytest

from synloom.base.errors import ParameterError
from synloom.data import AddressMap
from synloom.demo.graphs import LabelledGraph, harmonic_labels, karate_club, placed, stochastic_blocks
from synloom.demo.motion import EVENT, MovingBar
from synloom.demo.outcomes import CuedOutcomes, Outcome, judged
from synloom.demo.readout import nearest_mean
from synloom.demo.spike_trains import coincidence, jittered
from synloom.demo.sudoku import Sudoku

CLEAN = MovingBar(size=8, width=2.0, jitter_ms=0.0, missing=0.0, noise=0.0)


@pytest.mark.parametrize("direction", [0.0, 90.0, 180.0, 225.0, 300.0])
def test_a_bar_makes_each_pixel_brighter_then_darker_at_its_time(direction):
    speed = 0.5
    events = CLEAN.draw(np.random.default_rng(1), direction, speed)
    assert events.dtype == EVENT
    assert (np.diff(events["t"]) >= 0).all()
    assert len(events) == 2 * 64
    up, down = events[events["p"] == 1], events[events["p"] == 0]
    angle = np.deg2rad(direction)
    # The place along the way of each event, from its time, differs from the pixel's by one constant.
    for part in (up, down):
        way = part["x"] * np.cos(angle) + part["y"] * np.sin(angle)
        assert np.ptp(way - speed * part["t"] / 1000.0) < 1e-3
    at = {(e["x"], e["y"]): e["t"] for e in up}
    assert all(abs(e["t"] - at[e["x"], e["y"]] - 1000.0 * 2.0 / speed) <= 1 for e in down)


def test_a_bar_has_so_many_events_missing_and_from_nowhere_and_jitters():
    rng = np.random.default_rng(1)
    bar = MovingBar(size=12, jitter_ms=0.0, missing=0.4, noise=0.0)
    kept = np.array([len(bar.draw(rng, 30.0, 1.0)) for _ in range(100)]) / (2 * 144)
    assert abs(kept.mean() - 0.6) < 0.012  # 28,800 events: a standard error of 0.003
    noisy = MovingBar(size=12, jitter_ms=0.0, missing=0.0, noise=0.5)
    extra = np.array([len(noisy.draw(rng, 30.0, 1.0)) for _ in range(100)]) / (2 * 144) - 1.0
    assert abs(extra.mean() - 0.5) < 0.017  # a standard error of 0.0042
    moved = MovingBar(size=12, jitter_ms=2.0, missing=0.0, noise=0.0).draw(rng, 0.0, 0.1)
    up = moved[moved["p"] == 1]
    off = up["t"] / 1000.0 - up["x"] / 0.1
    assert 1.5 < off[up["x"] > 1].std() < 2.5


def test_events_of_a_bar_are_what_the_address_map_takes():
    events = CLEAN.draw(np.random.default_rng(1), 0.0, 1.0)
    pairs = AddressMap(width=8, height=8, polarities=False)(events[events["p"] == 1], origin=0.0)
    assert sorted(pairs[:, 1]) == list(range(64))
    assert np.allclose(pairs[:, 0], pairs[:, 1] % 8)


def test_a_bar_refuses_what_cannot_be():
    with pytest.raises(ParameterError, match=r"missing must be in 0\.\.0\.99, not 1"):
        MovingBar(missing=1.0)
    with pytest.raises(ParameterError, match="speed must be above 0, not 0"):
        CLEAN.arrivals(0.0, 0.0)


def test_the_nearest_mean_is_that_of_a_loop():
    rng = np.random.default_rng(1)
    train, labels, test = rng.normal(size=(40, 3)), rng.integers(2, 6, 40), rng.normal(size=(30, 3))
    means = {k: train[labels == k].mean(axis=0) for k in range(2, 6)}
    wanted = [min(means, key=lambda k: ((row - means[k]) ** 2).sum()) for row in test]
    assert nearest_mean(train, labels, test).tolist() == wanted


@pytest.mark.parametrize(("box", "clues"), [(2, 4), (3, 30)])
def test_a_puzzle_has_one_solution_which_breaks_no_rule(box, clues):
    sudoku, rng = Sudoku(box), np.random.default_rng(3)
    puzzle, full = sudoku.puzzle(rng, clues)
    kept = puzzle >= 0
    assert kept.sum() >= clues
    assert (puzzle[kept] == full[kept]).all()
    rows = full.reshape(sudoku.side, -1)
    boxes = rows.reshape(box, box, box, box).transpose(0, 2, 1, 3).reshape(sudoku.side, -1)
    for part in (rows, rows.T, boxes):
        assert (np.sort(part, axis=1) == np.arange(sudoku.side)).all()
    found, guesses = sudoku.search(puzzle)
    assert [each.tolist() for each in found] == [full.tolist()]
    assert guesses >= 0


def test_broken_rules_are_those_of_a_loop_over_pairs():
    sudoku, rng = Sudoku(3), np.random.default_rng(4)
    grid = rng.integers(-1, 9, 81)
    wanted = sum(grid == -1)
    for a in range(81):
        for b in range(a):
            (r, c), (s, d) = divmod(a, 9), divmod(b, 9)
            near = r == s or c == d or (r // 3, c // 3) == (s // 3, d // 3)
            wanted += near and grid[a] == grid[b] >= 0
    assert sudoku.broken(grid) == wanted


def test_each_candidate_excludes_28_others_and_none_twice():
    pairs = Sudoku(3).conflicts()
    assert len(set(pairs)) == len(pairs) == 729 * 28
    assert {(b, a) for a, b in pairs} == set(pairs)
    with pytest.raises(ParameterError, match=r"box must be in 2\.\.4, not 5"):
        Sudoku(5)


def test_label_propagation_is_where_random_walks_end():
    blocks = stochastic_blocks(np.random.default_rng(1), 3, 20, 0.4, 0.05)
    known = np.array([0, 1, 20, 21, 40, 41])
    walk = blocks.edges / blocks.edges.sum(axis=1, keepdims=True)
    values = np.zeros((60, 3))
    for _ in range(3000):  # each node takes the mean of its neighbours, known ones keep theirs
        values = walk @ values
        values[known] = np.eye(3)[blocks.labels[known]]
    assert harmonic_labels(blocks, known).tolist() == values.argmax(axis=1).tolist()


def test_label_propagation_says_where_no_label_reaches():
    edges = np.zeros((4, 4), dtype=bool)
    edges[0, 1] = edges[1, 0] = edges[2, 3] = edges[3, 2] = True
    assert harmonic_labels(LabelledGraph(edges, np.array([1, 1, 0, 0])), np.array([0])).tolist() == [
        1,
        1,
        -1,
        -1,
    ]


def test_blocks_have_edges_as_often_as_they_should():
    blocks = stochastic_blocks(np.random.default_rng(2), 4, 100, 0.25, 0.05)
    same = blocks.labels[:, None] == blocks.labels[None, :]
    assert (blocks.edges == blocks.edges.T).all()
    assert not blocks.edges.diagonal().any()
    # 19,800 pairs within and 60,000 between: standard errors of 0.003 and 0.0009.
    upper = np.triu(np.ones_like(same), 1)
    assert abs(blocks.edges[same & upper].mean() - 0.25) < 0.0125
    assert abs(blocks.edges[~same & upper].mean() - 0.05) < 0.0036
    with pytest.raises(ParameterError, match=r"between must be in 0\.\.1, not 2"):
        stochastic_blocks(np.random.default_rng(1), 2, 2, 0.5, 2.0)


def test_the_karate_club_has_34_members_and_78_edges():
    pytest.importorskip("networkx")
    club = karate_club()
    assert (club.nodes, club.classes, club.edges.sum() // 2) == (34, 2, 78)
    assert np.bincount(club.labels).tolist() == [17, 17]
    assert placed(club).shape == (34, 2)


def test_trains_agree_as_their_hits_are_counted():
    wanted, found = np.zeros((50, 5), dtype=bool), np.zeros((50, 5), dtype=bool)
    wanted[[10, 20, 30], 0] = found[[10, 20, 30], 0] = True  # the same
    wanted[[10, 20], 1] = found[[12, 23], 1] = True  # one of two within two steps
    wanted[10, 2] = found[[9, 10, 11], 2] = True  # two spikes too many
    found[10, 3] = True  # none wanted
    assert np.allclose(coincidence(found, wanted, 2), [1.0, 0.5, 0.5, 0.0, 1.0])
    assert np.allclose(coincidence(wanted, found, 2), coincidence(found, wanted, 2))


def test_jitter_moves_spikes_and_keeps_their_neurons():
    raster = np.zeros((1000, 400), dtype=bool)
    raster[500] = True
    moved = jittered(np.random.default_rng(1), raster, 3.0)
    times, who = np.nonzero(moved)
    assert sorted(who) == list(range(400))
    # 400 spikes: the standard deviation has a standard error of 0.11.
    assert abs(times.std() - 3.0) < 0.45
    assert (jittered(np.random.default_rng(1), raster, 0.0) == raster).all()


def test_outcomes_are_two_events_apart_in_time_whose_probabilities_sum_to_one():
    task, rng = CuedOutcomes(cues=6), np.random.default_rng(1)
    for _ in range(50):
        for first, second in task.draw(rng):
            assert first.event != second.event
            assert {first.event, second.event} <= set(range(3))
            assert abs(first.latency - second.latency) >= 20
            assert all(50 <= each.latency <= 310 for each in (first, second))
            assert np.isclose(first.probability + second.probability, 1.0)
            assert 0.6 <= first.probability <= 0.9
    with pytest.raises(ParameterError, match="events must be at least 2, not 1"):
        CuedOutcomes(events=1)


def test_a_changed_world_moves_half_of_its_cues_and_exchanges_the_probabilities_of_the_others():
    task, rng = CuedOutcomes(), np.random.default_rng(2)
    world = task.draw(rng)
    changed = task.changed(rng, world)
    for cue, (before, after) in enumerate(zip(world, changed, strict=True)):
        assert [o.event for o in before] == [o.event for o in after]
        assert ([o.latency for o in before] == [o.latency for o in after]) == (cue >= 2)
        odds = [o.probability for o in before]
        assert [o.probability for o in after] == (odds if cue < 2 else odds[::-1])


def test_a_cue_is_a_jittered_spike_on_each_of_its_lines():
    task, rng = CuedOutcomes(lines=5, jitter_ms=3.0, begin=20), np.random.default_rng(3)
    volleys = [task.volley(rng, 2) for _ in range(200)]
    assert all([line for _, line in volley] == [10, 11, 12, 13, 14] for volley in volleys)
    times = np.array([time for volley in volleys for time, _ in volley])
    # 1,000 spikes: standard errors of 0.1 and 0.07.
    assert abs(times.mean() - 20.0) < 0.4
    assert abs(times.std() - 3.0) < 0.3


def test_predictions_are_judged_by_their_peak_their_sum_and_what_is_elsewhere():
    world = [(Outcome(0, 100, 0.75), Outcome(2, 200, 0.25))]
    density = np.zeros((1, 3, 300))
    density[0, 0, 90:100] = 0.07  # 0.7 in the 20 ms before 110, around their middle
    density[0, 2, 176:182] = 0.05  # before the window of 190 to 210
    density[0, 1, 50] = 0.1
    found = judged(world, density, begin=10, window=20)
    assert found.true.tolist() == [0.75, 0.25]
    assert np.allclose(found.said, [0.7, 0.0])
    assert abs(found.late[0] - -5.0) <= 3.0
    assert np.isclose(found.wrong, 0.4 / 1.1)
    assert found.first == 1.0
    density[0, 2, 195:205] = 0.08
    found = judged(world, density, begin=10, window=20)
    assert np.allclose(found.said, [0.7, 0.8])
    assert abs(found.late[1]) <= 3.0
    assert found.first == 0.0
