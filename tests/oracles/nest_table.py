"""`python tests/oracles/nest_table.py`: cases of docs/accuracy.md in NEST, and the page's table of them."""

from dataclasses import replace

import nest_runs
import numpy as np

from synloom_sim.accuracy import CASES, distance, run_on_array, run_reference

NAMES = ("constant current alone", "exponential synapses", "strong noise")
CHOSEN = [
    replace(case, seconds=min(case.seconds, 1.0))
    for case in CASES
    if case.name in NAMES and case.state_bits == 24 and not case.stdp and case.tau_m <= 100
]


def compare(case, seed=1, inputs=64, rate=0.02):
    """Distances of the array and of the float reference to NEST, with the same weights and spikes."""
    rng = np.random.default_rng(seed)
    neurons, weights = case.neurons(), case.weights(rng)
    raster = rng.random((case.steps, inputs)) < rate * case.dt
    raster[: nest_runs.FIRST_INPUT_STEP] = False
    found = run_on_array(case.state_bits, neurons, weights, raster, case.dt)
    reference = run_reference(neurons, found.start, raster, case.dt)
    cells = {
        "tau_m": case.tau_m,
        "tau_syn_ex": case.tau_syn[0],
        "tau_syn_in": case.tau_syn[1],
        # With 1 pF, currents in pA are those of the reference in mV/ms.
        "C_m": 1.0,
        "I_e": neurons.i_offset,
        "E_L": 0.0,
        "V_m": 0.0,
        "V_reset": neurons.v_reset,
        "V_th": neurons.v_thresh,
        "t_ref": neurons.refractory * case.dt,
    }
    wanted = nest_runs.run_exp(cells, found.start, raster, case.dt)
    return [distance(*each, *wanted) for each in ((found.raster, found.v), reference[:2])]


def main():
    """Print the table, in Markdown."""
    titles = [
        "case", "dt / ms", "tau_m / ms", "compared", "spikes in NEST", "alone", "shift max", "shift mean",
        "V error max / mV", "V error rms / mV",
    ]  # fmt: skip
    print("| " + " | ".join(titles) + " |")
    print("|---" * len(titles) + "|")
    for case in CHOSEN:
        for name, apart in zip(("array", "float reference"), compare(case), strict=True):
            cells = (
                case.name, f"{case.dt:g}", f"{case.tau_m:g}", name, apart.spikes, apart.unmatched,
                apart.shift_max, f"{apart.shift_mean:.4f}", f"{apart.v_max:.2g}", f"{apart.v_rms:.2g}",
            )  # fmt: skip
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
