"""The clocks of a step, counted by the gateware of the simulated board."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from synloom.base.progress import Progress
from synloom.contract.array_port import Port
from synloom.contract.frames import RunFlag
from synloom.contract.params import ArrayParams
from synloom.contract.serial_program import sweep_clocks
from synloom.contract.step_bound import StepBound, step_bound
from synloom.device.counters import read_counters
from synloom.device.execution import is_running
from synloom.link.client import LinkPort
from synloom_sim.bench.workload import QUIET, workload
from synloom_sim.board.design import Design
from synloom_sim.board.transport import SimTransport

__all__ = ["StepCost", "measure"]

_QUIET_STEPS: Final = 500
"""Steps of a warm-up in which nothing spikes, until all traces of an earlier workload are 0."""


@dataclass(frozen=True)
class StepCost:
    """Counts of one run, from the gateware's counters, and its duration.

    Attributes
    ----------
    params : ArrayParams
        The array.
    learning : bool
        Whether all synapses learn.
    steps, clocks, chunks, spikes, row_passes : int
        Totals of the run.
    seconds : float
        Processor time of the run on this machine, s.
    record_words : int
        Words of the record stream.
    """

    params: ArrayParams
    learning: bool
    steps: int
    clocks: int
    chunks: int
    spikes: int
    row_passes: int
    seconds: float
    record_words: int

    @property
    def step_clocks(self) -> float:
        """Clocks of a step, in the mean."""
        return self.clocks / self.steps

    @property
    def active(self) -> float:
        """Share of inputs and neurons that spiked in a step."""
        return self.row_passes / self.steps / (self.params.inputs + self.params.neurons)

    @property
    def work(self) -> float:
        """Clocks of the sweep and of the chunks of a step: what the lanes are busy with."""
        return sweep_clocks(self.params) + self.params.chunk_clocks * self.chunks / self.steps

    @property
    def bound(self) -> StepBound:
        """Fewest clocks of a step with these spikes."""
        inputs = (self.row_passes - self.spikes) / self.steps
        return step_bound(self.params, inputs, self.spikes / self.steps, learning=self.learning)

    def row(self) -> dict[str, Any]:
        """Return the counts and ratios as one flat row of a report."""
        bound = self.bound
        return {
            "inputs": self.params.inputs,
            "neurons": self.params.neurons,
            "lanes": self.params.lanes,
            "neuron_lanes": self.params.neuron_lanes,
            "learning": self.learning,
            "active": self.active,
            "steps": self.steps,
            "clocks": self.step_clocks,
            "work": self.work,
            **{name: getattr(bound, name) for name in ("rows", "sweep", "columns", "rest")},
            "bound": bound.clocks,
            "ratio": self.step_clocks / bound.clocks,
            "record_words": self.record_words / self.steps,
            "steps_per_second": self.steps / self.seconds,
        }


def measure(
    params: ArrayParams,
    runs: Sequence[tuple[int, bool, int]],
    *,
    progress: Progress | None = None,
) -> Iterator[StepCost]:
    """Run workloads on one simulated board, through its serial protocol; yield what each cost.

    Parameters
    ----------
    params : ArrayParams
        The array.
    runs : sequence of (int, bool, int)
        Period of the spikes, whether all synapses learn (see `workload`), and how many steps to measure after
        a warm-up of two periods; whole periods have the same spikes in every run.
    progress : callable, optional
        Called as ``progress(what, share)`` while the board is built.

    Raises
    ------
    BuildError
        If the board cannot be built.
    """
    transport = SimTransport.build(Design(params), progress=progress)
    port = LinkPort(transport)
    try:
        for run in runs:
            yield _measure(port, *run)
    finally:
        port.close()


def _measure(port: Port, period: int, learning: bool, steps: int) -> StepCost:
    params = port.params
    for write in workload(params, period, learning=learning).writes():
        port.write(*write)
    _run(port, _QUIET_STEPS if period == QUIET else 2 * period)
    before = read_counters(port)
    started = time.process_time()
    words = _run(port, steps)
    seconds = time.process_time() - started
    after = read_counters(port)
    counts = {name: after[name] - value for name, value in before.items()}
    return StepCost(
        params=params,
        learning=learning,
        steps=steps,
        clocks=counts["busy_clocks"],
        chunks=counts["chunks"],
        spikes=counts["spikes"],
        row_passes=counts["row_passes"],
        seconds=seconds,
        record_words=words,
    )


def _run(port: Port, steps: int) -> int:
    """Run, read all records, and return their number of words."""
    port.run(steps, RunFlag(0))
    words = 0
    while True:
        got = port.records(30.0)
        words += len(got)
        if not len(got) and not is_running(port):
            return words
