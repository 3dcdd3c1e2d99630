"""What an image remembers of its network: names, places and scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synloom.base.checks import FloatArray, IntArray

__all__ = ["InputInfo", "PopulationInfo", "ProjectionInfo"]


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


class _Info:
    """Conversion to and from plain values."""

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as plain values for JSON."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}

    __dataclass_fields__: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationInfo(_Info):
    """A population of neurons in the array.

    Parameters
    ----------
    label : str
        Name.
    n, first, source : int
        Neurons, index of the first, source id of the first.
    v_rest, v_lsb : (n,) float64
        mV at V = 0, and of one bit.
    i_lsb_exc, i_lsb_inh, offset_lsb : (n,) float64
        nA of one bit of the currents and of the bias (currents of delta synapses: mV).
    gain_exc, gain_inh : int
        Left shift of the accumulators.
    delay : (n,) int64
        Axonal delay in steps.
    """

    label: str
    n: int
    first: int
    source: int
    v_rest: FloatArray
    v_lsb: FloatArray
    i_lsb_exc: FloatArray
    i_lsb_inh: FloatArray
    offset_lsb: FloatArray
    gain_exc: int
    gain_inh: int
    delay: IntArray

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PopulationInfo:
        """Make it from plain values."""
        floats = ("v_rest", "v_lsb", "i_lsb_exc", "i_lsb_inh", "offset_lsb")
        made = {k: np.array(values[k], dtype=np.float64) for k in floats}
        return cls(**{**values, **made, "delay": np.array(values["delay"], dtype=np.int64)})


@dataclass(frozen=True, kw_only=True, eq=False)
class InputInfo(_Info):
    """An input population in the array: its first source id, its generator, its delay in steps (n,)."""

    label: str
    n: int
    source: int
    generator: str | None
    delay: IntArray

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> InputInfo:
        """Make it from plain values."""
        return cls(**{**values, "delay": np.array(values["delay"], dtype=np.int64)})


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectionInfo(_Info):
    """A projection in the array: labels of its ends, weight shift, whether it learns."""

    label: str
    pre: str
    post: str
    shift: int
    plastic: bool

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ProjectionInfo:
        """Make it from plain values."""
        return cls(**values)
