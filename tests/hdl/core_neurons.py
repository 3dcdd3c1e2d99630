"""Random neurons, and the model that updates them."""

import numpy as np

from synloom.contract import ArrayParams
from synloom.contract.layout import neuron_params_layout, neuron_state_layout
from synloom.contract.regions import NEURON_PARAMS_STRIDE
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
        self.parameters = {f.name: self._random(f) for f in neuron_params_layout(params).fields.values()}
        # Thresholds that are sometimes reached, besides those that are not.
        some = self.rng.random(params.neurons) < 0.7
        self.parameters["thr"] = np.where(some, self.parameters["thr"] >> 3, self.parameters["thr"])
        self.parameters["refractory"] >>= self.rng.integers(0, 9, params.neurons)
        start = {f.name: self._random(f) for f in neuron_state_layout(params).fields.values()}
        top = params.state_max
        self.state.v[:] = np.clip(start["v"], -top, top)
        self.state.refr[:] = start["refr"] * (self.rng.random(params.neurons) < 0.2)
        self.state.currents[:] = start["ie"], start["ii"]
        self.state.theta[:] = start.get("theta", 0)

    def _random(self, field):
        """Return a field of all neurons: its corners as often as anything between."""
        n, rng = self.params.neurons, self.rng
        small = rng.integers(max(field.low, -40), min(field.high, 40) + 1, n)
        between = rng.integers(field.low, field.high + 1, n)
        corners = rng.choice([field.low, field.high, 0, field.high // 2], n)
        return np.choose(rng.integers(0, 4, n), [small, between, between >> 4, corners])

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

    def sweep(self, count, adapt):
        """Update neurons 0..count-1; return who fired and how many values were clipped."""
        before = self.state.counters["state_saturations"]
        layout = neuron_params_layout(self.params)
        words = np.zeros((self.params.neurons, NEURON_PARAMS_STRIDE), np.uint16)
        words[:, : layout.words] = self.words(layout, self.parameters)
        fired = sweep(self.state, NeuronTable(self.params, words.ravel(), count), adapt)
        return fired.tolist(), self.state.counters["state_saturations"] - before
