"""What a step costs: clocks against the bound, and steps per second of the simulated board.

``python -m synloom_sim.bench`` prints both for an array of 256 neurons at 5 % activity with learning. Clocks
are counted by the gateware, so they are exact; steps per second depend on the machine.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass

import numpy as np

from synloom.contract.array_port import Port
from synloom.contract.frames import RunFlag
from synloom.contract.layout import neuron_params_layout, segment_layout, source_layout, target_layout
from synloom.contract.params import ArrayParams
from synloom.contract.regions import (
    COUNTER_STRIDE,
    NEURON_PARAMS_STRIDE,
    NEURON_STATE_STRIDE,
    SEGMENT_STRIDE,
    Region,
    counter_offset,
)
from synloom.contract.registers import Mode, control
from synloom.link.client import LinkPort
from synloom_sim.board.design import Design
from synloom_sim.board.transport import SimTransport

__all__ = ["StepCost", "load_activity", "main", "measure"]

_PERIOD = 20
"""Every input and neuron spikes once in so many steps: 5 % activity."""


@dataclass(frozen=True)
class StepCost:
    """Counts of one run, from the gateware's own counters, and the time it took."""

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
        """Clocks of a step: ``ceil(N/neuron_lanes)`` and the chunks of its passes."""
        return self.sweep_clocks + self.chunks / self.steps

    @property
    def ratio(self) -> float:
        """Clocks of a step over the bound."""
        return self.clocks / self.steps / self.bound


def load_activity(port: Port, seed: int = 1) -> None:
    """Load an all-to-all learning network in which 5 % of inputs and neurons spike in each step.

    Inputs have regular generators of random phase; neurons are driven over threshold by their bias every
    20 steps, from random potentials; weights are too weak to disturb that.
    """
    params = port.params
    rng = np.random.default_rng(seed)
    n, s = params.neurons, params.sources
    ids = np.r_[0 : params.inputs, params.first_neuron_source : params.first_neuron_source + n]
    weights = np.full((s, n), params.weight_absent)
    weights[ids] = rng.integers(-params.weight_max, params.weight_max + 1, (len(ids), n))
    port.write(Region.WEIGHTS, 0, (weights & 0xFF).astype(np.uint16).ravel())

    threshold = 1 << (params.state_bits - 3)
    table = neuron_params_layout(params).pack(
        {
            "de": np.full(n, 0xFFFF),
            "di": np.full(n, 0xFFFF),
            "thr": np.full(n, threshold),
            "bias": np.full(n, threshold // _PERIOD + 1),
        }
    )
    words = np.zeros((n, NEURON_PARAMS_STRIDE), np.uint16)
    words[:, : table.shape[1]] = table
    port.write(Region.NEURON_PARAMS, 0, words.ravel())
    state = np.zeros((n, NEURON_STATE_STRIDE), np.uint16)
    potential = rng.integers(0, threshold, n)
    state[:, 0], state[:, 1] = potential & 0xFFFF, potential >> 16
    port.write(Region.NEURON_STATE, 0, state.ravel())

    lists = [
        {"lo": 0, "hi": n, "a": 200, "a_negative": 1},
        {"lo": 0, "hi": params.first_neuron_source + n, "a": 200},
        {"lo": 0, "hi": params.first_neuron_source + n, "a": 3200},
        {"lo": 0, "hi": n, "a": 3200},
    ]
    limits = {"w_min": -params.weight_max, "w_max": params.weight_max, "last": 1, "plastic": 1}
    limits |= {"stochastic": int(params.stochastic_rounding)}
    segments = np.zeros((len(lists), SEGMENT_STRIDE), np.uint16)
    layout = segment_layout()
    entries = [{**limits, **entry} for entry in lists]
    names = sorted({name for entry in entries for name in entry})
    segments[:, : layout.words] = layout.pack({name: [e.get(name, 0) for e in entries] for name in names})
    port.write(Region.PROGRAM, 0, segments.ravel())
    port.write(
        Region.SOURCE,
        0,
        source_layout().pack({"list": np.zeros(s, int), "connected": np.ones(s, int)}).ravel(),
    )
    port.write(
        Region.TARGET,
        0,
        target_layout()
        .pack({"list": np.ones(n, int), "delay": np.ones(n, int), "learns": np.ones(n, int)})
        .ravel(),
    )
    if params.generators:
        rates = np.full(params.inputs, 0x8000 | (1 << 15) // _PERIOD)
        port.write(Region.GEN_RATE, 0, rates)
        port.write(Region.GEN_PHASE, 0, rng.integers(0, 1 << 15, params.inputs))
    for name, value in (
        ("learn_rng", 12345),
        ("gen_rng", 54321),
        ("sweep_count", n),
        ("gen_words", params.input_words if params.generators else 0),
        ("x_list", 0x8002),
        ("y_list", 0x8003),
        ("one_x", params.trace_max >> 4),
        ("one_y", params.trace_max >> 4),
        ("reward", 256),
        ("mode", 1 << Mode.LEARN | 1 << Mode.RASTER),
    ):
        register = control(name)
        port.write(Region.CTRL, register.offset, [value >> 16 * k & 0xFFFF for k in range(register.words)])


def measure(params: ArrayParams, steps: int) -> StepCost:
    """Run the activity of `load_activity` on the simulated board, through the protocol."""
    transport = SimTransport.build(Design(params))
    port = LinkPort(transport)
    try:
        load_activity(port)
        _run(port, 2 * _PERIOD)
        before = {name: _counter(port, name) for name in ("busy_clocks", "chunks", "spikes", "row_passes")}
        started = time.perf_counter()
        words = _run(port, steps)
        seconds = time.perf_counter() - started
        counts = {name: _counter(port, name) - value for name, value in before.items()}
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
    """Run and drain the records; return their number of words."""
    port.run(steps, RunFlag(0))
    words = 0
    while True:
        got = port.records(30.0)
        words += len(got)
        status = port.read(Region.CTRL, control("status").offset, 1) if not len(got) else None
        if status is not None and not status[0] & 1:
            return words


def _counter(port: Port, name: str) -> int:
    words = port.read(Region.COUNTERS, counter_offset(name), COUNTER_STRIDE)
    return sum(int(word) << 16 * k for k, word in enumerate(words))


def main() -> None:
    """Print the table."""
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
