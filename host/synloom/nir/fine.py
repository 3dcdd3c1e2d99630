"""Weights of 14 bits: each synapse as a coarse one and a fine one, in two rows of the array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import scipy.sparse

from synloom.base.checks import FloatArray

__all__ = ["split_fine"]

_LEVELS: Final = 127
_STEPS: Final = 128
"""Fine units in a coarse one: projections of one population may differ by ``2**7`` (docs/sdk.md)."""


def split_fine(matrices: Sequence[Any], kick: FloatArray) -> list[tuple[Any, Any]]:
    """Split the weights onto one population into coarse and fine parts that the array holds exactly.

    The unit of all fine parts is 1/16256 of the largest weight; that of the coarse parts is a power of two of
    it, for each matrix the smallest with which its largest weight has 127 units.

    Parameters
    ----------
    matrices : sequence of (n, n_source) sparse matrices
        Weights of the projections onto the population.
    kick : (n,) float64
        What a weight of 1 does to each neuron's potential, mV.

    Returns
    -------
    list of (coarse, fine)
        Two sparse matrices each; an entry may be 0.
    """
    scale = scipy.sparse.diags_array(np.where(kick == 0.0, 1.0, kick))
    back = scipy.sparse.diags_array(1.0 / np.where(kick == 0.0, 1.0, kick))
    effects = [scipy.sparse.csr_array(scale @ matrix) for matrix in matrices]
    tops = [float(np.abs(effect.data).max(initial=0.0)) for effect in effects]
    fine_unit = max(tops, default=0.0) / _LEVELS / _STEPS
    parts = []
    for effect, top in zip(effects, tops, strict=True):
        if not top:
            parts.append((effect, effect))
            continue
        power = int(np.ceil(np.log2(top / _LEVELS / fine_unit) - 1e-9))
        unit = fine_unit * 2.0 ** max(power, 0)
        coarse, fine = effect.copy(), effect.copy()
        coarse.data = np.rint(effect.data / unit) * unit
        fine.data = np.rint((effect.data - coarse.data) / fine_unit) * fine_unit
        parts.append((scipy.sparse.csr_array(back @ coarse), scipy.sparse.csr_array(back @ fine)))
    return parts
