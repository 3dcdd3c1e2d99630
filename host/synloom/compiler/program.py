"""The pass program: the lists of segments for rows, columns and decay, and the entries that point to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
        Source ids of the sources, and neurons of the targets.
    shift : int
        Left shift of the weights.
    pre, post : (K,) int64
        Source and target of each synapse, as indices within the populations.
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
    pre: IntArray
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
        If two projections need different traces of one population.
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
    used = {
        Side.SOURCE: [(p.source, p.tau_x, p) for p in projections if p.learns_columns],
        Side.TARGET: [(p.target, p.tau_y, p) for p in projections if p.learns_rows],
    }
    for side, fields, name in (
        (Side.SOURCE, program.source, "tau_pre"),
        (Side.TARGET, program.target, "tau_post"),
    ):
        traces = _traces(used[side], name)
        program.decay_lists[side] = _decays(program, traces, dt)
        for span, _, nearest in traces:
            fields["nearest"][span.ids] = int(nearest)
    return program


def _rows(program: Program, projections: Sequence[PlacedProjection]) -> None:
    for span in dict.fromkeys(p.source for p in projections if len(p.pre)):
        outgoing = [p for p in projections if p.source == span and len(p.pre)]
        outgoing.sort(key=lambda p: p.target.first)
        program.source["list"][span.ids] = program.add([_row_segment(p) for p in outgoing])
        for p in outgoing:
            program.source["connected"][span.first + np.unique(p.pre)] = 1


def _columns(program: Program, projections: Sequence[PlacedProjection]) -> None:
    learning = [p for p in projections if p.learns_columns and len(p.pre)]
    for span in dict.fromkeys(p.target for p in learning):
        incoming = [p for p in learning if p.target == span]
        incoming.sort(key=lambda p: p.source.first)
        program.target["list"][span.ids] = program.add([_column_segment(p) for p in incoming])
        for p in incoming:
            program.target["learns"][span.first + np.unique(p.post)] = 1


def _row_segment(p: PlacedProjection) -> Segment:
    segment = {"lo": p.target.first, "hi": p.target.first + p.target.n, "shift": p.shift}
    if p.rule is not None and p.learns_rows:
        half = p.rule.row
        segment |= {"a": half.a, "t0": half.t0, "a_negative": int(half.a_negative), **_common(p.rule)}
    return segment


def _column_segment(p: PlacedProjection) -> Segment:
    assert p.rule is not None
    half = p.rule.column
    return {
        "lo": p.source.first,
        "hi": p.source.first + p.source.n,
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


def _traces(
    used: Sequence[tuple[Span, float, PlacedProjection]], name: str
) -> list[tuple[Span, float, bool]]:
    """Return one (span, tau, nearest) per population; raise NetworkError if two projections disagree."""
    found: dict[Span, tuple[float, PlacedProjection]] = {}
    for span, tau, p in used:
        known = found.setdefault(span, (tau, p))
        if known[0] != tau or known[1].nearest != p.nearest:
            raise NetworkError(
                f"projections {known[1].label!r} and {p.label!r} share the traces of one population, so "
                f"their {name} and pairing must be equal, not {_trace_text(*known)} and {_trace_text(tau, p)}"
            )
    return [(span, tau, p.nearest) for span, (tau, p) in found.items()]


def _trace_text(tau: float, p: PlacedProjection) -> str:
    return f"{tau:g} ms with {'nearest' if p.nearest else 'all_to_all'}"


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
