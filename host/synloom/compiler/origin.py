"""What V = 0 and a bias of 0 stand for.

A bias is a whole number of units of V in each step: at dt = 0.1 ms that is coarse. What it leaves of a
constant current would hold the neuron a little off its resting potential; so V counts from there. The sum is
exact: by `u = V - V_0` a leaky neuron with a constant current is one without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from synloom.base.checks import FloatArray
from synloom.compiler.coefficients import decay_coefficients
from synloom.compiler.scales import Scale
from synloom.contract.params import ArrayParams

__all__ = ["Origin", "choose_origin"]

_MOST: Final = 1 / 32
"""The largest distance from `v_rest` to V = 0, as a part of the range of V."""


@dataclass(frozen=True, eq=False)
class Origin:
    """The origins of one population.

    Parameters
    ----------
    v : (n,) float64
        Potential at V = 0, mV.
    current : (n,) float64
        Constant current at a bias of 0, nA: what holds a neuron at V = 0.
    """

    v: FloatArray
    current: FloatArray


def choose_origin(cell: dict[str, FloatArray], scale: Scale, params: ArrayParams, dt: float) -> Origin:
    """Choose the origins with which constant currents hold the neurons of a population where they should.

    Without a leak, or where the distance would be above 1/32 of the range of V, a part of the error stays.
    """
    wanted = cell["i_offset"]
    leaks = decay_coefficients(cell["tau_m"], dt).part > 0.0
    # What 1 nA does to the potential in the long run, mV.
    resistance = np.where(leaks, cell["tau_m"], 1.0) / cell["cm"]
    most = _MOST * params.state_max * scale.v_lsb / resistance
    bias = np.rint(wanted / scale.offset_lsb)
    rest = np.where(leaks, np.clip(wanted - bias * scale.offset_lsb, -most, most), 0.0)
    return Origin(cell["v_rest"] + rest * resistance, rest)
