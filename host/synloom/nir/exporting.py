"""NIR graphs from networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from synloom.base.checks import FloatArray, label_of
from synloom.base.errors import NetworkError, ParameterError
from synloom.base.warning import warn
from synloom.base.wording import shown
from synloom.compiler.synapses import Edges, expand
from synloom.image.report import ReportBuilder
from synloom.network.inputs import InputPopulation
from synloom.network.network import Network, Population
from synloom.nir.graph import nir_package

__all__ = ["to_nir"]

_MILLI: Final = 1000.0


def to_nir(network: Network, *, weights: Mapping[Any, Any] | None = None) -> Any:
    """Return a network as a NIR graph, which `nir.write` saves.

    Populations with delta synapses become LIF or IF nodes, those with exponential ones CubaLIF; projections
    become Linear or Affine nodes, with Delay nodes before them. What NIR has no words for (refractory times,
    adaptation, the kind of reset, generators, the time step) is in the metadata, from which `from_nir` takes
    it; other programs do not see it, and a warning says so.

    Parameters
    ----------
    network : Network
        The network.
    weights : mapping of projections to (n_pre, n_post) arrays, optional
        Weights to take instead of those that the network starts with, such as learned ones from
        `Device.read_weights`; NaN is no synapse.

    Returns
    -------
    nir.NIRGraph
        The graph.

    Raises
    ------
    NetworkError
        If NIR cannot say it: two synaptic time constants in one population, exponential synapses without
        leak, a label with a slash.
    ParameterError
        If `weights` has another shape or projection, or the package nir is not installed.
    """
    if not isinstance(network, Network):
        raise ParameterError(f"to_nir takes a Network, not {type(network).__name__}")
    return _Export(network, _learned(network, {} if weights is None else weights)).graph()


def _learned(network: Network, weights: Mapping[Any, Any]) -> dict[str, FloatArray]:
    known = {str(p.label): p for p in network.projections}
    found = {}
    if not isinstance(weights, Mapping):
        raise ParameterError(f"weights must be a table of projections and matrices, not {shown(weights)}")
    for which, matrix in weights.items():
        label = label_of(which)
        if label not in known:
            raise ParameterError(
                f"weights: there is no projection {shown(label)}; there are: {', '.join(known)}"
            )
        shape = (known[label].pre.n, known[label].post.n)
        try:
            values = np.asarray(matrix, dtype=np.float64)
        except (TypeError, ValueError):
            raise ParameterError(f"weights of {label!r} must be numbers, not {shown(matrix)}") from None
        if np.isinf(values).any():
            raise ParameterError(f"weights of {label!r} must be finite, or NaN where there is no synapse")
        if values.shape != shape:
            raise ParameterError(f"weights of {label!r} must have shape {shape}, not {values.shape}")
        found[label] = values
    return found


class _Export:
    """The export of one network."""

    def __init__(self, network: Network, learned: Mapping[str, FloatArray]):
        self.network, self.learned = network, learned
        self.nir = nir_package()
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self.unsaid: set[str] = set()
        named: list[Any] = [*network.inputs, *network.populations, *network.projections]
        for label in (str(part.label) for part in named):
            if "/" in label:
                raise NetworkError(f"label {label!r}: NIR files allow no slash in a name")

    def graph(self) -> Any:
        """Return the graph."""
        for part in self.network.inputs:
            self._add_input(part)
        for population in self.network.populations:
            self._add_neurons(population)
        edges = expand(self.network, ReportBuilder())
        for edge in edges:
            self._add_synapses(edge)
        for population in self.network.populations:
            self._add_bias(population, edges)
        self._add_outputs()
        for population in self.network.populations:
            if population.cell.theta_plus.any():
                self.unsaid.add("adaptation")
        if self.unsaid:
            warn(
                f"NIR has no words for: {', '.join(sorted(self.unsaid))}; from_nir reads them from the "
                f"metadata, other programs leave them out"
            )
        for index, node in enumerate(self.nodes.values()):
            if type(node).__name__ not in ("Delay", "Output"):
                node.metadata = {**node.metadata, "synloom_index": index}
        extra = {"synloom_dt": self.network.dt, "synloom_seed": self.network.seed}
        return self.nir.NIRGraph(self.nodes, self.edges, metadata=extra, type_check=False)

    def _add_input(self, part: InputPopulation) -> None:
        # Tells it from the inputs that only carry a constant current: it comes back even without synapses.
        extra: dict[str, Any] = {"synloom_input": 1}
        if part.generator is not None:
            extra |= {"synloom_generator": part.generator, "synloom_rate": part.rate}
            self.unsaid.add("generators")
        if any(len(times) for times in part.spike_times):
            times = [(t, k) for k, channel in enumerate(part.spike_times) for t in channel]
            extra["synloom_spike_times"] = np.array(times, dtype=np.float64)
            self.unsaid.add("spike times")
        node = self.nir.Input(np.array([part.n]))
        node.metadata = extra
        self.nodes[str(part.label)] = node

    def _add_neurons(self, population: Population) -> None:
        cell, nir = population.cell.values(population.n), self.nir
        syn = cell["tau_syn_E"]
        if (syn != cell["tau_syn_I"]).any():
            raise NetworkError(
                f"population {population.label!r}: NIR has one synaptic time constant, not tau_syn_E and "
                f"tau_syn_I; make them equal"
            )
        if (syn == 0.0).any() != (syn == 0.0).all() or np.isinf(cell["tau_m"]).any() != np.isinf(
            cell["tau_m"]
        ).all():
            raise NetworkError(
                f"population {population.label!r}: split neurons with and without a time constant"
            )
        common = {"v_threshold": cell["v_thresh"] / _MILLI, "v_reset": cell["v_reset"] / _MILLI}
        if np.isinf(cell["tau_m"]).any():
            if syn.any():
                raise NetworkError(
                    f"population {population.label!r}: NIR has no integrator with tau_syn; use 0"
                )
            if cell["v_rest"].any():
                # Without leak only differences count; the metadata keep what they are from.
                common = {name: value - cell["v_rest"] / _MILLI for name, value in common.items()}
            node = nir.IF(r=1.0 / cell["cm"], **common)
        else:
            r = cell["tau_m"] / cell["cm"] / _MILLI
            common |= {"r": r, "v_leak": cell["v_rest"] / _MILLI}
            if syn.any():
                w_in = syn / self.network.dt
                node = nir.CubaLIF(tau_syn=syn / _MILLI, tau_mem=cell["tau_m"] / _MILLI, w_in=w_in, **common)
            else:
                node = nir.LIF(tau=cell["tau_m"] / _MILLI, **common)
        node.metadata = self._extras(population, cell)
        self.nodes[str(population.label)] = node

    def _extras(self, population: Population, cell: Mapping[str, FloatArray]) -> dict[str, Any]:
        origin = np.where(np.isinf(cell["tau_m"]), cell["v_rest"], 0.0)
        extra: dict[str, Any] = {
            "synloom_reset_mode": population.cell.reset_mode,
            "synloom_refractory_mode": population.cell.refractory_mode,
            "synloom_v_init": population.v_init - origin,
        }
        if origin.any():
            extra["synloom_v_rest"] = origin
        for name in ("tau_refrac", "theta_plus", "tau_theta"):
            extra[f"synloom_{name}"] = cell[name]
        if population.theta_init.any():
            extra["synloom_theta_init"] = population.theta_init
        if population.v_range is not None:
            extra["synloom_v_range"] = population.v_range
        if cell["tau_refrac"].any():
            self.unsaid.add("refractory times")
        if population.cell.reset_mode == "subtract":
            self.unsaid.add("reset by subtraction")
        return extra

    def _per_weight(self, population: Population) -> FloatArray:
        """Return what a weight of 1 in NIR is here, nA or mV, (n,)."""
        cell, dt = population.cell.values(population.n), self.network.dt
        if cell["tau_syn_E"].any():
            return np.ones(population.n)
        if np.isinf(cell["tau_m"]).any():
            return np.asarray(dt / cell["cm"], dtype=np.float64)
        return np.asarray(cell["tau_m"] / cell["cm"] * -np.expm1(-dt / cell["tau_m"]), dtype=np.float64)

    def _add_synapses(self, edge: Edges) -> None:
        projection, label = edge.projection, edge.label
        pre, post, weights, delay = edge.pre, edge.post, edge.weights, edge.delay
        if label in self.learned:
            weights = self.learned[label][pre, post]
            there = ~np.isnan(weights)
            pre, post, weights, delay = pre[there], post[there], weights[there], delay[there]
        if projection.rule is not None:
            self.unsaid.add("learning")
        weights = weights / self._per_weight(projection.post)[post]
        told = projection.delay is not None
        for k, steps in enumerate(np.unique(delay) if told else [0]):
            part = delay == steps if told else np.ones(len(pre), dtype=bool)
            matrix = np.zeros((projection.post.n, projection.pre.n))
            matrix[post[part], pre[part]] = weights[part]
            name = self._free(label if k == 0 else f"{label}.{k + 1}")
            self.nodes[name] = self.nir.Linear(weight=matrix)
            self.nodes[name].metadata = {"synloom_projection": label}
            source = str(projection.pre.label)
            if told and steps:
                late = self._free(f"{name}.delay")
                self.nodes[late] = self.nir.Delay(np.full(projection.pre.n, steps * self.network.dt / _MILLI))
                self.edges.append((source, late))
                source = late
            self.edges += [(source, name), (name, str(projection.post.label))]

    def _add_bias(self, population: Population, edges: list[Edges]) -> None:
        cell = population.cell.values(population.n)
        if not cell["i_offset"].any():
            return
        bias = cell["i_offset"].copy()
        if cell["tau_syn_E"].any():
            bias /= cell["tau_syn_E"] / self.network.dt
        label = str(population.label)
        into = [first for first, second in self.edges if second == label]
        if into:
            linear = self.nodes[into[0]]
            self.nodes[into[0]] = self.nir.Affine(weight=linear.weight, bias=bias)
            self.nodes[into[0]].metadata = linear.metadata
            return
        source, name = self._free(f"{label}.current"), self._free(f"{label}.bias")
        self.nodes[source] = self.nir.Input(np.array([1]))
        self.nodes[name] = self.nir.Affine(weight=np.zeros((population.n, 1)), bias=bias)
        self.edges += [(source, name), (name, label)]

    def _add_outputs(self) -> None:
        inner = {
            (str(p.pre.label), str(p.post.label)) for p in self.network.projections if p.pre is not p.post
        }
        sending = {first for first, _ in inner}
        last = [p for p in self.network.populations if p.label not in sending] or self.network.populations
        for population in last:
            name = self._free("output" if len(last) == 1 else f"output.{population.label}")
            self.nodes[name] = self.nir.Output(np.array([population.n]))
            self.edges.append((str(population.label), name))

    def _free(self, name: str) -> str:
        names = [name, *(f"{name}#{k}" for k in range(2, len(self.nodes) + 3))]
        return next(each for each in names if each not in self.nodes)
