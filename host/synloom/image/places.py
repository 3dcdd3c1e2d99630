"""Places and scales of a network's populations and projections in an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synloom.base.checks import FloatArray, IntArray

__all__ = ["InputInfo", "PopulationInfo", "ProjectionInfo"]


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


class _Info:
    """Conversion to plain values."""

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain values for JSON."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}

    __dataclass_fields__: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationInfo(_Info):
    """Place and scales of a population of neurons.

    Parameters
    ----------
    label : str
        Label.
    n, first, source : int
        Number of neurons; index and source id of the first one.
    v_zero, v_lsb : (n,) float64
        Potential at V = 0, and one LSB of V, mV.
    i_lsb_exc, i_lsb_inh : (n,) float64
        One LSB of the excitatory and of the inhibitory current, nA (of delta synapses: mV).
    offset_zero, offset_lsb : (n,) float64
        Constant current at a bias of 0, and one LSB of the bias, nA.
    gain_exc, gain_inh : int
        Left shifts of the accumulators, g_e and g_i.
    delay : (n,) int64
        Steps until the spikes of its own row arrive; those of its axons come later.
    """

    label: str
    n: int
    first: int
    source: int
    v_zero: FloatArray
    v_lsb: FloatArray
    i_lsb_exc: FloatArray
    i_lsb_inh: FloatArray
    offset_zero: FloatArray
    offset_lsb: FloatArray
    gain_exc: int
    gain_inh: int
    delay: IntArray

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PopulationInfo:
        """Make a PopulationInfo from the values of `to_dict`."""
        floats = ("v_zero", "v_lsb", "i_lsb_exc", "i_lsb_inh", "offset_zero", "offset_lsb")
        made = {k: np.array(values[k], dtype=np.float64) for k in floats}
        return cls(**{**values, **made, "delay": np.array(values["delay"], dtype=np.int64)})


@dataclass(frozen=True, kw_only=True, eq=False)
class InputInfo(_Info):
    """Place of an input population.

    Parameters
    ----------
    label : str
        Label.
    n, source : int
        Number of channels; source id of the first one.
    generator : str or None
        ``"poisson"`` or ``"regular"``; None if the host sends the spikes.
    delay : (n,) int64
        Steps until the spikes of its own row arrive; those of its axons come later.
    """

    label: str
    n: int
    source: int
    generator: str | None
    delay: IntArray

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> InputInfo:
        """Make an InputInfo from the values of `to_dict`."""
        return cls(**{**values, "delay": np.array(values["delay"], dtype=np.int64)})


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectionInfo(_Info):
    """Place and scale of a projection.

    Parameters
    ----------
    label : str
        Label.
    pre, post : str
        Labels of the source and the target population.
    shift : int
        Left shift of the weights.
    plastic : bool
        Whether a learning rule changes the weights.
    first, count : int
        Its part of the image's `synapses`.
    """

    label: str
    pre: str
    post: str
    shift: int
    plastic: bool
    first: int
    count: int

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ProjectionInfo:
        """Make a ProjectionInfo from the values of `to_dict`."""
        return cls(**values)
