"""A balanced network after Brunel (2000): 100 excitatory and 25 inhibitory neurons fire irregularly.

python -m synloom.pynn docs/examples/pynn/brunel.py synloom
python docs/examples/pynn/brunel.py nest
"""

import numpy as np
from pyNN.utility import get_simulator

sim, options = get_simulator(("--ms", "length of the run", {"type": float, "default": 1000.0}))

N_EXC, N_INH, N_IN = 100, 25, 100
J = 0.25  # nA
G = 8.0  # inhibition is so many times stronger
DELAY = 1.5  # ms

sim.setup(timestep=0.1, min_delay=0.1, spike_precision="on_grid")
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
sim.run(options.ms)

trains = [train.magnitude for train in cells.get_data().segments[0].spiketrains]
intervals = [np.diff(train) for train in trains if len(train) > 5]
rate = sum(map(len, trains)) / len(trains) / options.ms * 1000.0
cv = float(np.mean([i.std() / i.mean() for i in intervals]))
print(f"{options.simulator}: {rate:.1f} Hz, coefficient of variation of intervals {cv:.2f}")
sim.end()
