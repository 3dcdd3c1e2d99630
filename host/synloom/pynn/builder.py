"""From PyNN's populations and projections to a network of the SDK.

PyNN's backends label a spike by the end of its step, and let a current act on the potential in the step
after the one at whose end the spike arrives. The array counts a spike to its step, and lets its charge act in
the step of arrival: a delay of d steps is d + 1 steps here (d for delta synapses, which act at once in both).
With SpiNNaker's timing a delay of d steps is d steps here, since there, too, a current acts in the step of
arrival. Where synapses learn, `_dendritic` keeps the differences of pairs as they are in both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pyNN import errors

from synloom.base.checks import FloatArray, IntArray
from synloom.network.connectors import Synapses
from synloom.network.inputs import InputPopulation, PoissonInput
from synloom.network.network import Network
from synloom.network.network import Population as Neurons
from synloom.network.network import Projection as Links
from synloom.network.plasticity import STDP
from synloom.pynn.sources import rates_at

__all__ = ["Built", "Part", "build", "is_source"]

_RULE: Final = ("A_plus", "A_minus", "tau_plus", "tau_minus", "w_min", "w_max", "dendritic_delay_fraction")
_FREE_RANGE: Final = 4.0
"""Thresholds that the potential reaches below rest without further ado."""


@dataclass(frozen=True, eq=False)
class Part:
    """The part of a projection that is one projection of the SDK.

    Parameters
    ----------
    projection : Projection
        PyNN's projection.
    label : str
        Label of the SDK's.
    which : (K,) int64
        Synapses of PyNN's projection.
    pre, post : (K,) int64
        Source and target of each, as indices of their populations.
    """

    projection: Any
    label: str
    which: IntArray
    pre: IntArray
    post: IntArray


@dataclass(frozen=True, eq=False)
class Built:
    """A network, and where PyNN's objects are in it.

    Parameters
    ----------
    network : Network
        The network.
    neurons, sources : dict of int to str
        Labels of the populations of neurons and of the sources in use, by their number.
    generators : dict of int to str
        Labels of those of the sources whose spikes the array's generators make.
    parts : dict of int to list of Part
        Parts of each projection, by its number.
    """

    network: Network
    neurons: dict[int, str]
    sources: dict[int, str]
    generators: dict[int, str]
    parts: dict[int, list[Part]]


@dataclass(frozen=True, eq=False)
class _Pairs:
    """A connector that has its synapses already."""

    pre: IntArray
    post: IntArray
    weights: FloatArray

    def synapses(self, n_pre: int, n_post: int, rng: np.random.Generator, recurrent: bool) -> Synapses:
        return Synapses(self.pre, self.post, self.weights)


def is_source(population: Any) -> bool:
    """Return whether a population consists of sources of spikes."""
    return not population.celltype.receptor_types


def build(state: Any, weights_of: Callable[[Any], FloatArray], seed: int, generators: bool) -> Built:
    """Return the network of all that has been created.

    Parameters
    ----------
    state : State
        The state of the simulator.
    weights_of : callable
        Returns the present weights of a projection, (K,), as the user gives them.
    seed : int
        Seed of the network.
    generators : bool
        Whether the array has generators, for SpikeSourcePoisson.
    """
    network = Network(dt=state.dt, seed=seed)
    joined = [_Joined(k, projection, weights_of) for k, projection in enumerate(state.projections)]
    used = {int(k) for each in joined for k in np.unique(each.pre_population)}
    made: dict[int, Any] = {}
    labels = _Labels()
    for k, population in enumerate(state.populations):
        label = labels.new(str(population.label))
        if not is_source(population):
            made[k] = network.add(_neurons(population, label, state))
        elif k in used and generators and type(population.celltype).__name__ == "SpikeSourcePoisson":
            rate = rates_at(population, state.step, state.dt)
            made[k] = network.add(PoissonInput(population.size, rate=rate, label=label))
        elif k in used:
            made[k] = network.add(InputPopulation(population.size, label=label))
    parts = {each.number: each.add_to(network, made, labels, state) for each in joined}
    return Built(
        network,
        {k: part.label for k, part in made.items() if not is_source(state.populations[k])},
        {k: part.label for k, part in made.items() if is_source(state.populations[k])},
        {k: str(part.label) for k, part in made.items() if isinstance(part, PoissonInput)},
        parts,
    )


class _Labels:
    """Labels that differ, although PyNN's need not."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def new(self, wanted: str) -> str:
        label, k = wanted, 1
        while label in self._used:
            k += 1
            label = f"{wanted}#{k}"
        self._used.add(label)
        return label


def _neurons(population: Any, label: str, state: Any) -> Neurons:
    parameters = {
        name: np.asarray(values, dtype=np.float64) for name, values in population.parameters.items()
    }
    return Neurons(
        population.size,
        population.celltype.lif(parameters),
        v_init=population.initial("v"),
        label=label,
        v_range=_range(population, parameters, state),
    )


