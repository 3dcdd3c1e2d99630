"""Neuron state between the array's words and SI units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synloom.base.checks import FloatArray, IntArray
from synloom.base.errors import CapacityError, ParameterError
from synloom.contract.array_port import Port
from synloom.contract.layout import Field, neuron_state_layout
from synloom.contract.params import ArrayParams
from synloom.contract.regions import NEURON_STATE_STRIDE, Region
from synloom.image.image import Image
from synloom.image.places import InputInfo, PopulationInfo

__all__ = ["PROBE_VARIABLES", "Probe", "make_probes", "probe_words", "read_population", "require_probes"]

_FIELDS: Final = {"v": "v", "isyn_exc": "ie", "isyn_inh": "ii", "theta": "theta"}
PROBE_VARIABLES: Final = (*_FIELDS, "trace", "trace_post")
_WIDE: Final = 0x8000


@dataclass(frozen=True, eq=False)
class Probe:
    """One recorded word: where it is, how to read it, and what it stands for.

    Parameters
    ----------
    label, variable : str
        Population and variable.
    index : int
        Neuron or channel within the population.
    region, offset : int
        Its address.
    wide : bool
        Whether it needs two words.
    field : Field
        Its bits within these words, start below 16.
    lsb, zero : float
        SI value of one bit, and at 0.
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
        """Return SI values of (T,) raw samples."""
        value = (raw.astype(np.int64) >> self.field.start) & ((1 << self.field.width) - 1)
        if self.field.signed:
            value -= (value >> (self.field.width - 1)) << self.field.width
        return value.astype(np.float64) * self.lsb + self.zero


def require_probes(wanted: int, params: ArrayParams) -> None:
    """Refuse more probes than an array has.

    Raises
    ------
    CapacityError
        If it has fewer.
    """
    if wanted > params.probes:
        raise CapacityError(
            f"{wanted} probes are wanted, the array has {params.probes}; give indices=, "
            f"or use params.replace(probes={wanted})" + ("" if wanted <= 16 else " (16 at most)")
        )


def make_probes(image: Image, label: str, variable: str, indices: IntArray) -> list[Probe]:
    """Return the probes of some neurons (of channels too, for `trace`).

    Raises
    ------
    ParameterError
        If the population has no such variable.
    """
    info = image.populations.get(label) or image.inputs.get(label)
    assert info is not None
    if variable not in PROBE_VARIABLES or (isinstance(info, InputInfo) and variable != "trace"):
        allowed = ("trace",) if isinstance(info, InputInfo) else ("spikes", *PROBE_VARIABLES)
        raise ParameterError(f"{label!r} has no variable {variable!r}; it has {', '.join(allowed)}")
    if variable == "theta" and not image.params.adaptation:
        raise CapacityError("theta needs an array with adaptation=True; use params.replace(adaptation=True)")
    return [_probe(image, info, variable, k) for k in indices.tolist()]


def _probe(image: Image, info: PopulationInfo | InputInfo, variable: str, index: int) -> Probe:
    params = image.params
    if variable in ("trace", "trace_post"):
        post = variable == "trace_post"
        first = info.first if post and isinstance(info, PopulationInfo) else info.source
        region = Region.Y_TRACE if post else Region.X_TRACE
        field = Field("trace", params.trace_bits, start=0)
        one = image.registers["one_y" if post else "one_x"]
        return Probe(info.label, variable, index, region, first + index, False, field, 1.0 / one, 0.0)
    assert isinstance(info, PopulationInfo)
    placed = neuron_state_layout(params)[_FIELDS[variable]]
    word, start = divmod(placed.start, 16)
    return Probe(
        label=info.label,
        variable=variable,
        index=index,
        region=Region.NEURON_STATE,
        offset=NEURON_STATE_STRIDE * (info.first + index) + word,
        wide=start + placed.width > 16,
        field=Field(placed.name, placed.width, placed.signed, start),
        lsb=float(_lsb(info, variable)[index]),
        zero=float(info.v_rest[index]) if variable == "v" else 0.0,
    )


def _lsb(info: PopulationInfo, variable: str) -> FloatArray:
    if variable == "isyn_exc":
        return info.i_lsb_exc
    return info.i_lsb_inh if variable == "isyn_inh" else info.v_lsb


def probe_words(probes: list[Probe]) -> npt.NDArray[np.uint16]:
    """Return the words of the PROBES region for these probes."""
    table = [
        (probe.region | (_WIDE if probe.wide else 0), probe.offset & 0xFFFF, probe.offset >> 16, 0)
        for probe in probes
    ]
    return np.array(table, dtype=np.uint16).reshape(-1)


def read_population(port: Port, info: PopulationInfo, params: ArrayParams) -> dict[str, IntArray]:
    """Return the raw NEURON_STATE fields of a population, (n,) each."""
    words = port.read(Region.NEURON_STATE, NEURON_STATE_STRIDE * info.first, NEURON_STATE_STRIDE * info.n)
    return neuron_state_layout(params).unpack(np.asarray(words).reshape(info.n, NEURON_STATE_STRIDE))
