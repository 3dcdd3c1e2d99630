"""The cost of a step: clocks compared with their bound, and steps per second of the simulated board.

``python -m synloom_sim.bench`` prints both for an array of 256 neurons at 5 % activity with learning. The
gateware counts the clocks, so they are exact; steps per second depend on the machine.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synloom.contract.array_port import Port
from synloom.contract.contents import Contents
from synloom.contract.frames import RunFlag
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.registers import LIST_VALID, Mode
from synloom.contract.traces import TRACES, Side
from synloom.device.counters import read_counters
from synloom.device.execution import is_running
from synloom.link.client import LinkPort
from synloom_sim.board.design import Design
from synloom_sim.board.transport import SimTransport

__all__ = ["StepCost", "activity", "main", "measure"]

_PERIOD = 20
"""Steps between two spikes of every input and neuron: 5 % activity."""
_ROW, _COLUMN, _DECAY = range(3)
"""The first segment of each list."""


@dataclass(frozen=True)
class StepCost:
    """Counts of one run, from the gateware's counters, and its duration.

    Attributes
    ----------
    steps, clocks, chunks, spikes, row_passes : int
        Totals of the run.
    sweep_clocks : int
        Clocks of the sweep in one step.
    seconds : float
        Duration of the run.
    line_bytes : int
        Bytes of records.
    """

    steps: int
    clocks: int
    chunks: int
    spikes: int
    row_passes: int
    sweep_clocks: int
    seconds: float
    line_bytes: int

    @property
    def bound(self) -> float:
        """Lower bound of the clocks of a step: ``ceil(N/neuron_lanes)`` and the chunks of its passes."""
        return self.sweep_clocks + self.chunks / self.steps

    @property
    def ratio(self) -> float:
        """Clocks of a step, divided by the bound."""
        return self.clocks / self.steps / self.bound


def activity(params: ArrayParams, seed: int = 1) -> Contents:
    """Return an all-to-all learning network in which 5 % of inputs and neurons spike in each step.

    Inputs have regular generators with random phases. Their bias drives neurons over the threshold every
    20 steps, from random initial potentials; the weights are too small to change that.

    Parameters
    ----------
    params : ArrayParams
        The array.
    seed : int
        Seed of all random values.
    """
    rng = np.random.default_rng(seed)
    n, s = params.neurons, params.sources
    ids = np.r_[0 : params.inputs, params.first_neuron_source : params.first_neuron_source + n]
    weights = np.full((s, n), params.weight_absent)
    weights[ids] = rng.integers(-params.weight_max, params.weight_max + 1, (len(ids), n))
    threshold = 1 << (params.state_bits - 3)
    memories: dict[Region, dict[str, npt.ArrayLike]] = {
        Region.WEIGHTS: {"weight": weights.ravel()},
        Region.NEURON_PARAMS: {
            "de": np.full(n, 0xFFFF),
            "di": np.full(n, 0xFFFF),
            "thr": np.full(n, threshold),
            "bias": np.full(n, threshold // _PERIOD + 1),
        },
        Region.NEURON_STATE: {"v": rng.integers(0, threshold, n)},
        Region.PROGRAM: _segments(params),
        Region.SOURCE: {"list": np.full(s, _ROW), "connected": np.ones(s, int)},
        Region.TARGET: {"list": np.full(n, _COLUMN), "delay": np.ones(n, int), "learns": np.ones(n, int)},
        Region.GEN_RATE: {
            "mantissa": np.full(params.inputs, _PERIOD * 8),
            "exponent": np.full(params.inputs, 5),
            "regular": np.ones(params.inputs, int),
        },
        Region.GEN_PHASE: {"phase": rng.integers(0, _PERIOD * 8, params.inputs)},
    }
    registers = {
        "learn_rng": 0x9E3779B97F4A7C15,
        "gen_rng": 0xD1B54A32D192ED03,
        "sweep_count": n,
        "gen_words": params.input_words if params.generators else 0,
        **{trace.decay_list: LIST_VALID | _DECAY + k for k, trace in enumerate(TRACES)},
        **{trace.increment: params.trace_max >> 4 for trace in TRACES},
        "reward": 256,
        "mode": 1 << Mode.LEARN | 1 << Mode.RASTER,
    }
    return Contents(params, memories, registers)


def _segments(params: ArrayParams) -> dict[str, npt.ArrayLike]:
    """Return a row list, a column list, and a decay list for each trace, with one segment each."""
    n, s = params.neurons, params.first_neuron_source + params.neurons
    entries = [{"lo": 0, "hi": n, "a": 200, "a_negative": 1}, {"lo": 0, "hi": s, "a": 200}]
    entries += [{"lo": 0, "hi": s if trace.side is Side.SOURCE else n, "a": 3200} for trace in TRACES]
    limits = {"w_min": -params.weight_max, "w_max": params.weight_max, "last": 1, "plastic": 1}
    limits |= {"stochastic": int(params.stochastic_rounding)}
    names = {*limits, *(name for entry in entries for name in entry)}
    return {name: [{**limits, **entry}.get(name, 0) for entry in entries] for name in names}


def measure(params: ArrayParams, steps: int) -> StepCost:
    """Run `activity` on the simulated board, through the serial protocol.

    Parameters
    ----------
    params : ArrayParams
        The array.
    steps : int
        Steps to measure, after two periods of warm-up.

    Raises
    ------
    BuildError
        If the board cannot be built.
    """
    transport = SimTransport.build(Design(params))
    port = LinkPort(transport)
    try:
        for write in activity(params).writes():
            port.write(*write)
        _run(port, 2 * _PERIOD)
        before = read_counters(port)
        started = time.perf_counter()
        words = _run(port, steps)
        seconds = time.perf_counter() - started
        after = read_counters(port)
        counts = {name: after[name] - value for name, value in before.items()}
    finally:
        port.close()
    return StepCost(
        steps=steps,
        clocks=counts["busy_clocks"],
        chunks=counts["chunks"],
        spikes=counts["spikes"],
        row_passes=counts["row_passes"],
        sweep_clocks=math.ceil(params.neurons / params.neuron_lanes),
        seconds=seconds,
        line_bytes=2 * words,
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


def main() -> None:
    """Print a table of step costs, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000, help="steps to run (default 2000)")
    parser.add_argument("--inputs", type=int, nargs="*", default=[64, 256], help="inputs (default 64 256)")
    parser.add_argument("--neurons", type=int, default=256)
    parser.add_argument("--lanes", type=int, default=16)
    arguments = parser.parse_args()
    head = "inputs + neurons | lanes | active | clocks/step | bound | ratio | steps/s simulated | per MHz"
    print(f"| {head} |")
    print("|---|---|---|---|---|---|---|---|")
    for inputs in arguments.inputs:
        params = ArrayParams(inputs=inputs, neurons=arguments.neurons, lanes=arguments.lanes)
        cost = measure(params, arguments.steps)
        active = 100 * cost.row_passes / cost.steps / (params.inputs + params.neurons)
        clocks = cost.clocks / cost.steps
        print(
            f"| {inputs} + {params.neurons} | {params.lanes} | {active:.1f} % | {clocks:.0f} "
            f"| {cost.bound:.0f} | {cost.ratio:.3f} | {cost.steps / cost.seconds:.0f} | {1e6 / clocks:.0f} |"
        )


if __name__ == "__main__":
    main()
