"""Rows and columns: the passes over the weights, and the traces that spikes raise.

A pass is one source's row or one neuron's column. Passes that share a segment list are executed
together, segment by segment, which gives the bits of one after the other: they touch different
weights, they only read the traces, random keys are drawn beforehand in the order of the passes,
and sums of positive numbers do not depend on order. Only the count of clipped sums does, so rows
go one by one as soon as a sum could be clipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from synloom.contract.params import ArrayParams
from synloom.contract.regions import Mode
from synloom_sim.model.arithmetic import update
from synloom_sim.model.program import Program, Segment, SegmentList, SourceTable, TargetTable
from synloom_sim.model.random_numbers import FieldWords, field_key, xorshift32
from synloom_sim.model.state import ArrayState

__all__ = ["Passes"]

Ids = npt.NDArray[np.int64]
_HALF = 2048
"""What is added to round half up where nothing is random."""


class Passes:
    """Executes passes on an array's state.

    Parameters
    ----------
    params : ArrayParams
        Sizes and features.
    state : ArrayState
        What the passes read and change.
    """

    def __init__(self, params: ArrayParams, state: ArrayState):
        self._params = params
        self._state = state
        self._random = FieldWords(12)

    def rows(self, active: Ids, program: Program, sources: SourceTable) -> None:
        """Execute the rows of the active source ids (ascending), and raise their traces."""
        state = self._state
        connected = active[sources.connected[active]]
        if len(connected):
            learns = self._params.plasticity and state.registers.is_set(Mode.LEARN)
            lists = [program.list_at(k) for k in sources.lists[connected].tolist()]
            self._count("row_passes", lists)
            keys = self._draw_keys(lists) if learns else np.zeros(0, dtype=np.int64)
            can_clip = sum(passes.charge for passes in lists) > self._params.accumulator_max
            for passes, members, first_keys in _groups(lists, one_by_one=can_clip):
                self._row_group(passes, connected[members], keys, first_keys, learns)
        self._raise(state.x, active, state.registers.one_x, sources.nearest)

    def columns(self, fired: Ids, program: Program, targets: TargetTable) -> None:
        """Execute the columns of the neurons that fired (ascending), and raise their traces."""
        state = self._state
        if self._params.plasticity and state.registers.is_set(Mode.LEARN):
            learning = fired[targets.learns[fired]]
            lists = [program.list_at(k) for k in targets.lists[learning].tolist()]
            self._count("column_passes", lists)
            keys = self._draw_keys(lists)
            for passes, members, first_keys in _groups(lists, one_by_one=False):
                self._column_group(passes, learning[members], keys, first_keys)
        self._raise(state.y, fired, state.registers.one_y, targets.nearest)

    def _row_group(self, passes: SegmentList, rows: Ids, keys: Ids, first_keys: Ids, learns: bool) -> None:
        state = self._state
        next_keys = first_keys
        for segment in passes.segments:
            lo, hi = segment.lo, segment.hi
            w = state.weights[rows, lo:hi]
            present = w != self._params.weight_absent
            self._accumulate(segment, w * present)
            if learns and segment.plastic:
                state.weights[rows, lo:hi] = self._learn(segment, w, present, state.y[lo:hi], keys, next_keys)
                next_keys = next_keys + 1

    def _column_group(self, passes: SegmentList, columns: Ids, keys: Ids, first_keys: Ids) -> None:
        state = self._state
        weights = state.weights.T
        next_keys = first_keys
        for segment in passes.segments:
            if segment.plastic:
                lo, hi = segment.lo, segment.hi
                w = weights[columns, lo:hi]
                present = w != self._params.weight_absent
                weights[columns, lo:hi] = self._learn(segment, w, present, state.x[lo:hi], keys, next_keys)
                next_keys = next_keys + 1

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
        keys: Ids,
        next_keys: Ids,
    ) -> npt.NDArray[np.int16]:
        rule = segment.rule
        r: npt.NDArray[np.int16] | int = _HALF
        if rule.stochastic:
            first = segment.first
            r = self._random.words(keys[next_keys], first, first + len(trace)).view(np.int16)
        learned, clipped = update(rule, self._params.weight_bits, w, trace, self._state.registers.reward, r)
        self._state.counters.count("weight_clips", int(np.count_nonzero(clipped & present)))
        return np.where(present, learned, w)

    def _raise(self, trace: Ids, ids: Ids, one: int, nearest: npt.NDArray[np.bool_]) -> None:
        top = self._params.trace_max
        raised = np.where(nearest[ids], 0, trace[ids]) + one
        self._state.counters.count("trace_saturations", int(np.count_nonzero(raised > top)))
        trace[ids] = np.minimum(raised, top)

    def _count(self, name: str, lists: list[SegmentList]) -> None:
        counters = self._state.counters
        counters.count(name, sum(len(passes.segments) for passes in lists))
        counters.count("chunks", sum(passes.chunks for passes in lists))

    def _draw_keys(self, lists: list[SegmentList]) -> Ids:
        """Return one key for each plastic segment of each list, in order of execution."""
        registers = self._state.registers
        state, keys = registers.learn_rng, []
        for _ in range(sum(passes.plastic for passes in lists)):
            state = xorshift32(state)
            keys.append(field_key(state))
        registers.learn_rng = state
        return np.array(keys, dtype=np.int64)


def _groups(lists: list[SegmentList], *, one_by_one: bool) -> Iterator[tuple[SegmentList, Ids, Ids]]:
    """Yield the passes that may be executed together: list, positions in `lists`, first key of each."""
    groups: dict[int, tuple[SegmentList, list[int], list[int]]] = {}
    key = 0
    for k, passes in enumerate(lists):
        name = k if one_by_one else id(passes)
        _, members, first_keys = groups.setdefault(name, (passes, [], []))
        members.append(k)
        first_keys.append(key)
        key += passes.plastic
    for passes, members, first_keys in groups.values():
        yield passes, np.array(members), np.array(first_keys)
