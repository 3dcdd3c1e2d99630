"""STDP in PyNN: a cell learns which of its sources spike together.

python docs/examples/pynn_stdp.py
"""

import numpy as np

import synloom.pynn as sim

SECONDS = 20.0

sim.setup(timestep=1.0, rng_seed=1)
chord = np.arange(10.0, 1000.0 * SECONDS, 100.0)
together = sim.Population(10, sim.SpikeSourceArray(spike_times=chord), label="together")
alone = sim.Population(40, sim.SpikeSourcePoisson(rate=10.0), label="alone")
cell = sim.Population(1, sim.IF_curr_exp(tau_m=10.0, cm=0.5, tau_refrac=2.0, tau_syn_E=2.0), label="cell")

rule = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.01, A_minus=0.0105),
    weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0),
    weight=0.5,
    delay=1.0,
    dendritic_delay_fraction=1.0,
)
heard = sim.Projection(together, cell, sim.AllToAllConnector(), rule)
ignored = sim.Projection(alone, cell, sim.AllToAllConnector(), rule)
cell.record("spikes")
sim.run(1000.0 * SECONDS)

strong = heard.get("weight", format="array").mean()
weak = ignored.get("weight", format="array").mean()
print(f"{cell.mean_spike_count():.0f} spikes; weights {strong:.2f} nA together, {weak:.2f} nA alone")
sim.end()
