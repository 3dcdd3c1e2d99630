"""A balanced network in PyNN, after Brunel (2000): 100 excitatory and 25 inhibitory neurons.

    python docs/examples/pynn_balanced.py

Change the import to ``pyNN.nest``, and the same script runs on NEST.
"""

import numpy as np

import synloom.pynn as sim

N_EXC, N_INH, N_IN = 100, 25, 100
J = 0.25  # nA
G = 8.0  # inhibition is so many times stronger
DELAY = 1.5  # ms

sim.setup(timestep=0.1, min_delay=0.1)
rng = sim.NumpyRNG(seed=1)
cell = sim.IF_curr_exp(tau_m=20.0, cm=0.25, v_rest=-65.0, v_reset=-60.0, v_thresh=-50.0, tau_refrac=2.0,
                       tau_syn_E=2.0, tau_syn_I=2.0)  # fmt: skip
cells = sim.Population(N_EXC + N_INH, cell, label="cells")
cells.initialize(v=sim.RandomDistribution("uniform", low=-65.0, high=-50.0, rng=rng))
exc, inh = cells[:N_EXC], cells[N_EXC:]
noise = sim.Population(N_IN, sim.SpikeSourcePoisson(rate=30.0), label="noise")

some = sim.FixedProbabilityConnector(0.1, rng=rng)
sim.Projection(noise, cells, some, sim.StaticSynapse(weight=J, delay=DELAY), receptor_type="excitatory")
sim.Projection(exc, cells, some, sim.StaticSynapse(weight=J, delay=DELAY), receptor_type="excitatory")
sim.Projection(inh, cells, some, sim.StaticSynapse(weight=-G * J, delay=DELAY), receptor_type="inhibitory")

cells.record("spikes")
exc[:2].record("v")
sim.run(500.0)

data = cells.get_data().segments[0]
intervals = [np.diff(train.magnitude) for train in data.spiketrains if len(train) > 5]
rate = cells.mean_spike_count() / 0.5
cv = float(np.mean([i.std() / i.mean() for i in intervals]))
print(f"rate {rate:.1f} Hz, coefficient of variation of intervals {cv:.2f}")
sim.end()
