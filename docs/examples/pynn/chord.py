"""STDP: a cell learns which of its sources spike together.

python -m synloom.pynn docs/examples/pynn/chord.py synloom
python docs/examples/pynn/chord.py nest
"""

import numpy as np
from pyNN.utility import get_simulator

sim, options = get_simulator(
    ("--ms", "length of the run", {"type": float, "default": 20000.0}),
    ("--dendritic-delay-fraction", "part of the delay on the dendrite", {"type": float, "default": 1.0}),
)

sim.setup(timestep=1.0, min_delay=1.0, spike_precision="on_grid")
chord = np.arange(10.0, options.ms, 100.0)
together = sim.Population(10, sim.SpikeSourceArray(spike_times=chord), label="together")
alone = sim.Population(40, sim.SpikeSourcePoisson(rate=10.0), label="alone")
cell = sim.Population(1, sim.IF_curr_exp(tau_m=10.0, cm=0.5, tau_refrac=2.0, tau_syn_E=2.0), label="cell")

rule = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.01, A_minus=0.0105),
    weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=1.0),
    weight=0.5,
    delay=1.0,
    dendritic_delay_fraction=options.dendritic_delay_fraction,
)
heard = sim.Projection(together, cell, sim.AllToAllConnector(), rule, receptor_type="excitatory")
ignored = sim.Projection(alone, cell, sim.AllToAllConnector(), rule, receptor_type="excitatory")
cell.record("spikes")
sim.run(options.ms)

strong = float(np.mean(heard.get("weight", format="array")))
weak = float(np.mean(ignored.get("weight", format="array")))
print(f"{cell.mean_spike_count():.0f} spikes; weights {strong:.2f} nA together, {weak:.2f} nA alone")
sim.end()
