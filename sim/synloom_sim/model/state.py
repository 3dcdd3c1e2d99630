"""All state of an array, as NumPy arrays shared by the phases of a step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom.contract.traces import TRACES, Side
from synloom_sim.model.registers import Counters, Registers

__all__ = ["ArrayState"]


class ArrayState:
    """State of one array; all 0 after power-up, except some registers (see `Registers`).

    Attributes
    ----------
    weights : (S, N) int16
        Weights; `params.weight_absent` where there is no synapse.
    acc : (2, N) int64
        Excitatory and inhibitory synaptic input of the step.
    v, theta, refr : (N,) int64
        Potential, adaptive part of the threshold, refractory steps left.
    currents : (2, N) int64
        Excitatory and inhibitory synaptic current, both positive.
    traces : dict of str to int64 arrays
        Traces by the contract's names: (S,) of sources, (N,) of targets.
    wheel : (delay_slots, 16 * wheel_words) bool
        Spikes in transit, by slot and id.
    forced : (N,) bool
        Neurons that an event fires in the next step.
    phase : (16 * MW,) int64
        Phases of the regular generators.
    counts : (N,) int64
        Spike counts of the neurons.
    registers, counters
        The CTRL registers and the COUNTERS.
    """

    def __init__(self, params: ArrayParams):
        n, s = params.neurons, params.sources
        self.weights: npt.NDArray[np.int16] = np.zeros((s, n), dtype=np.int16)
        self.acc = np.zeros((2, n), dtype=np.int64)
        self.v = np.zeros(n, dtype=np.int64)
        self.currents = np.zeros((2, n), dtype=np.int64)
        self.theta = np.zeros(n, dtype=np.int64)
        self.refr = np.zeros(n, dtype=np.int64)
        self.traces = {
            trace.name: np.zeros(s if trace.side is Side.SOURCE else n, dtype=np.int64) for trace in TRACES
        }
        self.wheel = np.zeros((params.delay_slots, 16 * params.wheel_words), dtype=bool)
        self.forced = np.zeros(n, dtype=bool)
        self.phase = np.zeros(16 * params.input_words, dtype=np.int64)
        self.counts = np.zeros(n, dtype=np.int64)
        self.registers = Registers()
        self.counters = Counters(params)

    def fields(self, region: Region) -> dict[str, npt.NDArray[np.int64]]:
        """Return the state in a region: one array for each field of its records."""
        shown = {
            Region.NEURON_STATE: {
                "v": self.v,
                "refr": self.refr,
                "ie": self.currents[0],
                "ii": self.currents[1],
                "theta": self.theta,
            },
            Region.GEN_PHASE: {"phase": self.phase},
            Region.SPIKE_COUNTS: {"count": self.counts},
        }
        shown |= {trace.region: {"trace": self.traces[trace.name]} for trace in TRACES}
        return shown[region]
