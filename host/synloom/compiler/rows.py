"""Rows: which row of weights each synapse gets, so that its spikes arrive after its delay.

A source has a row for each delay of its synapses. Where two projections join the same populations with the
same delay, they have one row if they are of one kind and have no pair in common, else a row each; and a row
has one trace, so that rules with other traces of the source take another. The first row has the source's
own id; the others are axons, which follow it in a chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.base.errors import CapacityError
from synloom.compiler.synapses import Edges
from synloom.contract.params import MOST_AXONS, ArrayParams
from synloom.network.inputs import InputPopulation
from synloom.network.network import Network, Population

__all__ = ["Rows", "longest_wait", "plan_rows"]

_Source = tuple[int, int]
"""A source: the number of its population, and its index therein."""
_Targets = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Row:
    """A row of a source: its delay, its number among those of that delay, and whose synapses it has."""

    delay: int
    copy: int
    edges: tuple[int, ...]


@dataclass(eq=False)
class _Draft:
    """A row that is being filled: by population of targets the kind of its projections and which are taken.

    `trace` is the trace of the source that its rules read, as time constant and pairing; None if none does.
    """

    trace: tuple[float, str] | None = None
    parts: dict[int, tuple[int, _Targets]] = field(default_factory=dict)

    def has_room(self, edge: Edges, kind: int, targets: IntArray) -> bool:
        """Return whether these targets of a projection may be in this row."""
        trace = _trace_of(edge)
        if trace is not None and self.trace is not None and trace != self.trace:
            return False
        other, full = self.parts.get(id(edge.projection.post), (kind, None))
        return other == kind and (full is None or not full[targets].any())

    def take(self, edge: Edges, kind: int, targets: IntArray) -> None:
        """Put these targets of a projection into this row."""
        self.trace = self.trace or _trace_of(edge)
        post = edge.projection.post
        self.parts.setdefault(id(post), (kind, np.zeros(post.n, dtype=bool)))[1][targets] = True


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a network.

    Parameters
    ----------
    base_delay : dict of str to (n,) int64
        Steps until the row with the source's own id, by label of its population.
    axons : int
        Number of axons.
    chain : list of (source, tuple of int, tuple of int)
        For each source with axons: its (population, index), its axons in order, and the hop to each.
    places : list of (K,) int64
        For each projection the axon of each synapse, or -1 for the source's own row.
    """

    base_delay: dict[str, IntArray]
    axons: int
    chain: list[tuple[_Source, tuple[int, ...], tuple[int, ...]]]
    places: list[IntArray]

    def ids(self, edge: int, base: IntArray, params: ArrayParams) -> IntArray:
        """Return the source id of the row of each synapse of a projection, (K,) int64.

        `base` has the ids of the sources themselves, (K,) int64.
        """
        place = self.places[edge]
        return np.where(place < 0, base, params.first_axon_source + place)

    def fields(self, first: Sequence[int], params: ArrayParams) -> dict[str, IntArray]:
        """Return the fields of SOURCE that make the chains, (S,) int64 each; `first` as in `plan_rows`."""
        if not params.axons:
            return {}
        fields = {name: np.zeros(params.sources, dtype=np.int64) for name in ("chained", "hop", "next")}
        for (population, index), axons, hops in self.chain:
            row = first[population] + index
            for axon, hop in zip(axons, hops, strict=True):
                fields["chained"][row], fields["hop"][row] = 1, hop
                fields["next"][row] = params.first_axon_source + axon
                row = params.first_axon_source + axon
        return fields


def longest_wait(network: Network, edges: Sequence[Edges], kinds: Sequence[int]) -> int:
    """Return the most steps that a spike has to wait between two rows of its source; as `plan_rows`."""
    waits = [1]
    for population in _sources(network):
        rows = _rows_of(population, edges, kinds)
        for own in rows.values():
            start = 0 if _starts_at_once(population) else own[0].delay
            times = [start, *(row.delay for row in own)]
            waits += np.diff(times).tolist()
            if isinstance(population, Population):
                waits.append(own[0].delay)
    return max(waits)