def _range(population: Any, parameters: dict[str, FloatArray], state: Any) -> float | None:
    """Return the range of the potential, in mV, if current sources may drive it far below rest."""
    sources = [s for s in state.current_sources if any(c.parent is population for c in s.cells)]
    if not sources:
        return None
    current = sum(source.extreme() for source in sources) + np.abs(parameters["i_offset"]).max()
    reach = float((current * parameters["tau_m"] / parameters["cm"]).max())
    threshold = float(np.abs(parameters["v_thresh"] - parameters["v_rest"]).max())
    return 1.1 * reach if reach > _FREE_RANGE * threshold else None


class _Joined:
    """A projection with its synapses' places, to be split into parts."""

    def __init__(self, number: int, projection: Any, weights_of: Callable[[Any], FloatArray]):
        self.number = number
        self.projection = projection
        self.pre_population, self.pre, self.post_population, self.post = projection.places
        self.weights = weights_of(projection) * projection.sign

    def add_to(self, network: Network, made: dict[int, Any], labels: _Labels, state: Any) -> list[Part]:
        """Add its parts to a network, and return them."""
        parts = []
        keys = [self.pre_population, self.post_population, self._copy(state)]
        if self.projection.is_plastic:
            keys += [self.projection.synapses[name] for name in ("delay", *_RULE)]
        if not len(self.pre):
            return []
        _, group = np.unique(np.stack([np.asarray(k, float) for k in keys]), axis=1, return_inverse=True)
        for k in range(int(group.max()) + 1):
            which = np.flatnonzero(group.ravel() == k)
            label = labels.new(str(self.projection.label))
            pre, post = (int(side[which[0]]) for side in (self.pre_population, self.post_population))
            if is_source(state.populations[post]):
                raise errors.ConnectionError(f"{self.projection.label!r}: sources of spikes have no synapses")
            extra = state.populations[post].celltype.extra_steps if state.timing == "nest" else 0
            network.add(self._links(which, made[pre], made[post], extra, label, state.dt))
            parts.append(Part(self.projection, label, which, self.pre[which], self.post[which]))
        return parts

    def _copy(self, state: Any) -> IntArray:
        """Return for each synapse how many synapses of the same pair come before it."""
        size = max((p.size for p in state.populations), default=1)
        populations = len(state.populations)
        pair = (
            (self.pre_population * size + self.pre) * populations + self.post_population
        ) * size + self.post
        order = np.argsort(pair, kind="stable")
        first = np.flatnonzero(np.diff(pair[order], prepend=-1))
        place = np.arange(len(pair)) - np.repeat(first, np.diff(np.append(first, len(pair))))
        copy = np.empty(len(pair), dtype=np.int64)
        copy[order] = place
        return copy

    def _links(self, which: IntArray, pre: Any, post: Any, extra: int, label: str, dt: float) -> Links:
        projection = self.projection
        delays = np.rint(projection.synapses["delay"][which] / dt).astype(np.int64)
        steps = delays + extra
        dendritic, rule = 0.0, None
        if projection.is_plastic:
            values = {name: float(projection.synapses[name][which[0]]) for name in _RULE}
            dendritic = _dendritic(int(delays[0]), int(steps[0]), values["dendritic_delay_fraction"])
            rule = _rule(values, projection)
        if (steps == steps[0]).all():
            delay: Any = float(steps[0] * dt)
        else:
            delay = np.full((pre.n, post.n), float(steps[0] * dt))
            delay[self.pre[which], self.post[which]] = steps * dt
        pairs = _Pairs(self.pre[which], self.post[which], self.weights[which])
        return Links(pre, post, pairs, delay=delay, dendritic=dendritic, plasticity=rule, label=label)


def _dendritic(delay: int, steps: int, fraction: float) -> float:
    """Return the SDK's dendritic part of a delay for PyNN's.

    A pair's difference at the synapse is ``post + fraction * delay - (pre + (1 - fraction) * delay)``, with
    labels in steps. The array's is ``(post - 1 + back) - (pre - 1 + steps)``, where `back` is twice the
    dendritic part of `steps`.
    """
    back = 2.0 * fraction * delay + (steps - delay)
    return min(back / (2.0 * steps), 1.0)


def _rule(values: dict[str, float], projection: Any) -> STDP:
    """Return the learning rule of the SDK, whose amplitudes are fractions of the range or of the room."""
    low, high = values["w_min"], values["w_max"]
    bounds = projection.synapse_type.weight_dependence.bounds
    sign = projection.sign if high > 0.0 else 1.0
    low, high = sign * low, sign * high
    # PyNN's additive change is a fraction of w_max.
    scale = abs(high / (high - low)) if bounds == "additive" and high != low else 1.0
    # A negative weight is potentiated downwards, away from 0.
    up = scale if high > low else -scale
    return STDP(
        A_plus=up * values["A_plus"],
        A_minus=up * values["A_minus"],
        tau_plus=values["tau_plus"],
        tau_minus=values["tau_minus"],
        w_min=min(low, high),
        w_max=max(low, high),
        bounds=bounds,
    )
