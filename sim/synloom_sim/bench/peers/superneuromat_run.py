"""The network in SuperNeuroMAT, on its CPU or its compiled ("jit") engine.

Its neurons have no constant drive, so that each is made to spike by an input in the steps in which the others
spike. Its STDP looks back a window of steps; twenty of them are one time constant.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from superneuromat import SNN

from synloom_sim.bench.peers.network import AMPLITUDE, DT_MS, TAU_STDP_MS, THRESHOLD_MV, PeerNetwork
from synloom_sim.bench.peers.worker import Job, serve, timed

_WINDOW: Final = 20
_UPDATES: Final = {"cpu": 4e7, "jit": 5e6}
_UPDATES_STATIC: Final = 1e9
"""Synapses times steps of a run: its length is set beforehand, by the inputs; about half a second."""


def _build(job: Job, network: PeerNetwork) -> Any:
    """Return the network."""
    snn = SNN()
    for _ in range(job.neurons):
        snn.create_neuron(threshold=THRESHOLD_MV)
    for (source, target), weight in np.ndenumerate(network.weights):
        snn.create_synapse(source, target, weight=float(weight), stdp_enabled=job.learning)
    if job.learning:
        window = AMPLITUDE * network.w_max * np.exp(-np.arange(_WINDOW) * DT_MS / TAU_STDP_MS)
        snn.stdp_setup(
            Apos=window.tolist(), Aneg=(-window).tolist(), positive_update=True, negative_update=True
        )
    return snn


def _make(job: Job) -> Any:
    network = job.network()
    snn = _build(job, network)
    updates = _UPDATES[job.option] if job.learning else _UPDATES_STATIC
    steps = max(3 * _WINDOW, min(5000, int(updates / job.neurons**2)))
    for neuron, fires in enumerate(network.spike_steps(steps)):
        for step in fires.tolist():
            snn.add_spike(step, neuron, 2 * THRESHOLD_MV)
    snn.backend = job.option
    snn.manual_setup = True
    snn.setup(sparse=False)
    snn.setup_input_spikes(steps)

    def run(count: int) -> int:
        snn.clear_spike_train()
        snn.simulate(count)
        return int(np.sum(snn.spike_train))

    run(_WINDOW + 1)
    return steps, partial(timed, steps, run), {"versions": {"SuperNeuroMAT": version("superneuromat")}}


if __name__ == "__main__":
    serve(_make)
