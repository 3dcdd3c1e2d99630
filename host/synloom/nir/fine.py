"""Weights of 14 or 16 bits: each synapse as a coarse one and a fine one, in two or more rows of the array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import scipy.sparse

from synloom.base.checks import FloatArray

__all__ = ["WEIGHT_BITS", "split_fine"]

WEIGHT_BITS: Final = (8, 14, 16)
"""Bits of weights that an import can give."""

_LEVELS: Final = 127
_STEPS: Final = 128
"""Fine units in a coarse one: projections of one population may differ by ``2**7`` (docs/sdk.md)."""


def split_fine(matrices: Sequence[Any], kick: FloatArray, bits: int) -> list[list[Any]]:
    """Split the weights onto one population into coarse parts and a fine one that the array holds exactly.

    The unit of all fine parts is 1/16256 of the largest weight with 14 bits, and 1/65024 with 16. That of the
    coarse parts is a power of two of it, at most 128. With 16 bits the largest weights take up to four coarse
    parts.

    Parameters
    ----------
    matrices : sequence of (n, n_source) sparse matrices
        Weights of the projections onto the population.
    kick : (n,) float64
        What a weight of 1 does to each neuron's potential, mV.
    bits : int
        14 or 16.

    Returns
    -------
    list of lists of (n, n_source) sparse matrices
        Parts of each matrix, the coarse ones first; an entry may be 0.
    """
    scale = scipy.sparse.diags_array(np.where(kick == 0.0, 1.0, kick))
    back = scipy.sparse.diags_array(1.0 / np.where(kick == 0.0, 1.0, kick))
    effects = [scipy.sparse.csr_array(scale @ matrix) for matrix in matrices]
    most = 1 << (bits - 14)
    tops = [float(np.abs(effect.data).max(initial=0.0)) for effect in effects]
    fine_unit = max(tops, default=0.0) / _LEVELS / _STEPS / most
    parts = []
    for effect, top in zip(effects, tops, strict=True):
        unit = fine_unit
        while top > _LEVELS * unit * (1.0 + 1e-9) and unit < _STEPS * fine_unit:
            unit *= 2.0
        rest, mine = effect.copy(), []
        while top and np.abs(rest.data).max(initial=0.0) > 0.51 * unit:
            part = rest.copy()
            part.data = np.clip(np.rint(rest.data / unit), -_LEVELS, _LEVELS) * unit
            rest.data = rest.data - part.data
            mine.append(scipy.sparse.csr_array(back @ part))
        if top:
            rest.data = np.rint(rest.data / fine_unit) * fine_unit
            mine.append(scipy.sparse.csr_array(back @ rest))
        parts.append(mine)
    return parts
