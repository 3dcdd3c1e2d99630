"""Memories that only the host writes, decoded to flat tables for the compiled loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from synloom.contract.memory_map import GENERATOR, memory_of
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom_sim.fast import places
from synloom_sim.model.arithmetic import DecayCoefficients
from synloom_sim.model.program import Program, SourceTable, TargetTable
from synloom_sim.model.sweep import NeuronTable

__all__ = ["TABLES", "Tables", "fill", "tables_of"]

Int32s = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint16]

_ALWAYS: Final = 0x7FFF
"""A generator that spikes in every step."""


class Tables(NamedTuple):
    """The tables, with columns and rows as in `places`.

    Parameters
    ----------
    segments : (segments, SEGMENT_FIELDS) int32
    sources : (S, SOURCE_FIELDS) int32
    targets : (N, TARGET_FIELDS) int32
    neurons : (NEURON_FIELDS, N) int32
    rates : (2, 16 * MW) uint32
        Of random generators: a spike if the low 12 bits of a number are below the first, and the bits of the
        second are 0.
    regular : (16 * MW + 1, 3) int32
        Index, period and exponent of regular generators, ascending; then an index of -1.
    """

    segments: Int32s
    sources: Int32s
    targets: Int32s
    neurons: Int32s
    rates: npt.NDArray[np.uint32]
    regular: Int32s


def tables_of(params: ArrayParams) -> Tables:
    """Return tables of empty memories."""
    channels = 16 * params.input_words
    tables = Tables(
        segments=np.zeros((params.segments, places.SEGMENT_FIELDS), dtype=np.int32),
        sources=np.zeros((params.sources, places.SOURCE_FIELDS), dtype=np.int32),
        targets=np.zeros((params.neurons, places.TARGET_FIELDS), dtype=np.int32),
        neurons=np.zeros((places.NEURON_FIELDS, params.neurons), dtype=np.int32),
        rates=np.zeros((2, channels), dtype=np.uint32),
        regular=np.full((channels + 1, 3), -1, dtype=np.int32),
    )
    for region in TABLES:
        fill(params, tables, region, np.zeros(memory_of(params, region).size, dtype=np.uint16))
    return tables


def fill(params: ArrayParams, tables: Tables, region: Region, words: Words) -> None:
    """Decode all words of a memory into its table."""
    if memory_of(params, region).exists:
        TABLES[region](params, tables, words)


def _segments(params: ArrayParams, tables: Tables, words: Words) -> None:
    program = Program(params, words)
    for k, row in enumerate(tables.segments):
        segment, rule = program.segment(k), program.segment(k).rule
        values: dict[int, Any] = {
            places.LO: segment.lo,
            places.HI: segment.hi,
            places.FIRST: segment.first,
            places.GROUPS: segment.numbers // 16,
            places.CHUNKS: segment.chunks,
            places.SHIFT: segment.shift,
            places.PLASTIC: segment.plastic,
            places.A: rule.a,
            places.T0: rule.t0,
            places.W_MIN: rule.w_min,
            places.W_MAX: rule.w_max,
            places.A_NEGATIVE: rule.a_negative,
            places.SOFT: rule.soft,
            places.STOCHASTIC: rule.stochastic,
            places.REWARDED: rule.reward,
            places.DECAY_M: segment.decay.m,
            places.DECAY_SHIFT: segment.decay.shift,
            places.LAST: program.is_last(k),
        }
        for column, value in values.items():
            row[column] = int(value)


def _sources(params: ArrayParams, tables: Tables, words: Words) -> None:
    table, decoded = tables.sources, SourceTable(memory_of(params, Region.SOURCE), words)
    table[:, places.LIST] = np.where(decoded.connected, decoded.lists, -1)
    table[:, places.NEAREST] = decoded.nearest
    # A row that does not exist cannot be the next one.
    table[:, places.CHAIN] = np.where(decoded.chained & (decoded.next < params.sources), decoded.next, -1)
    table[:, places.HOP] = decoded.hop
    for first, count in (
        (0, params.inputs),
        (params.first_neuron_source, params.neurons),
        (params.first_axon_source, params.axons),
    ):
        table[first : first + count, places.EXISTS] = 1


def _targets(params: ArrayParams, tables: Tables, words: Words) -> None:
    table, decoded = tables.targets, TargetTable(memory_of(params, Region.TARGET), words)
    table[:, places.LIST] = np.where(decoded.learns, decoded.lists, -1)
    table[:, places.NEAREST] = decoded.nearest
    table[:, places.DELAY] = decoded.delay
    table[:, places.BACK] = decoded.back


def _neurons(params: ArrayParams, tables: Tables, words: Words) -> None:
    table, decoded = tables.neurons, NeuronTable(params, words, params.neurons)
    for row, values in (
        (places.THR, decoded.thr),
        (places.RESET, decoded.reset),
        (places.BIAS, decoded.bias),
        (places.TH_STEP, decoded.th_step),
        (places.REFRACTORY, decoded.refractory),
        (places.SUBTRACT, decoded.subtract),
        (places.INTEGRATE, decoded.integrate),
    ):
        table[row] = values
    decay: DecayCoefficients = decoded.decay
    table[places.GAIN : places.NEURON_M] = decoded.gain
    table[places.NEURON_M : places.NEURON_SHIFT] = decay.m
    table[places.NEURON_SHIFT : places.NEURON_FIELDS] = decay.shift


def _rates(params: ArrayParams, tables: Tables, words: Words) -> None:
    every = _every_rate()
    np.take(every.rates, words, axis=1, out=tables.rates)
    index = np.flatnonzero(every.regular[words, 0])
    tables.regular[: len(index), 0] = index
    tables.regular[: len(index), 1:] = every.regular[words[index], 1:]
    tables.regular[len(index) :] = -1


class _EveryRate(NamedTuple):
    """What each of the 65,536 words of GEN_RATE means.

    Attributes
    ----------
    rates : (2, 65536) uint32
        Columns of `Tables.rates`.
    regular : (65536, 3) int32
        Whether it is regular, its mantissa and its exponent.
    """

    rates: npt.NDArray[np.uint32]
    regular: Int32s


@cache
def _every_rate() -> _EveryRate:
    words = np.arange(1 << 16, dtype=np.int64)
    fields = {name: GENERATOR[name].decode(words) for name in GENERATOR.fields}
    exponent, width = 7 - fields["exponent"], GENERATOR["mantissa"].width
    regular, always = fields["regular"], words == _ALWAYS
    below = np.where(always, 1 << width, fields["mantissa"])
    zeros = np.where(always, 0, (1 << 3 * np.minimum(exponent, 6)) - 1 << width)
    return _EveryRate(
        np.stack([np.where(regular == 0, below, 0), zeros]).astype(np.uint32),
        np.stack([regular, fields["mantissa"], exponent], axis=1).astype(np.int32),
    )


TABLES: Final[Mapping[Region, Callable[[ArrayParams, Tables, Words], None]]] = {
    Region.PROGRAM: _segments,
    Region.SOURCE: _sources,
    Region.TARGET: _targets,
    Region.NEURON_PARAMS: _neurons,
    Region.GEN_RATE: _rates,
}
"""The memories that have tables, and what decodes them."""
