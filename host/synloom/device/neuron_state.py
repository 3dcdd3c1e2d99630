"""Neuron state and probes: conversion from the array's words to SI units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import CapacityError, ParameterError
from synloom.base.wording import shown
from synloom.contract.array_port import Port
from synloom.contract.layout import Field
from synloom.contract.memory_map import memory_of
from synloom.contract.params import MOST_PROBES, ArrayParams
from synloom.contract.regions import Region
from synloom.contract.traces import TRACES, Side
from synloom.image.image import Image
from synloom.image.places import InputInfo, PopulationInfo

__all__ = ["PROBE_VARIABLES", "Probe", "make_probes", "read_population", "require_probes", "write_probes"]

_FIELDS: Final = {"v": "v", "isyn_exc": "ie", "isyn_inh": "ii", "theta": "theta"}
_TRACES: Final = {trace.variable: trace for trace in TRACES}
PROBE_VARIABLES: Final = (*_FIELDS, *_TRACES)


@dataclass(frozen=True, eq=False)
class Probe:
    """One recorded state value: its address, its bits and its scale.

    Parameters
    ----------
    label, variable : str
        Label of the population, and variable.
    index : int
        Neuron or channel within the population.
    region, offset : int
        Address of the value.
    wide : bool
        Whether the value takes two words.
    field : Field
        Bits of the value, counted from the first of these words.
    lsb, zero : float
        SI value of one LSB, and of 0.
    """

    label: str
    variable: str
    index: int
    region: Region
    offset: int
    wide: bool
    field: Field
    lsb: float
    zero: float

    def decode(self, raw: npt.NDArray[np.uint32]) -> FloatArray:
        """Return the SI values, (T,) float64, of raw samples, (T,) uint32."""
        return self.field.decode(raw).astype(np.float64) * self.lsb + self.zero


def require_probes(wanted: int, params: ArrayParams) -> None:
    """Raise an error if an array has fewer probes than wanted.

    Raises
    ------
    CapacityError
        If it has fewer; the message says how many.
    """
    if wanted > params.probes:
        raise CapacityError(
            f"{wanted} probes are wanted, the array has {params.probes}; record fewer neurons with indices="
            + (
                f", or compile for params.replace(probes={wanted})"
                if wanted <= MOST_PROBES
                else f" ({MOST_PROBES} at most)"
            )
        )


def make_probes(image: Image, label: str, variable: str, indices: IntArray) -> list[Probe]:
    """Return the probes of some neurons, or of some input channels for ``"trace"``.

    Parameters
    ----------
    image : Image
        The loaded image.
    label, variable : str
        Label of the population, and variable.
    indices : (k,) int64
        Neurons or channels within the population.

    Raises
    ------
    CapacityError
        If the variable is ``"theta"`` and the array has no adaptation.
    ParameterError
        If the population has no such variable.
    """
    info = image.populations.get(label) or image.inputs.get(label)
    assert info is not None
    if variable not in PROBE_VARIABLES or (isinstance(info, InputInfo) and variable != "trace"):
        allowed = ("trace",) if isinstance(info, InputInfo) else ("spikes", *PROBE_VARIABLES)
        raise ParameterError(f"{label!r} has no variable {shown(variable)}; it has {', '.join(allowed)}")
    if variable == "theta" and not image.params.adaptation:
        raise CapacityError(
            "theta needs an array with the feature 'adaptation'; compile for params.replace(adaptation=True)"
        )
    return [_probe(image, info, variable, k) for k in indices.tolist()]


def _probe(image: Image, info: PopulationInfo | InputInfo, variable: str, index: int) -> Probe:
    params = image.params
    if variable in _TRACES:
        trace = _TRACES[variable]
        memory, name = memory_of(params, trace.region), "trace"
        lsb = 1.0 / image.registers[trace.increment]
        first = info.source
        if trace.side is Side.TARGET:
            assert isinstance(info, PopulationInfo)
            first = info.first
    else:
        assert isinstance(info, PopulationInfo)
        memory, name = memory_of(params, Region.NEURON_STATE), _FIELDS[variable]
        lsb, first = float(_lsb(info, variable)[index]), info.first
    field = memory.layout[name]
    return Probe(
        label=info.label,
        variable=variable,
        index=index,
        region=memory.region,
        offset=memory.offset(first + index, field=name),
        wide=len(field.words) > 1,
        field=field,
        lsb=lsb,
        zero=float(info.v_zero[index]) if isinstance(info, PopulationInfo) and variable == "v" else 0.0,
    )


def _lsb(info: PopulationInfo, variable: str) -> FloatArray:
    if variable == "isyn_exc":
        return info.i_lsb_exc
    return info.i_lsb_inh if variable == "isyn_inh" else info.v_lsb


def write_probes(port: Port, probes: list[Probe]) -> None:
    """Write the addresses of these probes to the PROBES region."""
    fields = {name: [getattr(probe, name) for probe in probes] for name in ("region", "wide", "offset")}
    port.write(*memory_of(port.params, Region.PROBES).write(fields))


def read_population(port: Port, info: PopulationInfo, params: ArrayParams) -> dict[str, IntArray]:
    """Return the raw NEURON_STATE fields of a population, (n,) each."""
    memory = memory_of(params, Region.NEURON_STATE)
    return memory.unpack(port.read(*memory.span(info.first, info.n)))
