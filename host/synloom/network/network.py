"""Networks: populations and the projections between them, in SI units and independent of any array."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from synloom.base.checks import HUGE, FloatArray, per_item, real, reals, whole
from synloom.base.errors import NetworkError, ParameterError
from synloom.base.wording import shown
from synloom.network.cells import LIF
from synloom.network.connectors import Connector
from synloom.network.distributions import Distribution
from synloom.network.inputs import InputPopulation
from synloom.network.plasticity import PairRule, Plasticity

__all__ = ["Network", "Population", "Projection", "Weight"]

Weight = float | FloatArray | Distribution
_Part = TypeVar("_Part", "Population", InputPopulation, "Projection")


class Population:
    """A group of neurons of one model.

    Parameters
    ----------
    n : int
        Number of neurons, 1 to 2048.
    cell : LIF
        The neuron model; its array parameters have length n.
    label : str, optional
        Name, unique in the network.
    v_init : float or (n,) array, optional
        Initial potential, mV. Default: `v_rest`.
    theta_init : float or (n,) array
        Initial increase of the threshold, mV, at least 0.
    v_range : float, optional
        Distance from `v_rest` that the potential and the adapted threshold must be able to reach, mV.
        Default: a generous distance that the compiler chooses; give one if potentials go much further.

    Raises
    ------
    ParameterError
        If a value is not a number, out of range, or an array of another length than n.
    """

    def __init__(
        self,
        n: int,
        cell: LIF,
        *,
        label: str | None = None,
        v_init: Any = None,
        theta_init: Any = 0.0,
        v_range: float | None = None,
    ):
        self.n = whole("n (of a population)", n, 1, 2048)
        if not isinstance(cell, LIF):
            raise ParameterError(f"cell must be a neuron model such as LIF(), not {shown(cell)}")
        if cell.size not in (None, self.n):
            raise ParameterError(
                f"array parameters of the cell must have length {self.n}, one value per neuron, "
                f"not {cell.size}"
            )
        self.cell = cell
        self.label = label
        start = cell.v_rest if v_init is None else reals("v_init", v_init, low=-HUGE, high=HUGE)
        self.v_init = per_item("v_init", start, self.n)
        self.theta_init = per_item("theta_init", reals("theta_init", theta_init, low=0.0, high=HUGE), self.n)
        self.v_range = None
        if v_range is not None:
            self.v_range = real("v_range", v_range, low=0.0, high=HUGE, above=True)

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        return f"<Population {self.label or 'without label'}: {self.n} neurons>"


class Projection:
    """Synapses from one population to another.

    Parameters
    ----------
    pre : Population or InputPopulation
        The sources.
    post : Population
        The targets.
    connector : Connector
        Selects the connected pairs.
    weight : float, (n_pre, n_post) array or Distribution, optional
        Weights in nA: each spike raises the synaptic current by the weight. For delta synapses
        (`tau_syn` = 0) in mV: each spike raises the potential by the weight. Negative weights are
        inhibitory. Leave it out if the connector gives weights.
    delay : float, (n_pre,) array, (n_pre, n_post) array or Distribution, optional
        Delay in ms, of all synapses, of each source's or of each one. Default: one step for neurons, which
        is their least, and none for inputs. A source with several delays takes a row of the array for each.
    dendritic : float
        The part of the delay that lies on the target's dendrite, 0 to 1 (PyNN's dendritic delay fraction).
        It matters only where synapses learn: there the source's spike comes after the axonal part, and the
        target's own spike after the dendritic part. (The array keeps charge and source together, and lets the
        target's spike come twice as late, which gives every pair the same difference.) Default: 0, all of it
        on the axon.
    plasticity : Plasticity, optional
        Learning rule: `STDP`, `TraceTarget` or `PairRule`. Default: none, the weights are static.
    label : str, optional
        Name, unique in the network. Default: ``pre->post``.

    Raises
    ------
    NetworkError
        If `pre` or `post` is not a population of the right kind.
    ParameterError
        If another argument has the wrong type or shape, or a value is out of range.
    """

    def __init__(
        self,
        pre: Population | InputPopulation,
        post: Population,
        connector: Connector,
        *,
        weight: Weight | None = None,
        delay: Any = None,
        dendritic: float = 0.0,
        plasticity: Plasticity | None = None,
        label: str | None = None,
    ):
        if not isinstance(pre, (Population, InputPopulation)):
            raise NetworkError(f"pre must be a Population or an InputPopulation, not {shown(pre)}")
        if not isinstance(post, Population):
            raise NetworkError(f"post must be a Population of neurons, not {shown(post)}")
        if isinstance(connector, type):
            raise ParameterError(
                f"connector must be an instance such as AllToAll(), not the class "
                f"{connector.__name__}; write {connector.__name__}() with its arguments"
            )
        if not hasattr(connector, "synapses"):
            raise ParameterError(f"connector must be a connector such as AllToAll(), not {shown(connector)}")
        self.pre = pre
        self.post = post
        self.connector = connector
        self.weight = _check_weight(weight, (pre.n, post.n))
        self.delay = _check_delay(delay, (pre.n, post.n))
        self.dendritic = real("dendritic", dendritic, low=0.0, high=1.0)
        self.plasticity = plasticity
        self.rule = _check_rule(plasticity)
        self.label = label

    def __repr__(self) -> str:
        return f"<Projection {self.label or 'without label'}: {self.pre.label} -> {self.post.label}>"


class Network:
    """Populations and projections that are compiled together.

    Parameters
    ----------
    dt : float
        Time step, ms, 0.001 to 1000.
    seed : int
        Seed of all random numbers: connectors, weights, generators on the chip and stochastic rounding; 0 to
        ``2**63 - 1``.

    Raises
    ------
    ParameterError
        If a value has the wrong type or is out of range.
    """

    def __init__(self, *, dt: float = 1.0, seed: int = 0):
        self.dt = real("dt", dt, low=1e-3, high=1e3)
        self.seed = whole("seed", seed, 0, 2**63 - 1)
        self.populations: list[Population] = []
        self.inputs: list[InputPopulation] = []
        self.projections: list[Projection] = []

    def add(self, part: _Part) -> _Part:
        """Add a population, an input population or a projection, and return it.

        Raises
        ------
        NetworkError
            If the part is in the network already, if its label is taken, or if a population of a projection
            has not been added yet.
        ParameterError
            If its label is not a non-empty str.
        """
        if isinstance(part, Projection):
            self._add_projection(part)
        elif isinstance(part, Population):
            self._name(part, f"population{len(self.populations)}")
            self.populations.append(part)
        elif isinstance(part, InputPopulation):
            self._name(part, f"input{len(self.inputs)}")
            self.inputs.append(part)
        else:
            raise NetworkError(
                f"add takes a population, an input population or a projection, not {shown(part)}"
            )
        return part

    def _add_projection(self, part: Projection) -> None:
        for end in (part.pre, part.post):
            if not any(end is known for known in (*self.populations, *self.inputs)):
                raise NetworkError(f"add {end!r} to the network before the projections that use it")
        self._name(part, f"{part.pre.label}->{part.post.label}")
        self.projections.append(part)

    def _name(self, part: Population | InputPopulation | Projection, default: str) -> None:
        parts: list[Population | InputPopulation | Projection] = [
            *self.populations,
            *self.inputs,
            *self.projections,
        ]
        if any(part is known for known in parts):
            raise NetworkError(f"{part!r} is in this network already")
        labels = {known.label for known in parts}
        if part.label is None:
            names = [default, *(f"{default}#{k}" for k in range(2, len(parts) + 3))]
            part.label = next(name for name in names if name not in labels)
        elif not isinstance(part.label, str) or not part.label:
            raise ParameterError(f"label must be a non-empty str, not {part.label!r}")
        elif part.label in labels:
            raise NetworkError(f"the label {part.label!r} is taken; give another one, unique in the network")


def _check_weight(weight: Any, shape: tuple[int, int]) -> Weight | None:
    if weight is None or (isinstance(weight, Distribution) and not isinstance(weight, type)):
        return weight
    if np.ndim(weight) != 2:
        return real("weight", weight, low=-HUGE, high=HUGE)
    flat = reals("weight", np.asarray(weight).reshape(-1), low=-HUGE, high=HUGE)
    if np.shape(weight) != shape:
        raise ParameterError(
            f"weight must be a number or have shape {shape} (sources, targets), not {np.shape(weight)}"
        )
    return flat.reshape(shape)


def _check_delay(delay: Any, shape: tuple[int, int]) -> FloatArray | Distribution | None:
    """Return delays for each pair, (n_pre, n_post) float64, a distribution, or None."""
    if delay is None or (isinstance(delay, Distribution) and not isinstance(delay, type)):
        return delay
    if np.ndim(delay) != 2:
        rows = per_item("delay", reals("delay", delay, low=0.0), shape[0])
        return np.asarray(np.broadcast_to(rows[:, None], shape))
    flat = reals("delay", np.asarray(delay).reshape(-1), low=0.0)
    if np.shape(delay) != shape:
        raise ParameterError(
            f"delay must be a number, have one value per source ({shape[0]}), or have shape {shape} "
            f"(sources, targets), not {np.shape(delay)}"
        )
    return flat.reshape(shape)


def _check_rule(plasticity: Any) -> PairRule | None:
    if plasticity is None:
        return None
    make = getattr(plasticity, "pair_rule", None)
    if make is None or isinstance(plasticity, type):
        raise ParameterError(f"plasticity must be a rule such as STDP(...), not {shown(plasticity)}")
    rule = make()
    if not isinstance(rule, PairRule):
        raise ParameterError(f"plasticity.pair_rule() must return a PairRule, not {shown(rule)}")
    return rule
