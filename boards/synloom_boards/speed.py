"""How many clocks a step takes at least, and how many steps a second that makes."""

from __future__ import annotations

import math
from typing import Final

from synloom.contract import ArrayParams

__all__ = ["ACTIVITY", "step_clocks", "steps_per_second"]

ACTIVITY: Final = 0.05
"""Share of inputs and neurons that spike in a step, for all tables."""


def step_clocks(params: ArrayParams, activity: float = ACTIVITY) -> float:
    """Return the bound of a step, in clocks.

    The sweep visits every neuron, in `params.sweep_clocks`. Each active source has a row pass of
    ``ceil(N / lanes)`` chunks and each active neuron, with plasticity, a column pass of
    ``ceil((M + N) / lanes)`` chunks of `params.chunk_clocks` each. All sources reach all targets; what passes
    need to start and to drain is left out, by which the gateware exceeds the bound by some per cent.

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
    """Return how many steps a second the bound allows at the array's clock."""
    return params.clock_hz / step_clocks(params, activity)
