"""What a run costs: spikes, synaptic operations, weight updates, bytes on the line, time and energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from synloom.base.checks import IntArray
from synloom.base.errors import DeviceError
from synloom.contract.frames import (
    COMMAND_HEADER,
    FRAME_BYTES,
    MAX_PAYLOAD,
    RECORD_FRAME_WORDS,
    RECORDS_HEADER,
)
from synloom.device.fan_out import FanOut
from synloom.device.generated import Generated

if TYPE_CHECKING:
    from synloom_boards.energy import BoardCost

__all__ = ["Cost", "Learning", "Work", "cost_of"]

_RECORD_FRAME_BYTES: Final = FRAME_BYTES + RECORDS_HEADER
_EVENT_FRAME_BYTES: Final = FRAME_BYTES + COMMAND_HEADER
_EVENT_WORDS: Final = (MAX_PAYLOAD - COMMAND_HEADER) // 2


@dataclass(frozen=True, eq=False)
class Learning:
    """Whether learning is on in the steps of a run.

    Parameters
    ----------
    at_first : bool
        At its beginning.
    changes : tuple of (int, bool)
        Steps from which it is on or off, ascending.
    """

    at_first: bool
    changes: tuple[tuple[int, bool], ...] = ()

    def __call__(self, steps: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return whether learning is on in each of some steps, (T,) bool."""
        states = np.array([self.at_first, *(on for _, on in self.changes)])
        return states[np.searchsorted([step for step, _ in self.changes], steps, side="right")]

    @property
    def constant(self) -> bool:
        """Whether it does not change."""
        return not self.changes


@dataclass(frozen=True, eq=False)
class Work:
    """What happened in one run, as far as the host knows it, for `cost_of`.

    Parameters
    ----------
    fan_out : FanOut
        Passes of the loaded image.
    steps : int
        Steps of the run.
    duration : float
        Their time, ms.
    fired, fired_learning : (N,) int64 or None
        Spikes of each neuron: all, and those with learning on. None if the array did not tell them.
    sources, sources_learning : (S,) int64
        The same of the spikes from the host, by source id, without generators.
    generated : Generated or None
        The generators; None if none runs.
    given : (K, 2) int64
        Spikes from the host, (step, id), for ids that have generators.
    learning : Learning
        When learning was on.
    event_words, record_words : int
        Words sent to and received from the array.
    """

    fan_out: FanOut
    steps: int
    duration: float
    fired: IntArray | None
    fired_learning: IntArray | None
    sources: IntArray
    sources_learning: IntArray
    generated: Generated | None
    given: IntArray
    learning: Learning
    event_words: int
    record_words: int

    @cached_property
    def active(self) -> tuple[IntArray, IntArray]:
        """Spikes of each input, (S,) int64: all, and those with learning on, generators included."""
        every, learned = self.sources.copy(), self.sources_learning.copy()
        if self.generated is not None:
            n = len(self.generated.rates)
            every[:n], learned[:n] = self.generated.counts(self.given, self.learning)
        return every, learned


@dataclass(frozen=True, eq=False)
class Cost:
    """What one or several runs cost (docs/sweeps.md says how each number is counted).

    Parameters
    ----------
    steps : int
        Time steps.
    duration : float
        Their time in ms.
    spikes : int
        Spikes of neurons, forced ones included.
    input_spikes : int
        Spikes of inputs, from the host and from generators.
    synaptic_operations : int
        Spikes times the synapses that they reach: a spike counts in the run in which it is sent, with all its
        synapses.
    weight_updates : int
        Times that a learning rule computed a weight anew, whether or not it changed.
    line_bytes : int
        Bytes of events and records with their frames, as a serial line carries them; without the commands
        around them, byte stuffing and repetitions.
    """

    steps: int
    duration: float
    spikes: int
    input_spikes: int
    synaptic_operations: int
    weight_updates: int
    line_bytes: int
    _works: Sequence[Work] = field(repr=False)

    def chunks(self, lanes: int) -> tuple[int, int]:
        """Return the chunks and the passes that an array with so many lanes needs for all spikes."""
        chunks = passes = 0
        for work in self._works:
            assert work.fired is not None
            assert work.fired_learning is not None
            rows, columns = work.fan_out.rows, work.fan_out.columns
            spikes = _with_neurons(work, work.active[0], work.fired)
            chunks += int(spikes @ rows.chunks(lanes)) + int(work.fired_learning @ columns.chunks(lanes))
            passes += int(spikes @ rows.passes()) + int(work.fired_learning @ columns.passes())
        return chunks, passes

    @property
    def needs(self) -> dict[str, int]:
        """Inputs, neurons, axons and features that an array must have for the network."""
        return self._works[0].fan_out.needs if self._works else {}

    @cached_property
    def boards(self) -> dict[str, BoardCost]:
        """Clocks, time and energy on each board with its default array, as ranges, by the board's name.

        They are estimates: power is a range, from figures whose source each entry names.
        """
        from synloom_boards.energy import board_costs

        return board_costs(self)

    def to_dict(self) -> dict[str, float]:
        """Return all counts as plain values for JSON."""
        names = ("steps", "spikes", "input_spikes", "synaptic_operations", "weight_updates", "line_bytes")
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        return (
            f"{self.steps:,} steps, {self.spikes:,} spikes, {self.synaptic_operations:,} synaptic "
            f"operations, {self.weight_updates:,} weight updates, {self.line_bytes:,} bytes on the line"
        )


def cost_of(works: Sequence[Work]) -> Cost:
    """Return the cost of some runs.

    Raises
    ------
    DeviceError
        If the spikes of neurons are not known.
    """
    counts = [0, 0, 0, 0]
    for work in works:
        if work.fired is None or work.fired_learning is None:
            raise DeviceError(
                "the cost of this run is not known, because the array did not tell which neurons fired; "
                "record the spikes of a population (device.record(population)), or use an array with "
                "spike_counters"
            )
        inputs, learned = work.active
        every = _with_neurons(work, inputs, work.fired)
        learning = _with_neurons(work, learned, work.fired_learning)
        rows, columns = work.fan_out.rows, work.fan_out.columns
        counts[0] += int(work.fired.sum())
        counts[1] += int(inputs.sum())
        counts[2] += int(every @ rows.synapses)
        counts[3] += int(learning @ rows.updates) + int(work.fired_learning @ columns.updates)
    return Cost(
        steps=sum(work.steps for work in works),
        duration=sum(work.duration for work in works),
        spikes=counts[0],
        input_spikes=counts[1],
        synaptic_operations=counts[2],
        weight_updates=counts[3],
        line_bytes=sum(_line_bytes(work) for work in works),
        _works=tuple(works),
    )


def _with_neurons(work: Work, sources: IntArray, fired: IntArray) -> IntArray:
    """Return the spikes of all source ids, (S,) int64."""
    spikes, fan_out = sources.copy(), work.fan_out
    first = fan_out.first_neuron
    spikes[first : first + len(fired)] += np.where(fan_out.sends, fired, 0)
    return spikes


def _line_bytes(work: Work) -> int:
    events, records = work.event_words, work.record_words
    frames = -(-events // _EVENT_WORDS), -(-records // RECORD_FRAME_WORDS)
    return 2 * (events + records) + frames[0] * _EVENT_FRAME_BYTES + frames[1] * _RECORD_FRAME_BYTES
