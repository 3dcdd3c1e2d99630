"""How many clocks a step takes at least, and how many steps a second that makes."""

from __future__ import annotations

import math
from typing import Final

from synloom.contract import ArrayParams

__all__ = ["ACTIVITY", "SERIAL_CLOCKS", "step_clocks", "steps_per_second"]

ACTIVITY: Final = 0.05
"""Share of inputs and neurons that spike in a step, for all tables."""

SERIAL_CLOCKS: Final = 16
"""Clocks in which one multiplier updates a neuron (`serial_neurons`)."""


def step_clocks(params: ArrayParams, activity: float = ACTIVITY) -> float:
    """Return the bound of a step, in clocks.

    The sweep visits every neuron: ``ceil(N / neuron_lanes)`` clocks, or ``N * SERIAL_CLOCKS`` with
    `serial_neurons`. Each active source has a row pass of ``ceil(N / lanes)`` chunks and each active neuron,
    with plasticity, a column pass of ``ceil((M + N) / lanes)`` chunks; a chunk takes a clock, or two with
    `single_port`. All-to-all connections; what a pass needs to start and to drain is left out, which a step
    of the gateware's own benchmark exceeds by a few per cent.

    Parameters
    ----------
    params : ArrayParams
    activity : float
        Share of inputs and neurons that spike in each step.
    """
    if params.serial_neurons:
        sweep = params.neurons * SERIAL_CLOCKS
    else:
        sweep = math.ceil(params.neurons / params.neuron_lanes)
    sources = params.inputs + params.neurons
    chunks = activity * sources * math.ceil(params.neurons / params.lanes)
    if params.plasticity:
        chunks += activity * params.neurons * math.ceil(sources / params.lanes)
    return sweep + chunks * (2 if params.single_port else 1)


def steps_per_second(params: ArrayParams, activity: float = ACTIVITY) -> float:
    """Return how many steps a second the bound allows at the array's clock."""
    return params.clock_hz / step_clocks(params, activity)
