"""Rows and columns: the passes over the weights, and the increments of traces by spikes.

A pass is the row of one source or the column of one neuron. Passes that share a segment list are executed
together, segment by segment, with the same bits as one after the other: they change different weights, they
only read the traces, the states of their random numbers are computed beforehand in the order of the passes,
and sums of positive numbers do not depend on their order. Only the number of clipped sums does, so rows are
executed one by one if a sum could be clipped.

STDP with traces: Morrison, Diesmann and Gerstner 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synloom.contract.params import ArrayParams
from synloom.contract.registers import Mode
from synloom.contract.traces import TRACES, Side, trace_of
from synloom_sim.model.arithmetic import update
from synloom_sim.model.program import Program, Segment, SegmentList, SourceTable, TargetTable
from synloom_sim.model.random_numbers import ROUNDING_BITS, Jump, Numbers
from synloom_sim.model.state import ArrayState

__all__ = ["HALF", "Passes"]

Ids = npt.NDArray[np.int64]
States = npt.NDArray[np.uint64]
HALF = 2048
"""Added to round half up where rounding is not stochastic."""


class Passes:
    """Executes passes on the state of an array.

    Parameters
    ----------
    params : ArrayParams
        Sizes and features.
    state : ArrayState
        State that the passes read and change.
    """

    def __init__(self, params: ArrayParams, state: ArrayState):
        self._params = params
        self._state = state
        self._random = Numbers.of(ROUNDING_BITS)

    def rows(self, active: Ids, program: Program, sources: SourceTable) -> None:
        """Execute the rows of source ids, (A,) int64 ascending, and raise their traces."""
        state = self._state
        connected = active[sources.connected[active]]
        if len(connected):
            learns = self._params.plasticity and state.registers.is_set(Mode.LEARN)
            groups = _group(connected, sources.lists[connected], program)
            self._count("row_passes", groups)
            states = self._draw(groups) if learns else np.zeros(0, dtype=np.uint64)
            charge = sum(group.passes.charge * len(group.ids) for group in groups)
            if charge + int(state.acc.max()) > self._params.accumulator_max:
                groups = [single for group in groups for single in group.split()]
                groups.sort(key=lambda group: int(group.ids[0]))
            for group in groups:
                self._row_group(group, states, learns)
        self._raise(Side.SOURCE, active, sources.nearest)

    def columns(self, due: Ids, program: Program, targets: TargetTable) -> None:
        """Execute the columns of neurons that are due, (D,) int64 ascending, and raise their traces."""
        state = self._state
        learning = due[targets.learns[due]]
        if len(learning) and self._params.plasticity and state.registers.is_set(Mode.LEARN):
            groups = _group(learning, targets.lists[learning], program)
            self._count("column_passes", groups)
            states = self._draw(groups)
            for group in groups:
                self._column_group(group, states)
        self._raise(Side.TARGET, due, targets.nearest)

    def _row_group(self, group: _Group, states: States, learns: bool) -> None:
        state, draw, trace = self._state, group.first_draws, self._trace(Side.TARGET)
        for segment in group.passes.segments:
            lo, hi = segment.lo, segment.hi
            w = state.weights[group.ids, lo:hi]
            present = w != self._params.weight_absent
            self._accumulate(segment, w * present)
            if learns and segment.plastic:
                state.weights[group.ids, lo:hi] = self._learn(segment, w, present, trace[lo:hi], states, draw)
                draw = draw + (segment.numbers > 0)

    def _column_group(self, group: _Group, states: States) -> None:
        state, draw, trace = self._state, group.first_draws, self._trace(Side.SOURCE)
        columns = state.weights.T
        for segment in group.passes.segments:
            if segment.plastic:
                lo, hi = segment.lo, segment.hi
                w = columns[group.ids, lo:hi]
                present = w != self._params.weight_absent
                columns[group.ids, lo:hi] = self._learn(segment, w, present, trace[lo:hi], states, draw)
                draw = draw + (segment.numbers > 0)

    def _accumulate(self, segment: Segment, charge: npt.NDArray[np.int16]) -> None:
        limit = self._params.accumulator_max
        acc = self._state.acc[:, segment.lo : segment.hi]
        acc[0] += np.maximum(charge, 0).sum(axis=0, dtype=np.int32) << segment.shift
        acc[1] -= np.minimum(charge, 0).sum(axis=0, dtype=np.int32) << segment.shift
        if acc.size and acc.max() > limit:
            self._state.counters.count("acc_saturations", int(np.count_nonzero(acc > limit)))
            np.minimum(acc, limit, out=acc)

    def _learn(
        self,
        segment: Segment,
        w: npt.NDArray[np.int16],
        present: npt.NDArray[np.bool_],
        trace: Ids,
        states: States,
        draw: Ids,
    ) -> npt.NDArray[np.int16]:
        rule = segment.rule
        r: npt.NDArray[np.int16] | int = HALF
        if segment.numbers:
            first = segment.first
            r = self._random.at(states[draw], first, first + len(trace)).view(np.int16)
        params, reward = self._params, self._state.registers.reward
        learned, clipped = update(rule, params.weight_bits, params.trace_bits, w, trace, reward, r)
        self._state.counters.count("weight_clips", int(np.count_nonzero(clipped & present)))
        return np.where(present, learned, w)

    def _trace(self, side: Side) -> Ids:
        """Return the trace of a side, which passes of the other side read."""
        return self._state.traces[trace_of(side).name]

    def _raise(self, side: Side, ids: Ids, nearest: npt.NDArray[np.bool_]) -> None:
        state, top = self._state, self._params.trace_max
        for trace in TRACES:
            if trace.side is side:
                values = state.traces[trace.name]
                raised = np.where(nearest[ids], 0, values[ids]) + state.registers.of(trace.increment)
                state.counters.count("trace_saturations", int(np.count_nonzero(raised > top)))
                values[ids] = np.minimum(raised, top)

    def _count(self, name: str, groups: list[_Group]) -> None:
        counters = self._state.counters
        counters.count(name, sum(len(group.ids) * len(group.passes.segments) for group in groups))
        counters.count("chunks", sum(len(group.ids) * group.passes.chunks for group in groups))

    def _draw(self, groups: list[_Group]) -> States:
        """Return the state for each stochastic segment of each pass, in order of execution."""
        registers = self._state.registers
        order = [(int(first), group.passes.draws) for group in groups for first in group.first_draws]
        states: list[int] = []
        for _, draws in sorted(order):
            for numbers in draws:
                states.append(registers.learn_rng)
                registers.learn_rng = Jump.by(ROUNDING_BITS * numbers)(registers.learn_rng)
        return np.array(states, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class _Group:
    """Passes that share a list: their ids, and for each the index of its first state of random numbers."""

    passes: SegmentList
    ids: Ids
    first_draws: Ids

    def split(self) -> list[_Group]:
        """Return each pass as a group of its own."""
        return [
            _Group(self.passes, self.ids[k : k + 1], self.first_draws[k : k + 1])
            for k in range(len(self.ids))
        ]


def _group(ids: Ids, lists: Ids, program: Program) -> list[_Group]:
    """Group passes (ascending ids) by the number of their list."""
    numbers = lists.tolist()
    kinds = set(numbers)
    draws = {number: len(program.list_at(number).draws) for number in kinds}
    if len(kinds) == 1:
        passes = program.list_at(numbers[0])
        return [_Group(passes, ids, np.arange(len(ids)) * len(passes.draws))]
    before = np.cumsum([0, *(draws[number] for number in numbers[:-1])])
    return [
        _Group(program.list_at(number), ids[lists == number], before[lists == number])
        for number in sorted(kinds)
    ]
