"""Values that are set while a network runs: a warning where the array changes them."""

from __future__ import annotations

import numpy as np

from synloom.base.checks import FloatArray
from synloom.base.warning import warn
from synloom.image.report import MOST_CHANGE

__all__ = ["warn_of_change"]

_NOTHING = 1e-3


def warn_of_change(what: str, wanted: FloatArray, got: FloatArray, unit: str, hint: str) -> None:
    """Warn if values become 0 or change by more than 2 %.

    Errors below a thousandth of the largest value are nothing: the dark pixels of a picture.

    Parameters
    ----------
    what, unit, hint : str
        What the values are, their unit, and what to try.
    wanted, got : (n,) float64
        Values asked for, and values in the array.
    """
    known = wanted != 0.0
    error = np.abs(got - wanted)
    change = error / np.where(known, np.abs(wanted), 1.0)
    changed = known & (change > MOST_CHANGE) & (error > _NOTHING * np.abs(wanted).max(initial=0.0))
    if changed.any():
        k = int(np.argmax(np.where(changed, change, 0.0)))
        warn(
            f"{int(changed.sum())} of {len(wanted)} {what} are changed by more than 2 %: {wanted[k]:.4g} "
            f"{unit} becomes {got[k]:.4g} {unit}; {hint}"
        )
