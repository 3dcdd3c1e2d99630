"""The pass program: the lists of segments for rows, columns and decay, and the entries that point to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import NetworkError
from synloom.compiler.coefficients import decay_coefficients
from synloom.compiler.rules import RuleRegisters
from synloom.contract.params import ArrayParams
from synloom.contract.registers import LIST_VALID
from synloom.contract.traces import Side

__all__ = ["PlacedProjection", "Program", "Span", "build_program"]

Segment = dict[str, int]


@dataclass(frozen=True)
class Span:
    """The place of a population: `first` to `first + n - 1` of the source ids or of the neurons."""

    first: int
    n: int

    @property
    def ids(self) -> slice:
        """The indices as a slice."""
        return slice(self.first, self.first + self.n)


@dataclass(frozen=True, eq=False)
class PlacedProjection:
    """A projection with its place in the array and its integer parameters.

    Parameters
    ----------
    label : str
        Label, for messages.
    source, target : Span
        Source ids of the sources themselves, and neurons of the targets.
    shift : int
        Left shift of the weights.
    rows : (K,) int64
        Source id of the row of each synapse: the source itself, or an axon.
    post : (K,) int64
        Target of each synapse, as index within its population.
    rule : RuleRegisters or None
        Learning rule; None if the weights are static.
    tau_x, tau_y : float
        Time constants of the traces of sources and targets, ms.
    nearest : bool
        Whether a spike sets its trace (pairing ``"nearest"``) instead of raising it.
    """

    label: str
    source: Span
    target: Span
    shift: int
    rows: IntArray
    post: IntArray
    rule: RuleRegisters | None = None
    tau_x: float = 0.0
    tau_y: float = 0.0
    nearest: bool = False

    @property
    def learns_rows(self) -> bool:
        """Whether arriving spikes of the sources change weights."""
        return self.rule is not None and self.rule.row.a > 0

    @property
    def learns_columns(self) -> bool:
        """Whether spikes of the targets change weights."""
        return self.rule is not None and self.rule.column.a > 0


@dataclass(eq=False)
class Program:
    """The pass program.

    Attributes
    ----------
    segments : list of dict
        Fields of the entries of PROGRAM.
    source, target : dict of str to (S,) and (N,) int64
        Fields of SOURCE and of TARGET.
    decay_lists : dict
        Values of the registers X_LIST and Y_LIST, by side.
    """

    segments: list[Segment] = field(default_factory=list)
    source: dict[str, IntArray] = field(default_factory=dict)
    target: dict[str, IntArray] = field(default_factory=dict)
    decay_lists: dict[Side, int] = field(default_factory=dict)
    _known: dict[tuple[tuple[tuple[str, int], ...], ...], int] = field(default_factory=dict)

    def add(self, segments: Sequence[Segment]) -> int:
        """Add a list of segments and return the index of its first one; equal lists are stored once."""
        key = tuple(tuple(sorted(segment.items())) for segment in segments)
        if key not in self._known:
            self._known[key] = len(self.segments)
            last = len(segments) - 1
            self.segments += [{**segment, "last": int(k == last)} for k, segment in enumerate(segments)]
        return self._known[key]


def build_program(projections: Sequence[PlacedProjection], params: ArrayParams, dt: float) -> Program:
    """Return the pass program of all projections.

    Raises
    ------
    NetworkError
        If two projections need different traces of the neurons that they share.
    """
    program = Program()
    program.source = {name: np.zeros(params.sources, dtype=np.int64) for name in ("list", "connected")}
    program.target = {name: np.zeros(params.neurons, dtype=np.int64) for name in ("list", "learns")}
    # Traces that no rule reads do not decay. They are set, not raised, or they would saturate, which counts
    # as a loss.
    program.source["nearest"] = np.ones(params.sources, dtype=np.int64)
    program.target["nearest"] = np.ones(params.neurons, dtype=np.int64)
    _rows(program, projections)
    _columns(program, projections)
    sources = _source_traces([p for p in projections if p.learns_columns and len(p.rows)], params)
    targets = _target_traces([p for p in projections if p.learns_rows])
    for side, fields, traces in (
        (Side.SOURCE, program.source, sources),
        (Side.TARGET, program.target, targets),
    ):
        program.decay_lists[side] = _decays(program, traces, dt)
        for span, _, nearest in traces:
            fields["nearest"][span.ids] = int(nearest)
    return program


def _rows(program: Program, projections: Sequence[PlacedProjection]) -> None:
    projections = sorted(projections, key=lambda p: p.target.first)
    of_row: dict[int, list[PlacedProjection]] = {}
    for p in projections:
        for row in np.unique(p.rows).tolist():
            of_row.setdefault(row, []).append(p)
    # Where no two projections of a population share a target's population, all its own rows have one list.
    for span in {p.source for p in projections}:
        own = [p for p in projections if p.source == span and (np.isin(p.rows, np.r_[span.ids])).any()]
        if all(a.target.first + a.target.n <= b.target.first for a, b in pairwise(own)):
            of_row |= {row: own for row in range(span.first, span.first + span.n) if row in of_row}
    for row, mine in sorted(of_row.items()):
        program.source["list"][row] = program.add([_row_segment(p) for p in mine])
        program.source["connected"][row] = 1


def _columns(program: Program, projections: Sequence[PlacedProjection]) -> None:
    learning = [p for p in projections if p.learns_columns and len(p.rows)]
    for span in dict.fromkeys(p.target for p in learning):
        segments: list[Segment] = []
        for p in learning:
            if p.target == span:
                others = [q.rows for q in projections if q.target == span and q is not p]
                taken = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *others]))
                segments += [_column_segment(p, run) for run in _runs(p.rows, p.source, taken)]
                program.target["learns"][span.first + np.unique(p.post)] = 1
        segments.sort(key=lambda segment: segment["lo"])
        program.target["list"][span.ids] = program.add(segments)


def _runs(rows: IntArray, own: Span, others: IntArray) -> list[Span]:
    """Return ranges of ids that hold these rows and none of the others.

    The sources' own rows are one range as a whole if no other row is among them.
    """
    rows = np.unique(rows)
    is_own = (rows >= own.first) & (rows < own.first + own.n)
    runs = []
    if is_own.any() and not ((others >= own.first) & (others < own.first + own.n)).any():
        runs, rows, is_own = [own], rows[~is_own], is_own[~is_own]
    if len(rows):
        # A range ends where one of the other rows comes between.
        between = np.searchsorted(others, rows)
        ends = np.flatnonzero((np.diff(between) > 0) | (np.diff(is_own.astype(int)) != 0)) + 1
        parts = np.split(rows, ends)
        runs += [Span(int(part[0]), int(part[-1] - part[0]) + 1) for part in parts]
    return runs


def _row_segment(p: PlacedProjection) -> Segment:
    segment = {"lo": p.target.first, "hi": p.target.first + p.target.n, "shift": p.shift}
    if p.rule is not None and p.learns_rows:
        half = p.rule.row
        segment |= {"a": half.a, "t0": half.t0, "a_negative": int(half.a_negative), **_common(p.rule)}
    return segment


def _column_segment(p: PlacedProjection, ids: Span) -> Segment:
    assert p.rule is not None
    half = p.rule.column
    return {
        "lo": ids.first,
        "hi": ids.first + ids.n,
        "a": half.a,
        "t0": half.t0,
        "a_negative": int(half.a_negative),
        **_common(p.rule),
    }


def _common(rule: RuleRegisters) -> Segment:
    return {
        "plastic": 1,
        "w_min": rule.w_min,
        "w_max": rule.w_max,
        "soft": int(rule.soft),
        "stochastic": int(rule.stochastic),
        "reward": int(rule.reward),
    }


def _target_traces(learning: Sequence[PlacedProjection]) -> list[tuple[Span, float, bool]]:
    """Return one (span, tau, nearest) per population; raise NetworkError if two projections disagree."""
    found: dict[Span, PlacedProjection] = {}
    for p in learning:
        known = found.setdefault(p.target, p)
        if known.tau_y != p.tau_y or known.nearest != p.nearest:
            raise NetworkError(
                f"projections {known.label!r} and {p.label!r} share the traces of one population, so their "
                f"tau_post and pairing must be equal, not {_trace_text(known)} and {_trace_text(p)}"
            )
    return [(span, p.tau_y, p.nearest) for span, p in found.items()]


def _source_traces(
    learning: Sequence[PlacedProjection], params: ArrayParams
) -> list[tuple[Span, float, bool]]:
    """Return (span, tau, nearest) for ranges of rows; projections that share a row agree on its trace."""
    owner = np.full(params.sources + 1, -1, dtype=np.int64)
    for k, p in enumerate(learning):
        owner[p.rows] = k
    for k, p in enumerate(learning):
        # Where all sources with synapses have one kind of trace, the others have it too: one range.
        own = owner[p.source.ids]
        own[own < 0] = k
    kinds = [(p.tau_x, p.nearest) for p in learning]
    kind = np.array([kinds.index(kinds[k]) if k >= 0 else -1 for k in owner.tolist()])
    edges = np.flatnonzero(np.diff(np.concatenate([[-1], kind]))).tolist()
    return [
        (Span(lo, hi - lo), *kinds[kind[lo]])
        for lo, hi in pairwise([*edges, params.sources])
        if kind[lo] >= 0
    ]


def _trace_text(p: PlacedProjection) -> str:
    return f"{p.tau_y:g} ms with {'nearest' if p.nearest else 'all_to_all'}"


def _decays(program: Program, traces: Sequence[tuple[Span, float, bool]], dt: float) -> int:
    if not traces:
        return 0
    segments = []
    for span, tau, _ in sorted(traces, key=lambda trace: trace[0].first):
        taus: FloatArray = np.array([tau])
        made = decay_coefficients(taus, dt)
        segments.append(
            {
                "lo": span.first,
                "hi": span.first + span.n,
                "a": int(made.m[0]),
                "exponent": int(made.exponent[0]),
            }
        )
    return LIST_VALID | program.add(segments)
