"""Networks from NIR graphs, and a list of what NIR leaves open and what is changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import scipy.sparse

from synloom.base.checks import FloatArray, choice, real
from synloom.base.errors import NetworkError, ParameterError, SynloomError
from synloom.network.cells import LIF
from synloom.network.connectors import FromMatrix
from synloom.network.inputs import InputPopulation, PoissonInput, RegularInput
from synloom.network.network import Network, Population, Projection
from synloom.nir.cells import INTEGRATIONS, Cell, make_cell, sum_of_a_step
from synloom.nir.fine import WEIGHT_BITS, split_fine
from synloom.nir.graph import Graph, Node, read_graph
from synloom.nir.signals import GRADED, SPIKING, Signal, Term, Tracer
from synloom.nir.transforms import LINEAR

__all__ = ["NirImport", "from_nir"]

_KNOWN: Final = ("Input", "Output", "Delay", *LINEAR, *SPIKING, *GRADED)
_MOST_SIDE: Final = 2048
"""Most neurons, and most inputs, of the largest array."""
_COARSE: Final = 0.1
_CELL_EXTRAS: Final = ("tau_refrac", "theta_plus", "tau_theta")
_GENERATORS: Final = {"poisson": PoissonInput, "regular": RegularInput}


class NirImport(NamedTuple):
    """A network that was imported.

    Parameters
    ----------
    network : Network
        The network. Populations have the names of their nodes, inputs those of Input nodes.
    notes : list of str
        What was assumed because NIR does not say it, and what is not as NIR says it; one line each.
    outputs : dict of str to list of str
        For each Output the populations it shows. Those that do not spike have V to record.
    """

    network: Network
    notes: list[str]
    outputs: dict[str, list[str]]


def from_nir(
    graph: Any,
    *,
    dt: float | None = None,
    reset: str | None = None,
    integration: str = "exact",
    weight_bits: int = 8,
    seed: int = 0,
) -> NirImport:
    """Make a network of a NIR graph (Pedersen et al. 2024); docs/nir.md says what each node becomes.

    Seconds become ms and volts mV; 1 of NIR's current is 1 nA. A spike is a current of its weight during one
    step; with CubaLIF and CubaLI the charge of one.

    Parameters
    ----------
    graph : str, path or nir.NIRGraph
        The graph, or the file that has it.
    dt : float, optional
        Time step, ms. NIR has none; only graphs from `to_nir` know theirs.
    reset : str, optional
        What a spike does: ``"to_value"`` sets V to v_reset, ``"subtract"`` lowers it by v_threshold -
        v_reset. Default: that of `to_nir`, else ``"to_value"``.
    integration : str
        ``"exact"``: a step multiplies by ``exp(-dt / tau)``, as NIR's equations say. ``"euler"``: by
        ``1 - dt / tau``, as in the frameworks that train with forward Euler.
    weight_bits : int
        8: each synapse is one of the array. 14: a coarse one and a fine one, in two rows. 16: the same, and
        up to three further rows for sources with large weights. Recurrent networks may need it.
    seed : int
        Seed of the network's random numbers, if the graph does not know one.

    Returns
    -------
    NirImport
        The network, the notes, and the populations of each Output.

    Raises
    ------
    ParameterError
        If an argument is wrong, or the package nir is not installed.
    NetworkError
        If the file is damaged, or a node is unknown or cannot be built; one line names it.
    """
    if reset is not None:
        choice("reset", reset, ("to_value", "subtract"))
    choice("integration", integration, INTEGRATIONS)
    read = read_graph(graph)
    known = read.extra.get("synloom_dt")
    if dt is None and known is None:
        raise ParameterError("NIR graphs have no time step: give dt=, in ms, such as that of the training")
    step = real("dt", float(known) if dt is None else dt, low=1e-3, high=1e3)
    network = Network(dt=step, seed=int(read.extra.get("synloom_seed", seed)))
    if weight_bits not in WEIGHT_BITS:
        raise ParameterError(f"weight_bits must be one of {', '.join(map(str, WEIGHT_BITS))}, not {weight_bits!r}")
    how = _How(reset, integration, weight_bits)
    return _Import(read, network, how).result(told=dt is None)


@dataclass(frozen=True)
class _How:
    """The options of an import."""

    reset: str | None
    integration: str
    bits: int


@dataclass(frozen=True, eq=False)
class _Neurons:
    """What a node becomes: its cell, its incoming signal, whether it spikes, and whether V is reset."""

    node: Node
    cell: Cell
    signal: Signal
    spikes: bool
    resets: bool = True


class _Import:
    """The import of one graph."""

    def __init__(self, graph: Graph, network: Network, how: _How):
        self.graph, self.network, self.how = graph, network, how
        self.tracer = Tracer(graph)
        self.notes: list[str] = []
        self.outputs: dict[str, list[str]] = {}
        self.parts: dict[str, Any] = {}
        self._check()

    def _check(self) -> None:
        for node in self.graph.nodes.values():
            if node.kind not in _KNOWN:
                raise node.error(f"this type is not known; known are: {', '.join(sorted(set(_KNOWN) - {'Pass'}))}")
        ends: Iterable[tuple[tuple[str, ...], str]] = (((*SPIKING, *GRADED), "neurons"), (("Input",), "Input"))
        for kinds, what in ends:
            if what == "Input" and not self.graph.of_kind(kinds):
                raise NetworkError("the graph has no Input, so that nothing could drive it")
            for node in self.graph.of_kind(kinds):
                n = math.prod(self.tracer.shape(node))
                if n > _MOST_SIDE:
                    what = "inputs" if node.kind == "Input" else "neurons"
                    raise node.error(f"has {n:,} {what}; the largest array has {_MOST_SIDE:,}")
        if not self.graph.of_kind((*SPIKING, *GRADED)):
            if not any(not self.tracer.into(out).plain for out in self.graph.of_kind(("Output",))):
                raise NetworkError("the graph has no neurons")

    def result(self, told: bool) -> NirImport:
        """Return the network with its notes."""
        self._assume(told)
        fused = self._fused()
        neurons = [self._neurons(node, fused) for node in self.graph.of_kind((*SPIKING, *GRADED))]
        neurons = [each for each in neurons if each.node.name not in fused.values()]
        neurons += self._outputs(fused)
        self._add_inputs(neurons)
        for each in neurons:
            self._add_population(each)
        for each in neurons:
            self._add_projections(each)
        self._tell_of_delays(neurons)
        return NirImport(self.network, self.notes, self.outputs)

    # ---- what NIR leaves open --------------------------------------------------------------------

    def _assume(self, told: bool) -> None:
        note, dt = self.notes.append, self.network.dt
        spiking = self.graph.of_kind(("LIF", "CubaLIF", "IF"))
        note(f"dt: a step is {dt:g} ms; {'the graph says so' if told else 'NIR has no time step'}")
        note("units: 1 s is 1000 ms, 1 of NIR's potential 1000 mV, 1 of its current 1 nA")
        note("input: channels carry spikes, 0 or 1 in a step; graded values have to be encoded")
        if spiking and self.how.reset is None and not any("synloom_reset_mode" in s.extra for s in spiking):
            note("reset: a spike sets V to v_reset, as NIR says; many frameworks subtract (reset='subtract')")
        if any(not s.extra.get("synloom_tau_refrac") is not None for s in spiking):
            note("refractory time: none, since NIR has none")
        if spiking or self.graph.of_kind(("Threshold",)):
            note("threshold: a neuron fires if V reaches it; NIR says V must be above")
        rates = [float(dt / (1000.0 * t.min())) for t in self._time_constants()]
        if max(rates, default=0.0) > _COARSE and self.how.integration == "exact":
            note(
                f"integration: dt / tau is up to {max(rates):.3g}, so that exp(-dt / tau) is not 1 - dt / tau; a "
                f"network trained with forward Euler needs integration='euler'"
            )
        for node in self.graph.of_kind(("IF", "I")):
            weight = float(node.numbers("r").max()) * dt
            note(
                f"{node.name}: a spike of weight 1 raises V by r * dt = {weight / 1000.0:.4g}; frameworks that add "
                f"whole weights mean a step of 1 s (dt=1000)"
            )

    def _time_constants(self) -> list[FloatArray]:
        names = ("tau", "tau_mem", "tau_syn")
        found = [node.numbers(k) for node in self.graph.nodes.values() for k in names if k in node.fields]
        return [t for t in found if t.size and (t > 0.0).all()]

    # ---- neurons ---------------------------------------------------------------------------------

    def _fused(self) -> dict[str, str]:
        """Return Threshold nodes that only look at the potential of one graded node, and that node."""
        fused = {}
        for node in self.graph.of_kind(("Threshold",)):
            signal = self.tracer.into(node)
            source = self.graph.nodes[signal.terms[0].source] if signal.terms else node
            if source.kind in GRADED and signal.plain and len(signal.terms) == 1:
                fused[node.name] = source.name
        for name, source in fused.items():
            if list(fused.values()).count(source) > 1:
                raise self.graph.nodes[name].error(f"shares the potential of {source!r} with another Threshold")
        return fused

    def _neurons(self, node: Node, fused: Mapping[str, str]) -> _Neurons:
        shape = self.tracer.shape(node)
        n = math.prod(shape)
        if node.name in fused:
            below = self.graph.nodes[fused[node.name]]
            cell = self._cell(below, math.prod(self.tracer.shape(below)))
            threshold = 1000.0 * np.broadcast_to(node.numbers("threshold").reshape(-1), (n,))
            cell.parameters.update(v_thresh=threshold, v_reset=threshold - 1e-9 * np.abs(threshold).max() - 1e-9)
            signal = self._checked(below, n)
            self.notes.append(
                f"{node.name}: watches V of {below.name}, which no spike resets; both are one population"
            )
            return _Neurons(node, cell, signal, spikes=True, resets=False)
        return _Neurons(node, self._cell(node, n), self._checked(node, n), node.kind in SPIKING)

    def _cell(self, node: Node, n: int) -> Cell:
        return make_cell(node, n, self.network.dt, self.how.integration)

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

    def _outputs(self, fused: Mapping[str, str]) -> list[_Neurons]:
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
                f"{node.name}: shows a weighted sum; it is V of neurons that forget it after each step: record v"
            )
            added.append(_Neurons(node, sum_of_a_step(len(signal.bias), self.network.dt), signal, spikes=False))
        return added

    def _add_population(self, each: _Neurons) -> None:
        node, cell, n = each.node, each.cell, len(each.signal.bias)
        values: dict[str, Any] = dict(cell.parameters)
        values["i_offset"] = cell.current * each.signal.bias
        options: dict[str, Any] = {}
        mode = "subtract"
        if each.spikes:
            mode = self.how.reset or str(node.extra.get("synloom_reset_mode", "to_value")) if each.resets else mode
            if not each.resets or node.kind == "Threshold":
                mode = "subtract" if not each.resets else "to_value"
            options = self._extras(node, values)
        else:
            reach = _reach(each)
            values |= {"v_thresh": values["v_rest"] + reach, "v_reset": values["v_rest"]}
            options["v_range"] = 1.05 * reach
            if node.kind != "Output":
                self.notes.append(f"{node.name}: does not spike; its threshold is out of reach: record v")
        if np.any(values["v_rest"]) and "v_init" not in options:
            options["v_init"] = np.zeros(n)
            self.notes.append(f"{node.name}: V starts at 0, as in most frameworks, not at v_leak")
        refractory = str(node.extra.get("synloom_refractory_mode", "hold"))
        try:
            lif = LIF(**values, reset_mode=mode, refractory_mode=refractory)
            self.parts[node.name] = self.network.add(Population(n, lif, label=node.name, **options))
        except SynloomError as error:
            raise node.error(str(error)) from error

    def _starts(self, each: _Neurons) -> dict[str, list[Term]]:
        """Return synapses that let a constant begin when the first spikes could come, and rise with tau_syn.

        The array has constant currents from its first step, and layers lag by a step each. Spikes of inputs of
        their own hold the current back until then.
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
            sources = {term.source for term in self.tracer.into(node).terms}
            if not any(self.graph.nodes[source].kind == "Input" for source in sources):
                others = [self._lag(s, (*way, name)) for s in sources - {name, *way}]
                lags = [1 + each for each in others] or [0]
        return min(lags)

    def _extras(self, node: Node, values: dict[str, Any]) -> dict[str, Any]:
        """Set what only `to_nir` writes; return the options of the population."""
        extra = node.extra
        for name in _CELL_EXTRAS:
            if f"synloom_{name}" in extra:
                values[name] = np.asarray(extra[f"synloom_{name}"], dtype=np.float64)
        names = ("v_init", "theta_init", "v_range")
        options = {name: extra[f"synloom_{name}"] for name in names if f"synloom_{name}" in extra}
        if "v_range" in options:
            options["v_range"] = float(options["v_range"])
        return options

    # ---- inputs and synapses ---------------------------------------------------------------------

    def _add_inputs(self, neurons: list[_Neurons]) -> None:
        used = {term.source for each in neurons for term in each.signal.terms if term.matrix.count_nonzero()}
        used |= {name for names in self.outputs.values() for name in names}
        for node in self.graph.of_kind(("Input",)):
            if node.name not in used and len(self.graph.of_kind(("Input",))) > 1:
                self.notes.append(f"{node.name}: left out, since no synapse begins at it")
                continue
            n = math.prod(self.tracer.shape(node))
            generator = _GENERATORS.get(str(node.extra.get("synloom_generator")))
            if generator is None:
                table = np.asarray(node.extra.get("synloom_spike_times", np.zeros((0, 2))))
                times = [table[table[:, 1] == k, 0] for k in range(n)]
                part = InputPopulation(n, label=node.name, spike_times=times)
                self.parts[node.name] = self.network.add(part)
            else:
                rate = np.asarray(node.extra.get("synloom_rate", 0.0), dtype=np.float64)
                self.parts[node.name] = self.network.add(generator(n, rate=rate, label=node.name))

    def _add_projections(self, each: _Neurons) -> None:
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
        if self.how.bits == 8:
            for source, group in groups:
                self._add_projection(each.node, source, group)
            return
        ratio = each.cell.kick / np.where(each.cell.weight == 0.0, 1.0, each.cell.weight)
        members = [term for _, group in groups for term in group]
        split = iter(split_fine([term.matrix for term in members], ratio, self.how.bits))
        for source, group in groups:
            parts = [(term, next(split)) for term in group]
            for k in range(max(len(mine) for _, mine in parts)):
                some = [replace(t, matrix=mine[k]) for t, mine in parts if k < len(mine)]
                if any(term.matrix.count_nonzero() for term in some):
                    self._add_projection(each.node, source, some, f".part{k + 1}" if k else "")

    def _add_projection(self, node: Node, source: str, terms: list[Term], suffix: str = "") -> None:
        pre, post = self.parts[source], self.parts[node.name]
        delay = None
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

    def _tell_of_delays(self, neurons: list[_Neurons]) -> None:
        hops = [t for each in neurons for t in each.signal.terms if not t.delay]
        if any(self.graph.nodes[term.source].kind != "Input" for term in hops):
            self.notes.append(
                f"delay: a neuron's spike acts one step ({self.network.dt:g} ms) later, so that each layer lags "
                f"the one before by a step"
            )


def _reach(each: _Neurons) -> float:
    """Return what the potential of neurons that do not spike cannot exceed, mV above rest."""
    sums = np.zeros(len(each.signal.bias))
    for term in each.signal.terms:
        sums += np.asarray(abs(term.matrix).sum(axis=1)).reshape(-1)
    driven = sums * np.abs(each.cell.kick) * each.cell.most + np.abs(each.signal.bias * each.cell.held)
    return float(1.02 * max(driven.max() + np.abs(each.cell.parameters["v_rest"]).max(), 1.0))


def _together(terms: list[Term]) -> list[list[Term]]:
    """Return groups of terms in which no pair of neurons has two delays, or those of `to_nir`'s projections."""
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
