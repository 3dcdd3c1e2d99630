"""The network in NEST, one thread: iaf_psc_delta and stdp_synapse, spikes recorded in memory."""

from __future__ import annotations

from functools import partial
from typing import Any

import nest

from synloom_sim.bench.peers.network import AMPLITUDE, DT_MS, TAU_M_MS, TAU_STDP_MS, THRESHOLD_MV
from synloom_sim.bench.peers.worker import Job, calibrate, serve, timed

_C_M_PF = 1000.0


def _make(job: Job) -> Any:
    network = job.network()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.resolution = DT_MS
    nest.total_num_virtual_procs = 1
    cells = nest.Create(
        "iaf_psc_delta",
        job.neurons,
        {
            "tau_m": TAU_M_MS,
            "C_m": _C_M_PF,
            "E_L": 0.0,
            "V_reset": 0.0,
            "V_th": THRESHOLD_MV,
            "t_ref": 0.0,
            "tau_minus": TAU_STDP_MS,
            "I_e": network.drive * _C_M_PF / TAU_M_MS,
            "V_m": network.v,
        },
    )
    # NEST takes weights as (targets, sources).
    synapse: dict[str, Any] = {"weight": network.weights.T, "delay": DT_MS}
    if job.learning:
        synapse |= {
            "synapse_model": "stdp_synapse",
            "tau_plus": TAU_STDP_MS,
            "lambda": AMPLITUDE,
            "alpha": 1.0,
            "mu_plus": 0.0,
            "mu_minus": 0.0,
            "Wmax": network.w_max,
        }
    nest.Connect(cells, cells, "all_to_all", synapse)
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Prepare()

    def run(steps: int) -> int:
        before = recorder.n_events
        nest.Run(steps * DT_MS)
        return int(recorder.n_events - before)

    steps = calibrate(partial(timed, run=run))
    return steps, partial(timed, steps, run), {"versions": {"NEST": nest.__version__}}


if __name__ == "__main__":
    serve(_make)
