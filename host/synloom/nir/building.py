"""Populations, inputs and synapses of an imported graph."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse

from synloom.base.errors import SynloomError
from synloom.network.cells import LIF
from synloom.network.connectors import FromMatrix
from synloom.network.inputs import InputPopulation
from synloom.network.network import Network, Population, Projection
from synloom.nir.fine import split_fine
from synloom.nir.graph import Node
from synloom.nir.metadata import cell_extras, input_of
from synloom.nir.neurons import Neurons, Resolver
from synloom.nir.signals import Term

__all__ = ["Builder"]


class Builder:
    """Builds a network of resolved neurons.

    Parameters
    ----------
    resolver : Resolver
        The graph's neurons.
    network : Network
        Where all goes.
    reset : str or None
        What a spike does; None leaves it to the graph.
    bits : int
        Bits of weights.
    """

    def __init__(self, resolver: Resolver, network: Network, reset: str | None, bits: int):
        self.resolver, self.network, self.reset, self.bits = resolver, network, reset, bits
        self.graph, self.notes = resolver.graph, resolver.notes
        self.parts: dict[str, Any] = {}

    def build(self) -> None:
        """Add all parts to the network.

        Raises
        ------
        NetworkError
            If a node has a value that no network can have; the message names it.
        """
        neurons = self.resolver.neurons()
        self._add_inputs(neurons)
        for each in neurons:
            self._add_population(each)
        for each in neurons:
            self._add_projections(each)
        order = {str(n.extra.get("synloom_projection")): -k for k, n in enumerate(self.graph.nodes.values())}
        self.network.projections.sort(key=lambda part: -order.get(str(part.label), 0))
        hops = [t for each in neurons for t in each.signal.terms if not t.delay]
        if any(self.graph.nodes[term.source].kind != "Input" for term in hops):
            self.notes.append(
                f"delay: a neuron's spike acts one step ({self.network.dt:g} ms) later, so that each layer "
                f"lags the one before by a step"
            )

    # ---- neurons ---------------------------------------------------------------------------------

    def _add_population(self, each: Neurons) -> None:
        node, n = each.node, len(each.signal.bias)
        values: dict[str, Any] = dict(each.cell.parameters)
        values["i_offset"] = each.cell.current * each.signal.bias
        if each.spikes:
            options = cell_extras(node, values)
        else:
            reach = _reach(each)
            values |= {"v_thresh": values["v_rest"] + reach, "v_reset": values["v_rest"]}
            options = {"v_range": 1.05 * reach}
            if node.kind != "Output":
                self.notes.append(f"{node.name}: does not spike; its threshold is out of reach: record v")
        if np.any(values["v_rest"]) and "v_init" not in options:
            options["v_init"] = np.zeros(n)
            self.notes.append(f"{node.name}: V starts at 0, as in most frameworks, not at v_leak")
        refractory = node.extra.get("synloom_refractory_mode", "hold")
        try:
            lif = LIF(**values, reset_mode=self._mode(each), refractory_mode=refractory)
            self.parts[node.name] = self.network.add(Population(n, lif, label=node.name, **options))
        except SynloomError as error:
            raise node.error(str(error)) from error

    def _mode(self, each: Neurons) -> Any:
        """Return the kind of reset; subtracting nothing is none."""
        if not each.resets:
            return "subtract"
        if each.node.kind == "Threshold" or not each.spikes:
            return "to_value"
        return self.reset or each.node.extra.get("synloom_reset_mode", "to_value")

    # ---- inputs and synapses ---------------------------------------------------------------------

    def _add_inputs(self, neurons: list[Neurons]) -> None:
        used = {term.source for each in neurons for term in each.signal.terms if term.matrix.count_nonzero()}
        used |= {name for names in self.resolver.outputs.values() for name in names}
        for node in self.graph.of_kind(("Input",)):
            if (
                node.name not in used
                and "synloom_input" not in node.extra
                and len(self.graph.of_kind(("Input",))) > 1
            ):
                self.notes.append(f"{node.name}: left out, since no synapse begins at it")
                continue
            part = input_of(node, math.prod(self.resolver.tracer.shape(node)))
            self.parts[node.name] = self.network.add(part)

    def _add_projections(self, each: Neurons) -> None:
        by_source: dict[str, list[Term]] = {}
        for term in each.signal.terms:
            matrix = scipy.sparse.csr_array(term.matrix)
            matrix = scipy.sparse.csr_array(scipy.sparse.diags_array(each.cell.weight) @ matrix)
            matrix.eliminate_zeros()
            if matrix.nnz and term.source in self.parts:
                by_source.setdefault(term.source, []).append(replace(term, matrix=matrix))
        if "synloom_dt" not in self.graph.extra:
            by_source |= self._starts(each)
        groups = [(source, group) for source, terms in by_source.items() for group in _together(terms)]
        if self.bits == 8:
            for source, group in groups:
                self._add_projection(each.node, source, group)
            return
        ratio = each.cell.kick / np.where(each.cell.weight == 0.0, 1.0, each.cell.weight)
        members = [term for _, group in groups for term in group]
        split = iter(split_fine([term.matrix for term in members], ratio, self.bits))
        for source, group in groups:
            parts = [(term, next(split)) for term in group]
            for k in range(max(len(mine) for _, mine in parts)):
                some = [replace(t, matrix=mine[k]) for t, mine in parts if k < len(mine)]
                if any(term.matrix.count_nonzero() for term in some):
                    self._add_projection(each.node, source, some, f".part{k + 1}" if k else "")

    def _add_projection(self, node: Node, source: str, terms: list[Term], suffix: str = "") -> None:
        pre, post = self.parts[source], self.parts[node.name]
        delay: Any = None
        if any(term.delay for term in terms):
            delay = np.zeros((pre.n, post.n))
            for term in terms:
                rows = scipy.sparse.coo_array(term.matrix)
                delay[rows.col, rows.row] = term.delay
            if isinstance(pre, Population):
                delay = np.maximum(delay, self.network.dt)
            if np.unique(delay[sum(abs(t.matrix) for t in terms).T.toarray() > 0.0]).size == 1:
                delay = float(delay.max())
        matrix = sum((term.matrix for term in terms[1:]), start=terms[0].matrix)
        taken = {part.label for part in (*self.network.projections, *self.parts.values())}
        names = [f"{t.through}{suffix}" for t in terms if t.through]
        label = next((name for name in names if name not in taken), None)
        matrix = scipy.sparse.csr_array(matrix)
        matrix.eliminate_zeros()
        try:
            self.network.add(Projection(pre, post, FromMatrix(matrix.T), delay=delay, label=label))
        except SynloomError as error:
            raise node.error(str(error)) from error

    def _starts(self, each: Neurons) -> dict[str, list[Term]]:
        """Return synapses that let a constant begin when the first spikes could come, and rise with tau_syn.

        The array has constant currents from its first step, and layers lag by a step each. Spikes of inputs
        of their own hold the current back until then.
        """
        cell, bias = each.cell, each.signal.bias
        lag = self._lag(each.node.name, ())
        current, terms = np.zeros(len(bias)), {}
        for step in range(lag + 1):
            wanted = -bias * (cell.offset if step < lag else cell.rise)
            weight = wanted - current
            current = wanted * cell.left
            if np.abs(weight).max() <= 1e-9 * np.abs(cell.offset * bias).max():
                continue
            label = f"{each.node.name}.start{step}"
            times = [[step * self.network.dt]]
            part = InputPopulation(1, spike_times=times, label=label)
            self.parts[label] = self.network.add(part)
            terms[label] = [Term(label, 0.0, scipy.sparse.csr_array(weight[:, None]), f"{label}.w")]
        if terms:
            self.notes.append(
                f"{each.node.name}: a bias is a constant current; inputs of their own, "
                f"{', '.join(map(repr, terms))}, hold it back at the start, as the layer's lag and tau_syn do"
            )
        return terms

    def _lag(self, name: str, way: tuple[str, ...]) -> int:
        """Return how many steps the first spikes take to some neurons, at least."""
        node = self.graph.nodes[name]
        lags = [0]
        if name not in way:
            sources = {term.source for term in self.resolver.tracer.into(node).terms}
            if not any(self.graph.nodes[source].kind == "Input" for source in sources):
                others = [self._lag(s, (*way, name)) for s in sources - {name, *way}]
                lags = [1 + each for each in others] or [0]
        return min(lags)


def _reach(each: Neurons) -> float:
    """Return what the potential of neurons that do not spike cannot exceed, mV above rest."""
    sums = np.zeros(len(each.signal.bias))
    for term in each.signal.terms:
        sums += np.asarray(abs(term.matrix).sum(axis=1)).reshape(-1)
    driven = sums * np.abs(each.cell.kick) * each.cell.most + np.abs(each.signal.bias * each.cell.held)
    return float(1.02 * max(driven.max() + np.abs(each.cell.parameters["v_rest"]).max(), 1.0))


def _together(terms: list[Term]) -> list[list[Term]]:
    """Return groups of terms in which no pair of neurons has two delays; projections of `to_nir` stay."""
    if any(term.apart for term in terms):
        names = list(dict.fromkeys(term.through for term in terms))
        return [[term for term in terms if term.through == name] for name in names]
    groups: list[tuple[Any, list[Term]]] = []
    for term in terms:
        mask = abs(term.matrix)
        for k, (taken, group) in enumerate(groups):
            if taken.multiply(mask).count_nonzero() == 0:
                group.append(term)
                groups[k] = (taken + mask, group)
                break
        else:
            groups.append((mask, [term]))
    return [group for _, group in groups]
