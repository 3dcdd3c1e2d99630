"""The network of Vogels and Abbott (2005) with currents, at a tenth of its size: it keeps itself active.

Each neuron has 64 excitatory and 16 inhibitory inputs on average, as in the benchmark of Brette et al.
(2007); with 400 neurons instead of 4,000 a pair is joined with probability 0.2 instead of 0.02.

python -m synloom.pynn docs/examples/pynn/vogels_abbott.py synloom
python docs/examples/pynn/vogels_abbott.py nest
"""

import numpy as np
from pyNN.utility import get_simulator

sim, options = get_simulator(("--ms", "length of the run", {"type": float, "default": 1000.0}))

N_EXC, N_INH, CHANCE, DELAY = 320, 80, 0.2, 0.2
W_EXC, W_INH = 0.0162, -0.09  # nA: 0.27 and 4.5 nS, 60 and -20 mV away from -60 mV

sim.setup(timestep=0.1, min_delay=0.1, spike_precision="on_grid")
rng = sim.NumpyRNG(seed=98)
cell = sim.IF_curr_exp(tau_m=20.0, cm=0.2, v_rest=-49.0, v_reset=-60.0, v_thresh=-50.0, tau_refrac=5.0,
                       tau_syn_E=5.0, tau_syn_I=10.0)  # fmt: skip
cells = sim.Population(N_EXC + N_INH, cell, label="cells")
cells.initialize(v=sim.RandomDistribution("uniform", low=-60.0, high=-50.0, rng=rng))
exc, inh = cells[:N_EXC], cells[N_EXC:]
some = sim.FixedProbabilityConnector(CHANCE, rng=rng)
sim.Projection(exc, cells, some, sim.StaticSynapse(weight=W_EXC, delay=DELAY), receptor_type="excitatory")
sim.Projection(inh, cells, some, sim.StaticSynapse(weight=W_INH, delay=DELAY), receptor_type="inhibitory")
cells.record("spikes")
exc[:2].record("v")
sim.run(options.ms)

# The first 100 ms show how it was started.
trains = [train.magnitude for train in cells.get_data("spikes").segments[0].spiketrains]
trains = [train[train > 100.0] for train in trains]
counts = np.array([len(train) for train in trains])
rates = [counts[part].mean() / (options.ms - 100.0) * 1000.0 for part in (slice(N_EXC), slice(N_EXC, None))]
intervals = [np.diff(train) for train in trains if len(train) > 5]
cv = float(np.mean([i.std() / i.mean() for i in intervals]))
print(f"{options.simulator}: excitatory {rates[0]:.1f} Hz, inhibitory {rates[1]:.1f} Hz, "
      f"coefficient of variation of intervals {cv:.2f}")  # fmt: skip
sim.end()
