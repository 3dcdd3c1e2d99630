"""Bit fields packed into 16-bit words: the number formats of every memory that the host sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synloom.base.errors import ParameterError
from synloom.contract.params import ArrayParams

__all__ = [
    "Field",
    "Layout",
    "neuron_params_layout",
    "neuron_state_layout",
    "segment_layout",
    "source_layout",
    "target_layout",
]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record: its name, width in bits, sign, and first bit once placed."""

    name: str
    width: int
    signed: bool = False
    start: int = -1

    @property
    def low(self) -> int:
        """Smallest value."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest value."""
        return (1 << (self.width - self.signed)) - 1


class Layout:
    """A record of bit fields in 16-bit words, least significant word first.

    Fields follow one another; one that would touch more than two words starts at a new word, so
    that a probe of two consecutive words always sees a whole field.

    Parameters
    ----------
    name : str
        What the record describes, for error messages.
    fields : Field
        The fields in order, unplaced.
    """

    def __init__(self, name: str, *fields: Field):
        self.name = name
        placed: dict[str, Field] = {}
        bit = 0
        for field in fields:
            if (bit + field.width - 1) // 16 > bit // 16 + 1:
                bit = 16 * (bit // 16 + 1)
            placed[field.name] = Field(field.name, field.width, field.signed, bit)
            bit += field.width
        self.fields = placed
        self.words = -(-bit // 16)

    def __getitem__(self, name: str) -> Field:
        return self.fields[name]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def pack(self, values: Mapping[str, npt.ArrayLike]) -> npt.NDArray[np.uint16]:
        """Pack arrays of equal length, one per field (absent ones are 0), into (n, words) uint16.

        Raises
        ------
        ParameterError
            If a name is unknown or a value does not fit its field; nothing is truncated.
        """
        unknown = sorted(set(values) - set(self.fields))
        if unknown:
            raise ParameterError(f"{self.name} has no field {unknown[0]!r}; it has {', '.join(self.fields)}")
        arrays = {name: np.atleast_1d(np.asarray(v, dtype=np.int64)) for name, v in values.items()}
        length = max((len(a) for a in arrays.values()), default=0)
        words = np.zeros((length, self.words), dtype=np.uint64)
        for name, array in arrays.items():
            field = self.fields[name]
            bad = (array < field.low) | (array > field.high)
            if bad.any():
                value = array[int(np.argmax(bad))]
                raise ParameterError(f"{self.name}.{name} must be in {field.low}..{field.high}, not {value}")
            bits = (array & ((1 << field.width) - 1)).astype(np.uint64)
            first, shift = divmod(field.start, 16)
            spread = bits << np.uint64(shift)
            for k in range((shift + field.width - 1) // 16 + 1):
                words[:, first + k] |= (spread >> np.uint64(16 * k)) & np.uint64(0xFFFF)
        return words.astype(np.uint16)

    def unpack(self, words: npt.ArrayLike) -> dict[str, npt.NDArray[np.int64]]:
        """Unpack (n, words) uint16 into one int64 array of length n per field."""
        table = np.atleast_2d(np.asarray(words, dtype=np.uint16)).astype(np.int64)
        if table.shape[1] < self.words:
            raise ParameterError(f"{self.name} has {self.words} words, not {table.shape[1]}")
        return {name: self._extract(table, field) for name, field in self.fields.items()}

    def _extract(self, table: npt.NDArray[np.int64], field: Field) -> npt.NDArray[np.int64]:
        first, shift = divmod(field.start, 16)
        count = (shift + field.width - 1) // 16 + 1
        value = np.zeros(len(table), dtype=np.int64)
        for k in range(count):
            value |= table[:, first + k] << (16 * k)
        value = (value >> shift) & ((1 << field.width) - 1)
        if field.signed:
            value -= (value >> (field.width - 1)) << field.width
        return value


def neuron_params_layout(params: ArrayParams) -> Layout:
    """Return the NEURON_PARAMS record of one neuron (docs/numbers.md, sweep)."""
    state = params.state_bits
    adapts = params.adaptation
    return Layout(
        "neuron parameters",
        Field("dm", 16),
        Field("de", 16),
        Field("di", 16),
        *([Field("dth", 16)] if adapts else []),
        Field("thr", state, signed=True),
        Field("reset", state, signed=True),
        Field("bias", state, signed=True),
        *([Field("th_step", state - 1)] if adapts else []),
        Field("refractory", 8),
        Field("g_e", 4),
        Field("g_i", 4),
        Field("exponent_m", 2),
        Field("exponent_e", 2),
        Field("exponent_i", 2),
        *([Field("exponent_th", 2)] if adapts else []),
        Field("subtract", 1),
    )


def neuron_state_layout(params: ArrayParams) -> Layout:
    """Return the NEURON_STATE record of one neuron."""
    state = params.state_bits
    return Layout(
        "neuron state",
        Field("v", state, signed=True),
        Field("refr", 8),
        Field("ie", state - 1),
        Field("ii", state - 1),
        *([Field("theta", state - 1)] if params.adaptation else []),
    )


def segment_layout() -> Layout:
    """Return the PROGRAM record of one segment: a range of a pass, and the rule that holds there.

    `lo` to `hi` (exclusive) are target indices in row lists and Y decay lists, source ids in column
    lists and X decay lists. `last` ends a list. In decay lists `a` is the coefficient m.
    """
    return Layout(
        "segment",
        Field("lo", 16),
        Field("hi", 15),
        Field("last", 1),
        Field("a", 16),
        Field("t0", 16),
        Field("w_min", 8, signed=True),
        Field("w_max", 8, signed=True),
        Field("shift", 3),
        Field("reserved", 1),
        Field("plastic", 1),
        Field("a_negative", 1),
        Field("soft", 1),
        Field("stochastic", 1),
        Field("reward", 1),
        Field("exponent", 2),
    )


def source_layout() -> Layout:
    """Return the SOURCE word of one source id."""
    return Layout(
        "source",
        Field("list", 8),
        Field("reserved", 6),
        Field("connected", 1),
        Field("nearest", 1),
    )


def target_layout() -> Layout:
    """Return the TARGET word of one neuron."""
    return Layout(
        "target",
        Field("list", 8),
        Field("delay", 4),
        Field("reserved", 2),
        Field("learns", 1),
        Field("nearest", 1),
    )
