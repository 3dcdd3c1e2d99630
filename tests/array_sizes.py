"""Sizes of the generated arrays, on which every target must agree."""

from synloom.contract.params import ArrayParams

LANES = (1, 2, 4, 8, 16, 32)
NEURON_LANES = LANES[:-1]
BASE = ArrayParams(
    inputs=30,
    neurons=33,
    axons=21,
    lanes=16,
    neuron_lanes=1,
    accumulator_bits=15,
    delay_slots=32,
    dendritic_delays=True,
)
LARGER = ArrayParams(
    inputs=70, neurons=100, axons=40, lanes=16, neuron_lanes=1, accumulator_bits=16, delay_slots=256
)
