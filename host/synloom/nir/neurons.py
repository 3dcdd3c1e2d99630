"""Nodes of a NIR graph that become neurons: their cells, what reaches them, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.base.errors import NetworkError
from synloom.nir.cells import Cell, make_cell, sum_of_a_step
from synloom.nir.graph import Graph, Node
from synloom.nir.signals import GRADED, SPIKING, Signal, Tracer
from synloom.nir.transforms import LINEAR

__all__ = ["Neurons", "Resolver"]

_KNOWN: Final = ("Input", "Output", "Delay", *LINEAR, *SPIKING, *GRADED)
_MOST_SIDE: Final = 2048
"""Most neurons, and most inputs, of the largest array."""


@dataclass(frozen=True, eq=False)
class Neurons:
    """What a node becomes.

    Parameters
    ----------
    node : Node
        The node.
    cell : Cell
        Its neurons.
    signal : Signal
        What reaches them.
    spikes : bool
        Whether they spike; else their potential is the result.
    resets : bool
        Whether a spike changes their potential.
    """

    node: Node
    cell: Cell
    signal: Signal
    spikes: bool
    resets: bool = True


class Resolver:
    """Finds the neurons of a graph.

    Parameters
    ----------
    graph : Graph
        The graph.
    dt : float
        Time step, ms.
    integration : str
        How time constants become decays.

    Attributes
    ----------
    tracer : Tracer
        What follows the signals.
    notes : list of str
        What is not as NIR says it.
    outputs : dict of str to list of str
        For each Output the populations it shows.

    Raises
    ------
    NetworkError
        If a node is unknown, too large or cannot be built.
    """

    def __init__(self, graph: Graph, dt: float, integration: str):
        self.graph, self.dt, self.integration = graph, dt, integration
        self.tracer = Tracer(graph)
        self.notes: list[str] = []
        self.outputs: dict[str, list[str]] = {}
        self._check()

    def _check(self) -> None:
        for node in self.graph.nodes.values():
            if node.kind not in _KNOWN:
                known = ", ".join(sorted({*_KNOWN, "NIRGraph"} - {"Pass"}))
                raise node.error(f"this type is not known; known are: {known}")
        if not self.graph.of_kind(("Input",)):
            raise NetworkError("the graph has no Input, so that nothing could drive it")
        for node in self.graph.of_kind(("Input", *SPIKING, *GRADED)):
            n = math.prod(self.tracer.shape(node))
            if n > _MOST_SIDE:
                what = "inputs" if node.kind == "Input" else "neurons"
                raise node.error(f"has {n:,} {what}; the largest array has {_MOST_SIDE:,}")

    def neurons(self) -> list[Neurons]:
        """Return all neurons, those that show weighted sums last."""
        fused = self._fused()
        nodes = [n for n in self.graph.of_kind((*SPIKING, *GRADED)) if n.name not in fused.values()]
        found = [self._neurons(node, fused) for node in nodes] + self._sums(fused)
        if not found:
            raise NetworkError("the graph has no neurons")
        return found

    def _fused(self) -> dict[str, str]:
        """Return Threshold nodes that only look at the potential of one graded node, and that node."""
        fused = {}
        for node in self.graph.of_kind(("Threshold",)):
            signal = self.tracer.into(node)
            source = self.graph.nodes[signal.terms[0].source] if signal.terms else node
            if source.kind in GRADED and signal.plain and len(signal.terms) == 1:
                fused[node.name] = source.name
        for name, below in fused.items():
            if list(fused.values()).count(below) > 1:
                raise self.graph.nodes[name].error(
                    f"shares the potential of {below!r} with another Threshold"
                )
        return fused

    def _neurons(self, node: Node, fused: Mapping[str, str]) -> Neurons:
        n = math.prod(self.tracer.shape(node))
        if node.name in fused:
            below = self.graph.nodes[fused[node.name]]
            cell = self._cell(below, n)
            threshold = 1000.0 * np.broadcast_to(node.numbers("threshold").reshape(-1), (n,))
            cell.parameters.update(
                v_thresh=threshold, v_reset=threshold - 1e-9 * np.abs(threshold).max() - 1e-9
            )
            signal = self._checked(below, n)
            self.notes.append(
                f"{node.name}: watches V of {below.name}, which no spike resets; both are one population"
            )
            return Neurons(node, cell, signal, spikes=True, resets=False)
        return Neurons(node, self._cell(node, n), self._checked(node, n), node.kind in SPIKING)

    def _cell(self, node: Node, n: int) -> Cell:
        return make_cell(node, n, self.dt, self.integration)

    def _checked(self, node: Node, n: int) -> Signal:
        """Return what leads to neurons, without potentials of others."""
        signal = self.tracer.into(node)
        if len(signal.bias) != n:
            raise node.error(f"has {n} neurons, but its input has {len(signal.bias)} values")
        return self._only_spikes(node, signal)

    def _only_spikes(self, node: Node, signal: Signal) -> Signal:
        for term in signal.terms:
            kind = self.graph.nodes[term.source].kind
            if kind in GRADED and not (node.kind == "Threshold" and signal.plain):
                raise node.error(
                    f"gets the potential of {term.source!r} ({kind}); the array carries spikes only: put the "
                    f"weights before {term.source!r}, or a Threshold between"
                )
        return signal

    def _sums(self, fused: Mapping[str, str]) -> list[Neurons]:
        """Note what each Output shows; return neurons for weighted sums."""
        added = []
        merged = {source: name for name, source in fused.items()}
        for node in self.graph.of_kind(("Output",)):
            parts = self.tracer.into(node)
            if parts.plain:
                source = parts.terms[0].source
                self.outputs[node.name] = [merged.get(source, source)]
                continue
            signal = self._only_spikes(node, parts)
            self.outputs[node.name] = [node.name]
            self.notes.append(
                f"{node.name}: a weighted sum; it is V of neurons that forget it after each step: record v"
            )
            added.append(Neurons(node, sum_of_a_step(len(signal.bias), self.dt), signal, spikes=False))
        return added
