"""The network in Brian2, one thread, with its C++ standalone mode or its Cython runtime.

STDP is written as Brian2's documentation writes it: event-driven traces in each synapse.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import brian2 as b2

from synloom_sim.bench.peers.network import AMPLITUDE, DT_MS, TAU_M_MS, TAU_STDP_MS, THRESHOLD_MV
from synloom_sim.bench.peers.worker import Job, Timed, calibrate, serve

_UPDATES: Final = {True: 6.5e8, False: 1e10}
"""Synapses times steps of a run in C++, with and without learning: its length is compiled in, about 0.4 s."""

_TRACES: Final = """
w : 1
dapre/dt = -apre / tau_stdp : 1 (event-driven)
dapost/dt = -apost / tau_stdp : 1 (event-driven)
"""


def _build(job: Job) -> Any:
    """Return the network, and its monitor of spikes."""
    network = job.network()
    b2.defaultclock.dt = DT_MS * b2.ms
    names = {
        "tau": TAU_M_MS * b2.ms,
        "tau_stdp": TAU_STDP_MS * b2.ms,
        "change": AMPLITUDE * network.w_max,
        "w_max": network.w_max,
        "v_thresh": THRESHOLD_MV,
    }
    cells = b2.NeuronGroup(
        job.neurons,
        "dv/dt = (drive - v) / tau : 1\ndrive : 1",
        threshold="v >= v_thresh",
        reset="v = 0",
        method="exact",
        namespace=names,
    )
    cells.v, cells.drive = network.v, network.drive
    if job.learning:
        synapses = b2.Synapses(
            cells,
            cells,
            _TRACES,
            on_pre="v_post += w\napre += change\nw = clip(w + apost, 0, w_max)",
            on_post="apost -= change\nw = clip(w + apre, 0, w_max)",
            namespace=names,
        )
    else:
        synapses = b2.Synapses(cells, cells, "w : 1", on_pre="v_post += w", namespace=names)
    synapses.connect()
    synapses.pre.delay = DT_MS * b2.ms
    synapses.w = network.weights.ravel()
    monitor = b2.SpikeMonitor(cells)
    return b2.Network(cells, synapses, monitor), monitor


def _standalone(job: Job) -> Any:
    """Compile the network with its simulation; a run starts the program again."""
    folder = Path(job.folder) / f"brian2-{job.neurons}-{'stdp' if job.learning else 'static'}"
    b2.set_device("cpp_standalone", directory=str(folder), build_on_run=False)
    network, monitor = _build(job)
    steps = min(100_000, int(_UPDATES[job.learning] / job.neurons**2) // 100 * 100)
    network.run(steps * DT_MS * b2.ms)
    b2.device.build(directory=str(folder), run=False)

    def run() -> Timed:
        started = time.perf_counter()
        b2.device.run(str(folder), with_output=False, run_args=[])
        wall = time.perf_counter() - started
        # Brian2 itself takes the processor time of the simulation's loop, without the set-up of the program.
        return Timed(steps, int(monitor.num_spikes), float(b2.device._last_run_time), wall)

    return steps, run


def _runtime(job: Job) -> Any:
    """Run the network step by step from Python, with compiled objects."""
    b2.prefs.codegen.target = job.option
    network, monitor = _build(job)

    def run(steps: int) -> Timed:
        clocks: list[tuple[float, float]] = []

        def report(elapsed: Any, completed: float, start: Any, duration: Any) -> None:
            clocks.append((time.process_time(), time.perf_counter()))

        before = monitor.num_spikes
        # Brian2 reports when its loop begins and ends; checks and compilation before it are not work.
        network.run(steps * DT_MS * b2.ms, report=report, report_period=1000 * b2.second)
        (cpu, wall), (cpu_end, wall_end) = clocks[0], clocks[-1]
        return Timed(steps, int(monitor.num_spikes - before), cpu_end - cpu, wall_end - wall)

    steps = calibrate(run)
    return steps, partial(run, steps)


def _make(job: Job) -> Any:
    standalone = job.option == "cpp_standalone"
    return *(_standalone(job) if standalone else _runtime(job)), {"versions": {"Brian2": b2.__version__}}


if __name__ == "__main__":
    serve(_make)
