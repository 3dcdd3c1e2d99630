"""A pole on a cart: the equations, boxes and adaptive elements of Barto, Sutton and Anderson 1983."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import ParameterError

__all__ = ["BOXES", "CartPole", "adaptive_elements", "box_of"]

BOXES: Final = 162
"""The state is in one of so many boxes: 3 of x, 3 of its speed, 6 of the angle, 3 of its speed."""

_EDGES: Final = (
    np.array([-0.8, 0.8]),
    np.array([-0.5, 0.5]),
    np.deg2rad([-6.0, -1.0, 0.0, 1.0, 6.0]),
    np.deg2rad([-50.0, 50.0]),
)


@dataclass(frozen=True, kw_only=True)
class CartPole:
    """The cart and the pole, in SI units.

    Parameters
    ----------
    gravity, cart_kg, pole_kg, half_m, force, dt : float
        Gravity, the two masses, half of the pole's length, the push, and the time of a step (Euler's).
    track_m, fall_deg : float
        The pole has fallen where the cart is further from the middle, or the angle is larger.
    """

    gravity: float = 9.8
    cart_kg: float = 1.0
    pole_kg: float = 0.1
    half_m: float = 0.5
    force: float = 10.0
    dt: float = 0.02
    track_m: float = 2.4
    fall_deg: float = 12.0

    def rates(self, state: FloatArray, force: float) -> FloatArray:
        """Return the time derivative of a state, (4,): x, its speed, the angle from upright, its speed."""
        _, speed, angle, turn = state
        sin, cos, mass = np.sin(angle), np.cos(angle), self.cart_kg + self.pole_kg
        push = (force + self.pole_kg * self.half_m * turn**2 * sin) / mass
        bend = (self.gravity * sin - cos * push) / (self.half_m * (4.0 / 3.0 - self.pole_kg * cos**2 / mass))
        pull = push - self.pole_kg * self.half_m * bend * cos / mass
        return np.array([speed, pull, turn, bend])

    def step(self, state: FloatArray, right: bool) -> FloatArray:
        """Return the next state, (4,) float64, after a push to the right or to the left."""
        return np.asarray(state + self.dt * self.rates(state, self.force if right else -self.force))

    def fallen(self, state: FloatArray) -> bool:
        """Return whether the trial is over."""
        return bool(abs(state[0]) > self.track_m or abs(state[2]) > np.deg2rad(self.fall_deg))


def box_of(state: FloatArray) -> int:
    """Return the box of a state, 0 to 161.

    Raises
    ------
    ParameterError
        If the state has not four values.
    """
    if np.shape(state) != (4,):
        raise ParameterError(
            f"a state has 4 values (x, speed, angle, its speed), not shape {np.shape(state)}"
        )
    box = 0
    for value, edges in zip(state, _EDGES, strict=True):
        box = box * (len(edges) + 1) + int(np.searchsorted(edges, value, side="right"))
    return box


def adaptive_elements(rng: np.random.Generator, trials: int, longest: int, world: CartPole) -> list[int]:
    """Return how long the source's two elements balance the pole in each trial, in floating point.

    An associative search element and an adaptive critic element, with the constants of the authors' program
    (alpha 1000, beta 0.5, gamma 0.95, traces 0.9 and 0.8; a logistic probability of a push to the right).

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.
    trials, longest : int
        Number of trials, and the step at which one ends if the pole has not fallen.
    world : CartPole
        The cart and the pole.
    """
    search, critic, lengths = np.zeros(BOXES), np.zeros(BOXES), []
    for _ in range(trials):
        state, steps = np.zeros(4), 0
        tried, met = np.zeros(BOXES), np.zeros(BOXES)
        box = box_of(state)
        while steps < longest:
            right = rng.random() < 1.0 / (1.0 + np.exp(-np.clip(search[box], -50.0, 50.0)))
            tried[box] += 0.1 * (1.0 if right else -1.0)
            met[box] += 0.2
            old, state, steps = critic[box], world.step(state, bool(right)), steps + 1
            fallen = world.fallen(state)
            box = box_of(state)
            surprise = (-1.0 if fallen else 0.95 * critic[box]) - old
            search += 1000.0 * surprise * tried
            critic += 0.5 * surprise * met
            if fallen:
                break
            tried *= 0.9
            met *= 0.8
        lengths.append(steps)
    return lengths
