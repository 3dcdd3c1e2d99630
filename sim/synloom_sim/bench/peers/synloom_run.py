"""The network in Synloom, on a target that runs on this machine."""

from __future__ import annotations

from functools import partial
from typing import Any

import synloom
from synloom_sim.bench.peers.network import AMPLITUDE, DT_MS, TAU_M_MS, TAU_STDP_MS, THRESHOLD_MV
from synloom_sim.bench.peers.worker import Job, calibrate, serve, timed

__all__ = ["image_of"]


def image_of(job: Job) -> synloom.Image:
    """Return the compiled network of a job."""
    network = job.network()
    net = synloom.Network(dt=DT_MS)
    cells = net.add(
        synloom.Population(
            job.neurons,
            synloom.LIF(
                tau_m=TAU_M_MS,
                v_rest=0.0,
                v_reset=0.0,
                v_thresh=THRESHOLD_MV,
                i_offset=network.drive / TAU_M_MS,
                tau_syn_E=0.0,
                tau_syn_I=0.0,
            ),
            label="cells",
        )
    )
    rule = synloom.STDP(
        A_plus=AMPLITUDE,
        A_minus=AMPLITUDE,
        tau_plus=TAU_STDP_MS,
        tau_minus=TAU_STDP_MS,
        w_max=network.w_max,
    )
    net.add(
        synloom.Projection(
            cells,
            cells,
            synloom.FromMatrix(network.weights),
            plasticity=rule if job.learning else None,
        )
    )
    return synloom.compile(net)


def _make(job: Job) -> Any:
    device = synloom.connect(job.option, image_of(job))
    device.record("cells")

    def run(steps: int) -> int:
        return len(device.run(steps * DT_MS).spike_steps["cells"])

    steps = calibrate(partial(timed, run=run))
    return steps, partial(timed, steps, run), {"versions": {}}


if __name__ == "__main__":
    serve(_make)
