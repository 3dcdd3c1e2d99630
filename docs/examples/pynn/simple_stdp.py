"""The STDP curve: sources spike at fixed times before and after a target that a teacher makes fire.

Several sources have each difference, since weights of 8 bits round at random and their mean does not.

python -m synloom.pynn docs/examples/pynn/simple_stdp.py synloom
python docs/examples/pynn/simple_stdp.py nest
"""

import numpy as np
from pyNN.utility import get_simulator

sim, options = get_simulator()

PERIOD, PAIRS, COPIES, DELAY = 100.0, 10, 10, 3.0
TAU_PLUS, TAU_MINUS, A_PLUS, A_MINUS = 20.0, 15.0, 0.01, 0.012
W_MAX, STRONG = 0.05, 6.0  # nA: the sources alone move the target by a few mV

sim.setup(timestep=1.0, min_delay=1.0, spike_precision="on_grid")
differences = np.arange(-30, 31)  # ms, from the source's spike to the target's, at the synapse
fires = PERIOD * np.arange(1, PAIRS + 1)
cell = sim.IF_curr_exp(tau_m=2.5, cm=0.1, tau_syn_E=1.0, tau_refrac=50.0)
target = sim.Population(1, cell, label="target", initial_values={"v": -65.0})
teacher = sim.Population(1, sim.SpikeSourceArray(spike_times=fires - 3.0), label="teacher")
# The target's spikes come to the synapse after the delay, which is that of its dendrite.
# A last spike, of one source after the other, makes NEST's synapses take account of the target's spikes.
last = fires[-1] + PERIOD + np.arange(len(differences) * COPIES)
trains = [[*(fires + DELAY - d), end] for d, end in zip(np.repeat(differences, COPIES), last, strict=True)]
sources = sim.Population(len(trains), sim.SpikeSourceArray(spike_times=trains), label="sources")

drive = sim.StaticSynapse(weight=STRONG, delay=2.0)
sim.Projection(teacher, target, sim.AllToAllConnector(), drive, receptor_type="excitatory")
rule = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(
        tau_plus=TAU_PLUS, tau_minus=TAU_MINUS, A_plus=A_PLUS, A_minus=A_MINUS
    ),
    weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=W_MAX),
    weight=W_MAX / 2,
    delay=DELAY,
    dendritic_delay_fraction=1.0,
)
learning = sim.Projection(sources, target, sim.AllToAllConnector(), rule, receptor_type="excitatory")
target.record("spikes")
sim.run(last[-1] + 10.0)

fired = np.array(target.get_data().segments[0].spiketrains[0].magnitude)
weights = np.array(learning.get("weight", format="array")).reshape(len(differences), COPIES)
change = weights.mean(axis=1) / W_MAX - 0.5
for d, c in list(zip(differences, change, strict=True))[::6]:
    print(f"{d:4d} ms: {c:+.3f} w_max")
sim.end()
