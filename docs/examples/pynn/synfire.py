"""A synfire chain: a volley of spikes runs through ten groups of neurons, and becomes sharper.

python -m synloom.pynn docs/examples/pynn/synfire.py synloom
python docs/examples/pynn/synfire.py nest
"""

import numpy as np
from pyNN.utility import get_simulator

sim, options = get_simulator()

GROUPS, SIZE, DELAY = 10, 20, 3.0

sim.setup(timestep=0.1, min_delay=0.1, spike_precision="on_grid")
drive = sim.RandomDistribution("normal", mu=0.1, sigma=0.03, rng=sim.NumpyRNG(seed=2))
cell = sim.IF_curr_exp(tau_m=10.0, cm=0.25, tau_refrac=2.0, tau_syn_E=2.0, i_offset=drive)
groups = [sim.Population(SIZE, cell, label=f"group {k}") for k in range(GROUPS)]
volley = np.sort(np.random.default_rng(1).normal(10.0, 1.0, SIZE)).round(1)
start = sim.Population(SIZE, sim.SpikeSourceArray(spike_times=[[t] for t in volley]), label="start")
synapse = sim.StaticSynapse(weight=0.15, delay=DELAY)
for before, after in zip([start, *groups], groups, strict=False):
    sim.Projection(before, after, sim.AllToAllConnector(), synapse)
for group in groups:
    group.record("spikes")
sim.run(80.0)

times = [np.concatenate([t.magnitude for t in g.get_data().segments[0].spiketrains]) for g in groups]
for group, found in zip(groups, times, strict=True):
    print(f"{group.label}: {len(found)} spikes at {found.mean():.1f} ms, spread {found.std():.2f} ms")
sim.end()
