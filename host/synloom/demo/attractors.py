"""A memory of recurrent neurons on a device, and what it is compared with.

The memory learns sets of neurons, and recalls each from some of its members.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.device.device import Device

__all__ = ["AttractorMemory", "hopfield", "nearest"]

Sets = npt.NDArray[np.bool_]


class AttractorMemory:
    """The memory on a device.

    Its network has one population whose synapses onto itself learn, and an input that silences it.

    Parameters
    ----------
    device : Device
        The device, with the network loaded.
    cells, stop : str
        Labels of the population and of the input.
    rest_ms : float
        Time between two patterns, so that the traces of one do not meet the other.
    """

    def __init__(self, device: Device, *, cells: str = "CA3", stop: str = "stop", rest_ms: float = 40.0):
        self.device = device
        self._cells, self._stop, self._rest_ms = cells, stop, rest_ms

    def learn(self, pattern: Iterable[int] | IntArray, times: int = 1) -> None:
        """Force the pattern's neurons to fire once, and silence what they excite."""
        self.device.set_learning(True)
        for _ in range(times):
            self.device.inject(self._cells, [(0.0, int(n)) for n in pattern])
            self.device.inject(self._stop, [(1.0, 0), (2.0, 0)])
            self.device.run(self._rest_ms)
        self.device.set_learning(False)

    def recall(self, cue: Iterable[int] | IntArray, after_ms: float = 3.0) -> Sets:
        """Force the cue's neurons to fire once; return which neurons fire some steps later, (N,) bool."""
        fired: Sets = self.answers(cue, after_ms)[int(after_ms)]
        return fired

    def answers(self, cue: Iterable[int] | IntArray, after_ms: float = 3.0) -> Sets:
        """Force the cue's neurons to fire once; return the raster of 8 steps, (8, N) bool.

        The memory is silenced after a few steps, so that the next cue finds it at rest.
        """
        self.device.inject(self._cells, [(0.0, int(n)) for n in cue])
        self.device.inject(self._stop, [(after_ms + 2.0, 0)])
        raster: Sets = self.device.run(8.0).raster(self._cells).astype(bool)
        return raster


def hopfield(patterns: Sets, cues: Sets, active: int, *, clipped: bool = False, steps: int = 6) -> Sets:
    """Return what a Hopfield network in floating point recalls, (cues, N) bool.

    Its weights are the patterns' covariance (Tsodyks and Feigel'man 1988), or, if they are clipped, 1 between
    neurons that share a pattern and else 0 (Willshaw, Buneman and Longuet-Higgins 1969). In each step the
    neurons with the largest sums are on: an ideal inhibition.

    Parameters
    ----------
    patterns : (patterns, N) bool
        What it has learned.
    cues : (cues, N) bool
        Where it begins.
    active : int
        Neurons that are on.
    clipped : bool
        Which of the two weights.
    steps : int
        Steps that it does.
    """
    centred = patterns.astype(np.float64) if clipped else patterns - patterns.mean()
    weights = centred.T @ centred
    if clipped:
        weights = np.minimum(weights, 1.0)
    np.fill_diagonal(weights, 0.0)
    state = np.array(cues, dtype=bool)
    for _ in range(steps):
        best = np.argsort(-(state @ weights), axis=1, kind="stable")[:, :active]
        state = np.zeros_like(state)
        np.put_along_axis(state, best, True, axis=1)
    return state


def nearest(patterns: Sets, cues: Sets) -> Sets:
    """Return the pattern at the least Hamming distance from each cue, of a list of all, (cues, N) bool."""
    distance = (patterns[None] ^ cues[:, None]).sum(axis=2)
    best: Sets = patterns[distance.argmin(axis=1)]
    return best
