"""A whole network in float64, with the array's order of a step (docs/numbers.md) and none of its rounding.

Membranes and currents are integrated exactly from step to step (Rotter and Diesmann 1999).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from synloom.base.checks import FloatArray, IntArray, nearest_steps
from synloom.compiler.coefficients import synapse_gain
from synloom.compiler.synapses import Edges
from synloom.network.network import Population
from synloom_sim.compare.float_learning import LearningSynapses

__all__ = ["Synapses", "run_floats", "synapses_of"]

Raster = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Synapses:
    """The synapses of one projection with one delay.

    Parameters
    ----------
    pre, post : str
        Labels of the source and the target.
    delay : int
        Steps.
    exc, inh : (n_pre, n_post) sparse arrays
        Magnitudes of positive and of negative weights, nA (mV for delta synapses).
    """

    pre: str
    post: str
    delay: int
    exc: Any
    inh: Any


def synapses_of(edge: Edges, weights: FloatArray) -> list[Synapses]:
    """Return the synapses of a projection with these weights, (K,), one entry for each delay."""
    pre, post = edge.projection.pre, edge.projection.post
    found = []
    for delay in np.unique(edge.delay):
        part = edge.delay == delay
        signs = []
        for sign in (1.0, -1.0):
            entries = (np.maximum(sign * weights[part], 0.0), (edge.pre[part], edge.post[part]))
            signs.append(scipy.sparse.csr_array(scipy.sparse.coo_array(entries, shape=(pre.n, post.n))))
        found.append(Synapses(str(pre.label), str(post.label), int(delay), *signs))
    return found


class _Neurons:
    """One population and its state."""

    def __init__(self, population: Population, taus: Mapping[str, FloatArray], dt: float):
        self.cell = population.cell.values(population.n) | dict(taus)
        cell, self.modes = self.cell, population.cell
        self.v = population.v_init.copy() - cell["v_rest"]
        self.theta, self.refractory = population.theta_init.copy(), np.zeros(population.n)
        self.currents = np.zeros((2, population.n))
        names = ("tau_syn_E", "tau_syn_I")
        self.gains = [synapse_gain(cell["tau_m"], cell["cm"], cell[name], dt) for name in names]
        with np.errstate(divide="ignore"):
            self.left = [np.where(cell[n] > 0.0, np.exp(-dt / cell[n]), 0.0) for n in names]
            self.keep = np.exp(-dt / cell["tau_m"])
            self.keep_theta = np.exp(-dt / cell["tau_theta"])
        infinite = np.isinf(cell["tau_m"])
        held = np.where(infinite, dt, -np.where(infinite, 1.0, cell["tau_m"]) * np.expm1(-dt / cell["tau_m"]))
        self.offset = cell["i_offset"] * held / cell["cm"]
        self.waits = nearest_steps(cell["tau_refrac"], dt)

    def step(self, exc: FloatArray, inh: FloatArray) -> Raster:
        """Return who fires in a step with these weights arriving, (n,) bool."""
        cell = self.cell
        self.currents += (exc, inh)
        u = (
            self.keep * self.v
            + self.gains[0] * self.currents[0]
            - self.gains[1] * self.currents[1]
            + self.offset
        )
        self.currents *= self.left
        self.theta = self.theta * self.keep_theta
        ready = self.refractory == 0.0
        fires = ready & (u >= cell["v_thresh"] - cell["v_rest"] + self.theta)
        fall = cell["v_thresh"] - cell["v_reset"]
        reset = u - fall if self.modes.reset_mode == "subtract" else cell["v_reset"] - cell["v_rest"]
        moves = ready | (self.modes.refractory_mode == "integrate")
        self.v = np.where(fires, reset, np.where(moves, u, self.v))
        self.refractory = np.where(fires, self.waits, np.maximum(self.refractory - 1.0, 0.0))
        self.theta = self.theta + cell["theta_plus"] * fires
        return np.asarray(fires)


def run_floats(
    populations: Sequence[Population],
    taus: Mapping[str, Mapping[str, FloatArray]],
    synapses: Sequence[Synapses],
    inputs: Mapping[str, Raster],
    steps: int,
    dt: float,
    learning: Sequence[LearningSynapses] = (),
) -> dict[str, Raster]:
    """Return the spikes of all populations, (steps, n) bool.

    Parameters
    ----------
    populations : sequence of Population
        The neurons.
    taus : mapping of str to mapping of str to (n,) float64
        Parameters to take instead of those of the populations, by label.
    synapses : sequence of Synapses
        All synapses that do not learn.
    inputs : mapping of str to (steps, n) bool
        Spikes of the inputs, by label.
    steps : int
        Number of steps.
    dt : float
        Time step, ms.
    learning : sequence of LearningSynapses
        Synapses that learn; their weights change.
    """
    neurons = {str(p.label): _Neurons(p, taus.get(str(p.label), {}), dt) for p in populations}
    spikes: dict[str, Raster] = {str(p.label): np.zeros((steps, p.n), dtype=bool) for p in populations}
    sources = {**inputs, **spikes}
    nobody = np.zeros(0, dtype=np.int64)
    for t in range(steps):
        # Sources of this step fired in earlier ones, or are inputs.
        learned = [
            (
                part,
                part.rows(np.flatnonzero(sources[part.pre][t - part.delay]) if t >= part.delay else nobody),
            )
            for part in learning
        ]
        for label, each in neurons.items():
            arriving = np.zeros((2, len(each.v)))
            for plastic, sent in learned:
                if plastic.post == label:
                    arriving += sent
            for part in synapses:
                if part.post != label or t < part.delay:
                    continue
                active: IntArray = np.flatnonzero(sources[part.pre][t - part.delay])
                if len(active):
                    arriving[0] += part.exc[active].sum(axis=0)
                    arriving[1] += part.inh[active].sum(axis=0)
            spikes[label][t] = each.step(*arriving)
        for plastic in learning:
            if t >= plastic.back:
                plastic.columns(np.flatnonzero(spikes[plastic.post][t - plastic.back]))
    return spikes
