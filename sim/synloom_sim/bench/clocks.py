"""The clocks of a step, counted by the gateware of the simulated board."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from synloom.base.progress import Progress
from synloom.contract.array_port import Port
from synloom.contract.frames import RunFlag
from synloom.contract.params import ArrayParams
from synloom.contract.step_bound import StepBound, step_bound
from synloom.device.counters import read_counters
from synloom.device.execution import is_running
from synloom.link.client import LinkPort
from synloom_sim.bench.workload import QUIET, workload
from synloom_sim.board.design import Design
from synloom_sim.board.transport import SimTransport

__all__ = ["StepCost", "measure"]

_QUIET_STEPS: Final = 50
"""Steps of a warm-up in which nothing spikes."""


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
        Duration of the run on this machine.
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
        return self.params.sweep_clocks + self.params.chunk_clocks * self.chunks / self.steps

    @property
    def bound(self) -> StepBound:
        """Fewest clocks of a step with these spikes."""
        inputs = (self.row_passes - self.spikes) / self.steps
        return step_bound(self.params, inputs, self.spikes / self.steps, learning=self.learning)


def measure(
    params: ArrayParams,
    runs: Sequence[tuple[int, bool, int]],
    *,
    progress: Progress | None = None,
) -> list[StepCost]:
    """Run workloads on one simulated board, through its serial protocol.

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
        return [_measure(port, *run) for run in runs]
    finally:
        port.close()


def _measure(port: Port, period: int, learning: bool, steps: int) -> StepCost:
    params = port.params
    for write in workload(params, period, learning=learning).writes():
        port.write(*write)
    _run(port, _QUIET_STEPS if period == QUIET else 2 * period)
    before = read_counters(port)
    started = time.perf_counter()
    words = _run(port, steps)
    seconds = time.perf_counter() - started
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
