"""The cart and the pole: energy, boxes, and the elements of the source."""

import runpy

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from synloom import compile, connect
from synloom.base.errors import ParameterError
from synloom.demo.cart_pole import BOXES, CartPole, adaptive_elements, box_of
from synloom.demo.gallery import example_named

WORLD = CartPole()


def energy(state):
    """Kinetic and potential energy of a cart and a uniform rod on it, by their definitions."""
    _, speed, angle, turn = state
    half, rod = WORLD.half_m, WORLD.pole_kg
    middle = np.array([speed + half * turn * np.cos(angle), -half * turn * np.sin(angle)])
    inertia = rod * (2 * half) ** 2 / 12
    moving = 0.5 * WORLD.cart_kg * speed**2 + 0.5 * rod * middle @ middle + 0.5 * inertia * turn**2
    return moving + rod * WORLD.gravity * half * np.cos(angle)


@pytest.mark.parametrize("force", [0.0, 10.0, -4.0])
def test_the_energy_changes_by_the_work_of_the_force(force):
    start = np.array([0.1, -0.3, 0.4, 0.7])
    path = solve_ivp(lambda _, s: WORLD.rates(s, force), (0.0, 1.5), start, rtol=1e-10, atol=1e-10)
    end = path.y[:, -1]
    assert np.isclose(energy(end) - energy(start), force * (end[0] - start[0]), atol=1e-7)
    assert abs(end[2] - start[2]) > 0.5  # it did move


def test_a_step_is_eulers():
    state = np.array([0.1, -0.3, 0.1, 0.7])
    for right, force in ((True, 10.0), (False, -10.0)):
        assert np.allclose(WORLD.step(state, right), state + 0.02 * WORLD.rates(state, force))
    assert WORLD.fallen(np.array([2.41, 0, 0, 0]))
    assert WORLD.fallen(np.array([0, 0, np.deg2rad(-12.1), 0]))
    assert not WORLD.fallen(np.array([-2.39, 9.0, np.deg2rad(11.9), -9.0]))


def test_there_are_162_boxes_and_each_limit_parts_two():
    places, speeds = (-1.0, 0.0, 1.0), (-1.0, 0.0, 1.0)
    angles, turns = np.deg2rad([-8.0, -3.0, -0.5, 0.5, 3.0, 8.0]), np.deg2rad([-60.0, 0.0, 60.0])
    found = {box_of(np.array([x, v, a, w])) for x in places for v in speeds for a in angles for w in turns}
    assert found == set(range(BOXES))
    for which, limits in enumerate(([0.8], [0.5], np.deg2rad([1.0, 6.0]), np.deg2rad([50.0]))):
        for limit in limits:
            state = np.zeros(4)
            state[which] = limit - 1e-9
            below = box_of(state)
            state[which] = limit + 1e-9
            assert box_of(state) != below
    with pytest.raises(ParameterError, match=r"not shape \(3,\)"):
        box_of(np.zeros(3))


def test_the_sources_elements_learn():
    lengths = adaptive_elements(np.random.default_rng(1), 60, 300, WORLD)
    assert len(lengths) == 60
    assert max(lengths) <= 300
    assert np.mean(lengths[-10:]) > 4 * np.mean(lengths[:5])
    assert lengths == adaptive_elements(np.random.default_rng(1), 60, 300, WORLD)


def test_a_lesson_changes_the_weights_as_its_formula_says():
    script = runpy.run_path(str(example_named("cart_pole").script))
    task = script["Task"]()
    past = [(80, True), (81, False), (80, True), (30, False)]
    changes = []
    for seed in range(8):
        with connect("software", compile(script["network"](task, seed))) as device:
            pupil = script["Pupil"](device, task)
            assert pupil.look(np.zeros(4))[0] == 82  # what is seen just before a lesson learns nothing
            assert pupil.learn(past, -0.8)
            assert not pupil.learn(past, 1e-4)
            changes.append(device.read_weights("learned"))
            box, _, predicted = pupil.look(np.zeros(4))
            assert np.isclose(predicted, changes[-1][box, 1], atol=1e-3)
    wanted = np.zeros((BOXES, 2))
    for k, (box, right) in enumerate(past):
        wanted[box] += -0.8 * np.array([0.07 * 0.9**k * (1.0 if right else -1.0), 0.1 * 0.8**k])
    # Weights are rounded at random to units of 1/127 mV, rewards to 1/256 (0.002 mV): two lessons a weight at
    # most, whose traces leave each other 0.25 %.
    unit = 1.0 / 127.0
    assert np.abs(np.mean(changes, axis=0) - wanted).max() < 3 * unit / np.sqrt(8) + 0.003
    assert all((each[wanted == 0.0] == 0.0).all() for each in changes)


def test_an_untrained_neuron_pushes_both_ways_equally_often():
    script = runpy.run_path(str(example_named("cart_pole").script))
    task = script["Task"]()
    with connect("software", compile(script["network"](task, 3))) as device:
        pupil = script["Pupil"](device, task)
        right = [pupil.look(np.zeros(4))[1] for _ in range(1000)]
    # A standard error of 1.6 %.
    assert abs(np.mean(right) - 0.5) < 0.064
