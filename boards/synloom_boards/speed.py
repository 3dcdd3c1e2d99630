"""How fast an array can be: the fewest clocks of a step, and the most steps per second."""

from __future__ import annotations

import math
from typing import Final

from synloom.contract import ArrayParams

__all__ = ["ACTIVITY", "step_clocks", "steps_per_second"]

ACTIVITY: Final = 0.05
"""Share of inputs and neurons that spike in a step, in all tables."""


def step_clocks(params: ArrayParams, activity: float = ACTIVITY) -> float:
    """Return the fewest clocks of a step.

    The sweep over all neurons takes `params.sweep_clocks`. Each active source has a row pass of
    ``ceil(N / lanes)`` chunks; with plasticity, each active neuron has a column pass of
    ``ceil((M + N) / lanes)`` chunks. A chunk takes `params.chunk_clocks`. Connections are all-to-all. The
    clocks that passes need to start and to drain do not count, so the gateware takes some per cent more.

    Parameters
    ----------
    params : ArrayParams
    activity : float
        Share of inputs and neurons that spike in each step.
    """
    sources = params.inputs + params.neurons
    chunks = activity * sources * math.ceil(params.neurons / params.lanes)
    if params.plasticity:
        chunks += activity * params.neurons * math.ceil(sources / params.lanes)
    return params.sweep_clocks + params.chunk_clocks * chunks


def steps_per_second(params: ArrayParams, activity: float = ACTIVITY) -> float:
    """Return the most steps per second at the array's clock."""
    return params.clock_hz / step_clocks(params, activity)
