"""Physical quantities as parameters: kind, unit, range and meaning, declared beside the default."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from synloom.base.checks import HUGE, FloatArray, reals

__all__ = ["Dimension", "Quantity", "quantities_of", "quantity"]

_KEY: Final = "quantity"


class Dimension(Enum):
    """What a number measures."""

    TIME_CONSTANT = auto()
    DURATION = auto()
    CAPACITANCE = auto()
    POTENTIAL = auto()
    """An absolute potential."""
    VOLTAGE = auto()
    """A difference of potentials."""
    CURRENT = auto()

    @property
    def unit(self) -> str:
        """The unit in which numbers are given."""
        return _UNITS[self]


_UNITS: Final = {
    Dimension.TIME_CONSTANT: "ms",
    Dimension.DURATION: "ms",
    Dimension.CAPACITANCE: "nF",
    Dimension.POTENTIAL: "mV",
    Dimension.VOLTAGE: "mV",
    Dimension.CURRENT: "nA",
}


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One parameter that is a number, or a number for each neuron.

    Parameters
    ----------
    dimension : Dimension
        What it measures.
    doc : str
        Its meaning, in a few words.
    low : float
        Smallest value.
    above : bool
        Exclude `low` itself.
    infinite : tuple of float
        Infinities that are allowed, too.
    example : float
        A usual value that is not the default.
    """

    dimension: Dimension
    doc: str
    low: float = -HUGE
    above: bool = False
    infinite: tuple[float, ...] = ()
    example: float

    def check(self, name: str, value: Any) -> FloatArray:
        """Return `value` as float64 of 0 or 1 dimensions, or raise ParameterError."""
        low = 1.0 / HUGE if self.above else self.low
        low, high = min((low, *self.infinite)), max((HUGE, *self.infinite))
        return reals(name, value, low=low, high=high, infinite=True)


def quantity(dimension: Dimension, doc: str, **more: Any) -> Mapping[str, Quantity]:
    """Return the metadata that makes a dataclass's field a `Quantity`; keywords are those of the class."""
    return {_KEY: Quantity(dimension=dimension, doc=doc, **more)}


def quantities_of(owner: Any) -> Mapping[str, Quantity]:
    """Return the quantities among a dataclass's fields by name, in order."""
    fields = dataclasses.fields(owner)
    return {field.name: field.metadata[_KEY] for field in fields if _KEY in field.metadata}
