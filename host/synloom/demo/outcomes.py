"""Cues and what follows them: one of two events, each at its own latency and with its own probability.

The task of Yamada and Chao 2025, in which what comes, when it comes and how likely it is change one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.errors import ParameterError

__all__ = ["CuedOutcomes", "Outcome", "Prediction", "World", "judged"]


class Outcome(NamedTuple):
    """What may follow a cue: an event, its latency in ms, and its probability."""

    event: int
    latency: int
    probability: float


World = list[tuple[Outcome, Outcome]]
"""For each cue its two outcomes, one of which comes."""


@dataclass(frozen=True, kw_only=True)
class CuedOutcomes:
    """How cues are told, and which outcomes they may have.

    Parameters
    ----------
    cues, events : int
        How many of them there are; at least 2 events.
    lines : int
        Input channels of each cue.
    begin : int
        When the cue comes in a trial, ms.
    jitter_ms : float
        Standard deviation by which each spike of a cue is moved.
    """

    cues: int = 4
    events: int = 3
    lines: int = 6
    begin: int = 10
    jitter_ms: float = 2.0

    def __post_init__(self) -> None:
        if self.events < 2:
            raise ParameterError(f"events must be at least 2, not {self.events}")

    def draw(self, rng: np.random.Generator) -> World:
        """Return a world.

        Latencies are 50 to 310 ms, those of a cue at least 20 ms apart; p is 0.6, 0.7, 0.8 or 0.9.
        """
        world = []
        for _ in range(self.cues):
            events = rng.permutation(self.events)[:2]
            latencies = rng.choice(np.arange(60, 301, 40), 2, replace=False) + rng.integers(-10, 11, 2)
            p = float(rng.choice([0.6, 0.7, 0.8, 0.9]))
            first = Outcome(int(events[0]), int(latencies[0]), p)
            world.append((first, Outcome(int(events[1]), int(latencies[1]), 1.0 - p)))
        return world

    def changed(self, rng: np.random.Generator, world: World) -> World:
        """Return a world in which half of the cues have new latencies and the others exchange p."""
        half = self.cues // 2
        moved = [
            (a._replace(latency=x.latency), b._replace(latency=y.latency))
            for (a, b), (x, y) in zip(world[:half], self.draw(rng)[:half], strict=True)
        ]
        swapped = [
            (a._replace(probability=b.probability), b._replace(probability=a.probability))
            for a, b in world[half:]
        ]
        return moved + swapped

    def volley(self, rng: np.random.Generator, cue: int) -> list[tuple[float, int]]:
        """Return the spikes of a cue, one on each of its lines: pairs of (ms, channel)."""
        times = np.maximum(np.rint(self.begin + self.jitter_ms * rng.standard_normal(self.lines)), 0.0)
        return [(float(time), cue * self.lines + k) for k, time in enumerate(times)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """What was predicted for each outcome of a world, in its order.

    Parameters
    ----------
    true, said : (2 * cues,) float64
        Probability of each outcome, and what was predicted for it.
    late : (2 * cues,) float64
        By how many ms the peak of the prediction is later than the middle of the window before the outcome.
    wrong : float
        Share of all predictions that lie in no such window.
    """

    true: FloatArray
    said: FloatArray
    late: FloatArray
    wrong: float

    @property
    def first(self) -> float:
        """Share of the cues whose likelier outcome is predicted to be the likelier one."""
        true, said = self.true.reshape(-1, 2), self.said.reshape(-1, 2)
        return float(np.mean(true.argmax(axis=1) == said.argmax(axis=1)))


def judged(world: World, density: FloatArray, begin: int, window: int) -> Prediction:
    """Compare predictions with a world.

    Parameters
    ----------
    world : list of pairs of Outcome
        What is true.
    density : (cues, events, T) float64
        Predictions a ms after each cue; their sum over a window is a probability.
    begin : int
        When the cue comes, ms.
    window : int
        A prediction is right in so many ms before the event.
    """
    late, said, true = [], [], []
    inside = np.zeros(density.shape, dtype=bool)
    for cue, outcomes in enumerate(world):
        for event, latency, probability in outcomes:
            end = begin + latency
            row = density[cue, event]
            said.append(row[end - window : end].sum())
            late.append(np.convolve(row, np.ones(9), mode="same").argmax() - (end - window / 2.0))
            true.append(probability)
            inside[cue, event, end - window : end] = True
    total = float(np.abs(density).sum())
    wrong = float(np.abs(density[~inside]).sum()) / total if total else 0.0
    return Prediction(true=np.array(true), said=np.array(said), late=np.array(late), wrong=wrong)