def plan_rows(network: Network, edges: Sequence[Edges], kinds: Sequence[int], most: int) -> Rows:
    """Give every synapse a row.

    Parameters
    ----------
    network : Network
        The network; its populations are numbered with the inputs behind the neurons.
    edges : sequence of Edges
        The synapses of its projections.
    kinds : sequence of int
        The kind of each projection; those of one kind may share rows.
    most : int
        The most steps that a spike can wait in the wheel; a longer way has rows without synapses.

    Raises
    ------
    CapacityError
        If these are more than the axons of any array.
    """
    places = [np.full(len(edge.pre), -1, dtype=np.int64) for edge in edges]
    base_delay: dict[str, IntArray] = {}
    relays = 0
    drafts: list[tuple[tuple[object, ...], _Source, _Row]] = []
    for number, population in enumerate(_sources(network)):
        first = np.full(population.n, int(isinstance(population, Population)), dtype=np.int64)
        for index, own in _rows_of(population, edges, kinds).items():
            start = own[0].delay
            if _starts_at_once(population):
                start = 0
            elif isinstance(population, Population):
                start = min(start, most)
            first[index] = start
            rows = own if own[0].delay > start else own[1:]
            relays += sum(max(row.delay - time - 1, 0) // most for time, row in _waits(rows, start))
            if relays > MOST_AXONS:
                raise CapacityError(
                    f"a delay of {rows[-1].delay:,} steps needs an axon for each {most} of them, together "
                    f"more than the {MOST_AXONS:,} of the largest array; use shorter delays or a larger dt"
                )
            for row in _with_relays(rows, start, most):
                # Rows of the same projections are neighbours, so that few segments cover them.
                key = (number, not row.edges, row.edges, index, row.delay, row.copy)
                drafts.append((key, (number, index), row))
        base_delay[str(population.label)] = first
    drafts.sort(key=lambda draft: draft[0])
    chains: dict[_Source, list[tuple[int, int, _Row]]] = {}
    for axon, (_, source, row) in enumerate(drafts):
        chains.setdefault(source, []).append((row.delay, axon, row))
    chain = []
    for (number, index), own_axons in chains.items():
        population = _sources(network)[number]
        # Rows of one delay follow one another with ascending ids.
        own_axons.sort(key=lambda part: part[:2])
        times = [int(base_delay[str(population.label)][index]), *(delay for delay, _, _ in own_axons)]
        axons = tuple(axon for _, axon, _ in own_axons)
        chain.append(((number, index), axons, tuple(np.diff(times).tolist())))
        for delay, axon, row in own_axons:
            for edge in row.edges:
                places[edge][(edges[edge].pre == index) & (edges[edge].delay == delay)] = axon
    return Rows(base_delay, len(drafts), chain, places)


def _sources(network: Network) -> list[Population | InputPopulation]:
    return [*network.populations, *network.inputs]


def _starts_at_once(population: Population | InputPopulation) -> bool:
    """Return whether the own row is served in the step of the spike: a generator's, which the array draws."""
    return isinstance(population, InputPopulation) and population.generator is not None


def _rows_of(
    population: Population | InputPopulation, edges: Sequence[Edges], kinds: Sequence[int]
) -> dict[int, list[_Row]]:
    """Return the rows of each source that has synapses, in the order of their delays."""
    found: dict[int, dict[tuple[int, int], list[int]]] = {}
    drafts: dict[_Source, list[_Draft]] = {}
    for number, (edge, kind) in enumerate(zip(edges, kinds, strict=True)):
        if edge.projection.pre is not population or not len(edge.pre):
            continue
        for index, delay, targets in _fans(edge):
            rows = drafts.setdefault((index, delay), [])
            copy = next((c for c, row in enumerate(rows) if row.has_room(edge, kind, targets)), len(rows))
            if copy == len(rows):
                rows.append(_Draft())
            rows[copy].take(edge, kind, targets)
            found.setdefault(index, {}).setdefault((delay, copy), []).append(number)
    return {
        index: [_Row(delay, copy, tuple(rows[delay, copy])) for delay, copy in sorted(rows)]
        for index, rows in found.items()
    }


def _trace_of(edge: Edges) -> tuple[float, str] | None:
    """Return time constant and pairing of the source's trace, if the spikes of the targets read it."""
    rule = edge.rule
    return (rule.tau_pre, rule.pairing) if rule is not None and rule.A_post != 0.0 else None


def _fans(edge: Edges) -> Iterator[tuple[int, int, IntArray]]:
    """Yield each source and delay of a projection, and the targets of its synapses."""
    order = np.lexsort((edge.delay, edge.pre))
    pre, delay, post = edge.pre[order], edge.delay[order], edge.post[order]
    begins = np.flatnonzero((np.diff(pre) != 0) | (np.diff(delay) != 0)) + 1
    for begin, end in pairwise([0, *begins.tolist(), len(order)]):
        yield int(pre[begin]), int(delay[begin]), post[begin:end]


def _with_relays(rows: Sequence[_Row], start: int, most: int) -> list[_Row]:
    """Return rows with those between them that only hand a spike on, where the way is too long."""
    every = []
    for begin, row in _waits(rows, start):
        every += [_Row(time, 0, ()) for time in range(begin + most, row.delay, most)]
        every.append(row)
    return every


def _waits(rows: Sequence[_Row], start: int) -> Iterator[tuple[int, _Row]]:
    """Return each row with the delay of the one before it."""
    return zip((start, *(row.delay for row in rows[:-1])), rows, strict=False)
