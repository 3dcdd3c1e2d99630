"""The same networks in NEST: how its conventions map to the array's steps.

NEST labels a spike by the end of its step: label k is step k - 1. A spike of step s with delay d is added to
the current at the end of step s + d and enters V one step later; the array's enters V in step s + d. NEST's
delay d is therefore the array's d + 1. A spike of a spike generator with label k counts as one of step k - 1:
with delay 1 it enters V in step k + 1, so an input spike of step s has the label s - 1, and the first step
that can have one is step 2.
"""

import nest
import numpy as np

FIRST_INPUT_STEP = 2
_FAR = 1000.0
"""Time in ms after which no pair counts any more: 50 time constants."""


def start(dt):
    """Make NEST forget everything, and set its step in ms."""
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.resolution = dt


def times(steps, dt):
    """NEST's labels of steps, in ms on its grid."""
    return np.round(np.asarray(steps, dtype=float) * dt, 3)


def pair_weights(pre, post, delay, dt, weight, rule):
    """Weights after one pair each: sources spike at labels `pre` (n,), the target at label `post`.

    `delay` is NEST's, in steps, and wholly dendritic: a pair's difference is `post + delay - pre`.
    `rule` has the parameters of stdp_synapse, and tau_minus.
    """
    start(dt)
    # Parrots repeat what generators tell them, one step later; port 1 learns and is not repeated.
    sources = nest.Create("parrot_neuron", len(pre))
    target = nest.Create("parrot_neuron", 1, {"tau_minus": rule["tau_minus"]})
    last = max(*pre, post) + round(_FAR / dt)
    generators = nest.Create("spike_generator", len(pre))
    for generator, k in zip(generators, pre, strict=True):
        # The second spike makes the synapse take account of the target's spikes before it.
        generator.spike_times = times([k - 1, last], dt)
    teacher = nest.Create("spike_generator", 1, {"spike_times": times([post - 1], dt)})
    nest.Connect(generators, sources, "one_to_one", {"delay": dt})
    nest.Connect(teacher, target, syn_spec={"delay": dt})
    synapse = {key: value for key, value in rule.items() if key != "tau_minus"}
    synapse |= {"synapse_model": "stdp_synapse", "weight": weight, "delay": delay * dt, "receptor_type": 1}
    nest.Connect(sources, target, "all_to_all", synapse)
    nest.Simulate(float(times(last + delay + 10, dt)))
    found = nest.GetConnections(sources, target)
    order = np.argsort(found.source)
    return np.asarray(found.weight)[order]


def run_exp(neurons, weights, raster, dt, recurrent=None, delay=1):
    """Run iaf_psc_exp neurons; return their raster (T, N) bool, and V (T, N) in mV, by the array's steps.

    `neurons` are parameters of iaf_psc_exp, numbers or arrays (N,); `weights` (M, N) and `recurrent` (N, N)
    in pA, NaN where there is no synapse; `raster` (T, M) bool are the inputs' spikes. `delay` is that of
    the recurrent synapses in NEST's steps: one less than the array's.
    """
    start(dt)
    steps, inputs = raster.shape
    if raster[:FIRST_INPUT_STEP].any():
        raise ValueError(
            f"inputs must be silent before step {FIRST_INPUT_STEP}; NEST cannot have such spikes"
        )
    count = weights.shape[1]
    cells = nest.Create("iaf_psc_exp", count, neurons)
    generators = nest.Create("spike_generator", inputs)
    for i, generator in enumerate(generators):
        generator.spike_times = times(np.flatnonzero(raster[:, i]) - 1, dt)
    _connect(generators, cells, weights, dt)
    if recurrent is not None:
        _connect(cells, cells, recurrent, delay * dt)
    recorder = nest.Create("spike_recorder")
    meter = nest.Create("multimeter", 1, {"record_from": ["V_m"], "interval": dt})
    nest.Connect(cells, recorder, syn_spec={"delay": dt})
    nest.Connect(meter, cells, syn_spec={"delay": dt})
    nest.Simulate(float(times(steps + 2, dt)))
    fired = np.zeros((steps + 2, count), dtype=bool)
    volts = np.full((steps + 2, count), np.nan)
    first = cells[0].global_id
    events = recorder.events
    fired[np.rint(events["times"] / dt).astype(int) - 1, events["senders"] - first] = True
    events = meter.events
    volts[np.rint(events["times"] / dt).astype(int) - 1, events["senders"] - first] = events["V_m"]
    return fired[:steps], volts[:steps]


def _connect(sources, targets, weights, delay):
    pre, post = np.nonzero(np.nan_to_num(weights))
    if not len(pre):
        return
    nest.Connect(
        np.array(sources.tolist())[pre],
        np.array(targets.tolist())[post],
        "one_to_one",
        {"weight": weights[pre, post], "delay": np.full(len(pre), delay)},
    )
