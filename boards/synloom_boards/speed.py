"""How fast an array can be: the fewest clocks of a step, and the most steps per second."""

from __future__ import annotations

import math
from typing import Final

from synloom.contract import ArrayParams
from synloom.contract.line_load import BITS_PER_BYTE, line_bytes, raster_words
from synloom.contract.params import CLOCKS_PER_BIT
from synloom.contract.step_bound import step_bound

__all__ = ["ACTIVITY", "line_steps_per_second", "step_clocks", "steps_per_second"]

ACTIVITY: Final = 0.05
"""Share of inputs and neurons that spike in a step, in all tables."""


def step_clocks(params: ArrayParams, activity: float = ACTIVITY) -> float:
    """Return the fewest clocks of a step of an all-to-all network, in which all synapses learn if they can.

    `synloom.contract.step_bound` says what a step pays.

    Parameters
    ----------
    params : ArrayParams
    activity : float
        Share of inputs and neurons that spike in each step.
    """
    inputs, neurons = activity * params.inputs, activity * params.neurons
    return step_bound(params, inputs, neurons, learning=params.plasticity).clocks


def steps_per_second(params: ArrayParams, activity: float = ACTIVITY) -> float:
    """Return the most steps per second at the array's clock."""
    return params.clock_hz / step_clocks(params, activity)


def line_steps_per_second(
    params: ArrayParams, activity: float = ACTIVITY, *, most_baud: int | None = None
) -> float:
    """Return the most steps per second that the line carries with the raster on; `inf` if nothing is sent.

    Parameters
    ----------
    params : ArrayParams
    activity : float
        Share of neurons that fire in each step.
    most_baud : int, optional
        The highest rate of the USB bridge, for a line that is as quick as bridge and array allow; by default
        it is as after power-up.
    """
    carried = line_bytes(raster_words(params, activity))
    baud = params.baud if most_baud is None else min(most_baud, params.clock_hz / CLOCKS_PER_BIT)
    return baud / BITS_PER_BYTE / carried if carried else math.inf
