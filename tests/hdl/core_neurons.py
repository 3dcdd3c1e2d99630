"""Random neurons, and the model that updates them."""

import numpy as np
from naive_array import dither

from synloom.contract import ArrayParams
from synloom.contract.memory_map import layout_of, memory_of
from synloom.contract.regions import Region
from synloom.selftest.random_fields import random_fields
from synloom_sim.model.state import ArrayState
from synloom_sim.model.sweep import NeuronTable, sweep


class NeuronTwin:
    """Fields of all neurons of an array, and their sweep.

    Attributes
    ----------
    parameters, fields : dict of lists
        NEURON_PARAMS, and NEURON_STATE after the last sweep.
    """

    def __init__(self, params: ArrayParams, seed: int):
        self.params = params
        self.rng = np.random.default_rng(seed)
        self.state = ArrayState(params)
        self.state.registers.now = int(self.rng.integers(0, 1 << 32))
        self.parameters = random_fields(layout_of(params, Region.NEURON_PARAMS), params.neurons, self.rng)
        # Thresholds that are sometimes reached, besides those that are not.
        some = self.rng.random(params.neurons) < 0.7
        self.parameters["thr"] = np.where(some, self.parameters["thr"] >> 3, self.parameters["thr"])
        self.parameters["refractory"] >>= self.rng.integers(0, 9, params.neurons)
        start = random_fields(layout_of(params, Region.NEURON_STATE), params.neurons, self.rng)
        top = params.state_max
        self.state.v[:] = np.clip(start["v"], -top, top)
        self.state.refr[:] = start["refr"] * (self.rng.random(params.neurons) < 0.2)
        self.state.currents[:] = start["ie"], start["ii"]
        self.state.theta[:] = start.get("theta", 0)

    def draw_sums(self):
        """Give every neuron new synaptic input; returns (2, N)."""
        n, rng, top = self.params.neurons, self.rng, self.params.accumulator_max
        anything = rng.integers(0, top + 1, (2, n))
        sums = np.choose(rng.integers(0, 4, (2, n)), [0, anything, anything >> 6, top])
        self.state.acc[:] = sums
        return sums

    @property
    def fields(self):
        state = self.state
        values = {"v": state.v, "refr": state.refr, "ie": state.currents[0], "ii": state.currents[1]}
        if self.params.adaptation:
            values["theta"] = state.theta
        return {name: [int(value) for value in column] for name, column in values.items()}

    def words(self, layout, values):
        return layout.pack({name: values[name] for name in layout.fields})

    def dither(self, n=0):
        """Return the dither of neuron n, with `now` as it is."""
        return dither(self.state.registers.now, n)

    def sweep(self, count, adapt):
        """Update neurons 0..count-1; return who fired and how many values were clipped."""
        before = self.state.counters["state_saturations"]
        words = memory_of(self.params, Region.NEURON_PARAMS).pack(self.parameters)
        fired = sweep(self.state, NeuronTable(self.params, words, count), adapt)
        return fired.tolist(), self.state.counters["state_saturations"] - before
