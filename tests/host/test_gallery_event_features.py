"""Saccaded images as events, their time surfaces, and how the example counts answers."""

import runpy

import numpy as np
import pytest

from synloom.base.errors import ParameterError
from synloom.demo.gallery import example_named
from synloom.demo.motion import EVENT
from synloom.demo.saccades import Saccades
from synloom.demo.time_surfaces import pooled_counts, time_surfaces

CLEAN = Saccades(side=12, jitter_ms=0.0, noise=0.0)


def blob(side=12):
    """Return an image of a soft bright spot in the middle."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2.0
    return np.exp(-(x**2 + y**2) / 8.0).ravel()


def some_events(number=300, side=9, seed=1):
    rng = np.random.default_rng(seed)
    events = np.zeros(number, dtype=EVENT)
    events["t"] = np.sort(rng.integers(0, 90_000, number))
    for axis, most in (("x", side), ("y", side), ("p", 2)):
        events[axis] = rng.integers(0, most, number)
    return events


def test_the_gaze_goes_around_a_triangle_and_returns():
    gaze = CLEAN.gaze()
    assert gaze[[0, 40, 80, 120]].tolist() == [[-2.0, -2.0], [0.0, 2.0], [2.0, -2.0], [-2.0, -2.0]]
    speed = np.linalg.norm(np.diff(gaze, axis=0), axis=1)
    assert all(np.allclose(speed[k : k + 40], speed[k]) for k in (0, 40, 80))


def test_frames_are_the_image_moved_against_the_gaze():
    image = np.random.default_rng(1).random((12, 12))
    frames = CLEAN.frames(image.ravel())
    assert np.allclose(frames[40, 4:8, 4:8], image[6:10, 4:8])  # the gaze is 2 pixels down
    assert np.allclose(frames[0, 4:8, 4:8], image[2:6, 2:6])
    halfway = CLEAN.gaze()[20]  # between pixels only across: x = -1, y = 0
    assert halfway.tolist() == [-1.0, 0.0]
    assert np.allclose(frames[20, 4:8, 4:8], image[4:8, 3:7])
    assert np.allclose(frames[10, 4:8, 4:8], 0.5 * (image[3:7, 2:6] + image[3:7, 3:7]))


def test_events_add_up_to_the_brightness_within_a_step():
    frames = CLEAN.frames(blob()).reshape(121, -1)
    events = CLEAN.draw(np.random.default_rng(1), blob())
    assert len(events) > 100
    assert (np.diff(events["t"]) >= 0).all()
    pixel = events["y"].astype(int) * 12 + events["x"]
    for ms in (30, 60, 119):
        past = events["t"] <= 1000 * ms
        level = frames[0].copy()
        np.add.at(level, pixel[past], CLEAN.step * np.where(events["p"][past] == 1, 1.0, -1.0))
        assert np.abs(level - frames[ms + 1]).max() < CLEAN.step


def test_what_becomes_brighter_sends_events_of_polarity_1():
    right_half = np.repeat([[0.0] * 6 + [1.0] * 6], 12, axis=0).ravel()
    events = CLEAN.draw(np.random.default_rng(1), right_half)
    inside = events[(events["y"] >= 3) & (events["y"] <= 8) & (events["x"] <= 9)]
    assert set(inside["p"][inside["t"] < 80_000]) == {1}  # the gaze goes right, so the bright half comes left
    assert set(inside["p"][inside["t"] > 82_000]) == {0}


def test_events_jitter_and_come_from_nowhere_as_often_as_they_should():
    assert len(CLEAN.draw(np.random.default_rng(1), np.zeros(144))) == 0
    rng = np.random.default_rng(2)
    clean = len(CLEAN.draw(rng, blob()))
    noisy = Saccades(side=12, jitter_ms=0.0, noise=0.5)
    extra = np.array([len(noisy.draw(rng, blob())) for _ in range(100)]) / clean - 1.0
    assert abs(extra.mean() - 0.5) < 5.0 * np.sqrt(0.5 / clean / 100)
    moved = Saccades(side=12, jitter_ms=2.0, noise=0.0).draw(rng, blob())
    assert len(moved) == clean
    assert (moved["t"] % 1000 != 0).mean() > 0.9
    for wrong, text in (({"side": 1}, r"side must be in 2\.\.256"), ({"step": 0.0}, r"step must be in 0.01")):
        with pytest.raises(ParameterError, match=text):
            Saccades(**wrong)


def test_time_surfaces_are_those_of_a_loop():
    events = some_events()
    found = time_surfaces(events, side=9, radius=2, tau_ms=20.0)
    assert found.shape == (300, 25)
    for k in (0, 7, 150, 299):
        now = events[k]
        for place in range(25):
            y, x = now["y"] + place // 5 - 2, now["x"] + place % 5 - 2
            before = events[: k + 1]
            same = before[(before["x"] == x) & (before["y"] == y) & (before["p"] == now["p"])]
            wanted = np.exp((same["t"][-1] - now["t"]) / 20_000.0) if len(same) else 0.0
            assert np.isclose(found[k, place], wanted)
    assert (found[:, 12] == 1.0).all()


def test_surroundings_that_cannot_be_are_refused():
    events = some_events(seed=2)
    for wrong in ({"radius": -1}, {"tau_ms": 0.0}):
        with pytest.raises(ParameterError, match="radius must be at least 0 and tau_ms above 0"):
            time_surfaces(events, side=9, **wrong)


def test_pooled_counts_are_those_of_a_loop():
    events, rng = some_events(side=10), np.random.default_rng(3)
    features, weights = rng.integers(0, 4, 300), rng.random(300)
    found = pooled_counts(events, features, weights, number=4, side=10, parts=3).reshape(4, 3, 3)
    wanted = np.zeros((4, 3, 3))
    for event, feature, weight in zip(events, features, weights, strict=True):
        wanted[feature, event["y"] * 3 // 10, event["x"] * 3 // 10] += weight
    assert np.allclose(found, wanted)
    plain = pooled_counts(events, features, number=4, side=10, parts=1)
    assert plain.tolist() == np.bincount(features, minlength=4).tolist()


@pytest.fixture(name="script", scope="module")
def _script():
    return runpy.run_path(str(example_named("event_features").script))


def test_first_answers_are_the_earliest_of_each_event(script):
    many = script["Answers"](
        image=np.array([0, 0, 0, 0, 1, 1]),
        event=np.array([2, 2, 2, 3, 2, 2]),
        ms=np.array([5, 4, 4, 9, 7, 6]),
        cell=np.array([0, 1, 2, 3, 4, 5]),
    )
    assert many.first(4).cell.tolist() == [1, 2, 3, 5]


def test_an_event_counts_once_however_many_cells_answer_it(script):
    task = script["Task"](events=3, cells=4, parts=1)
    shown = [some_events(3, seed=k) for k in range(2)]
    seen = script["Seen"](all=shown, shown=shown, surfaces=np.zeros((2, 3, 49)))
    zeros = np.zeros(5, dtype=int)
    answers = script["Answers"](
        np.array([0, 0, 0, 1, 1]), np.array([0, 0, 2, 1, 1]), zeros, np.array([0, 3, 3, 2, 2])
    )
    assert script["pooled"](task, seen, answers, 4).tolist() == [[0.5, 0.0, 0.0, 1.5], [0.0, 0.0, 1.0, 0.0]]


def test_a_feature_has_the_colour_of_the_side_where_it_sees_something(script):
    fields = np.zeros((3, 7, 7))
    fields[0, :, 5:], fields[1, :, :2], fields[2, 1:6, 4:] = 1.0, 1.0, 0.3
    colour = script["colours"](fields)
    assert np.allclose(colour[0], colour[2])
    assert np.abs(colour[0] - colour[1]).max() > 0.5
