"""The memory map: every region of the contract, and what is decoded from the memories of an image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from synloom.contract.layout import neuron_params_layout, segment_layout
from synloom.contract.params import ArrayParams
from synloom.contract.regions import (
    NEURON_PARAMS_STRIDE,
    PROBE_STRIDE,
    SEGMENT_STRIDE,
    Region,
    region_size,
    weight_offset,
)
from synloom_sim.model.banks import (
    Bank,
    NumberBank,
    RecordBank,
    StateBank,
    WeightBank,
    WheelBank,
    record_mask,
)
from synloom_sim.model.program import Program, SourceTable, TargetTable
from synloom_sim.model.register_files import ControlFile, CounterFile, InfoFile, LinkFile
from synloom_sim.model.state import ArrayState
from synloom_sim.model.sweep import NeuronTable

__all__ = ["MemoryMap"]

Words = npt.NDArray[np.uint16]
_PROBE_WIDE = 0x8000
_PROBE_WORDS = 3


class MemoryMap:
    """Access to all regions, and the decoded tables, which are made again after a write.

    Parameters
    ----------
    params : ArrayParams
        Sizes.
    state : ArrayState
        What most regions show.
    observed, on_now
        See `ControlFile`.
    """

    _decoded_program: Program | None
    _decoded_sources: SourceTable | None
    _decoded_targets: TargetTable | None
    _decoded_neurons: NeuronTable | None
    _decoded_probes: list[tuple[Bank, int, int]] | None

    def __init__(
        self,
        params: ArrayParams,
        state: ArrayState,
        observed: Callable[[], dict[str, int]],
        on_now: Callable[[], None],
    ):
        self._params = params
        self._state = state
        self._forget()

        def records(region: Region, stride: int = 1, words: int = 1, exists: bool = True) -> RecordBank:
            mask = record_mask(region_size(params, region) // stride, stride, words)
            return RecordBank(mask & exists, self._forget)

        self._neuron_params = records(
            Region.NEURON_PARAMS, NEURON_PARAMS_STRIDE, neuron_params_layout(params).words
        )
        self._program = records(Region.PROGRAM, SEGMENT_STRIDE, segment_layout().words)
        self._source = records(Region.SOURCE)
        self._target = records(Region.TARGET)
        self._rates = records(Region.GEN_RATE, exists=params.generators)
        self._probes = records(Region.PROBES, PROBE_STRIDE, _PROBE_WORDS)
        self._banks: dict[Region, Bank] = {
            Region.INFO: InfoFile(params),
            Region.CTRL: ControlFile(params, state.registers, observed, on_now),
            Region.COUNTERS: CounterFile(state.counters),
            Region.LINK: LinkFile(params),
            Region.WEIGHTS: WeightBank(params, state.weights),
            Region.NEURON_PARAMS: self._neuron_params,
            Region.NEURON_STATE: StateBank(params, state),
            Region.X_TRACE: NumberBank(state.x, params.trace_max),
            Region.Y_TRACE: NumberBank(state.y, params.trace_max),
            Region.SOURCE: self._source,
            Region.TARGET: self._target,
            Region.PROGRAM: self._program,
            Region.GEN_RATE: self._rates,
            Region.GEN_PHASE: NumberBank(state.phase, 0x7FFF if params.generators else 0),
            Region.WHEEL: WheelBank(state.wheel),
            Region.SPIKE_COUNTS: NumberBank(state.counts, 0xFFFF if params.spike_counters else 0),
            Region.PROBES: self._probes,
        }

    def read(self, region: Region, offset: int, count: int) -> Words:
        """Return `count` consecutive words."""
        return self._banks[region].read(offset, count)

    def write(self, region: Region, offset: int, values: Words) -> None:
        """Write consecutive words."""
        self._banks[region].write(offset, values)

    # ---- what the memories mean ----------------------------------------------------------------

    @property
    def rates(self) -> Words:
        """GEN_RATE, (16 * MW,) uint16."""
        return self._rates.words

    def program(self) -> Program:
        """Return PROGRAM, decoded."""
        if self._decoded_program is None:
            self._decoded_program = Program(self._params, self._program.words)
        return self._decoded_program

    def sources(self) -> SourceTable:
        """Return SOURCE, decoded."""
        if self._decoded_sources is None:
            self._decoded_sources = SourceTable(self._source.words)
        return self._decoded_sources

    def targets(self) -> TargetTable:
        """Return TARGET, decoded."""
        if self._decoded_targets is None:
            self._decoded_targets = TargetTable(self._target.words)
        return self._decoded_targets

    def neurons(self) -> NeuronTable:
        """Return NEURON_PARAMS of the neurons in use, decoded."""
        count = min(self._state.registers.sweep_count, self._params.neurons)
        if self._decoded_neurons is None or self._decoded_neurons.count != count:
            self._decoded_neurons = NeuronTable(self._params, self._neuron_params.words, count)
        return self._decoded_neurons

    def probe_values(self) -> list[int]:
        """Return what the probes see now, two words each, low word first."""
        if self._decoded_probes is None:
            self._decoded_probes = self._decode_probes()
        values: list[int] = []
        for bank, low, high in self._decoded_probes[: self._state.registers.probe_count]:
            values += [bank.word(low), bank.word(high) if high >= 0 else 0]
        return values

    def _decode_probes(self) -> list[tuple[Bank, int, int]]:
        """Return for each probe its bank, the offset of the low word, and of the high word or -1."""
        probes: list[tuple[Bank, int, int]] = []
        for head, low, high, _ in self._probes.words.reshape(-1, PROBE_STRIDE).tolist():
            number, offset = head & ~_PROBE_WIDE, low | high << 16
            bank = self._banks[Region(number)] if number in self._banks else Bank(0)
            following = offset + 1
            if number == Region.WEIGHTS and following % weight_offset(1, 0) == self._params.neurons:
                following += weight_offset(1, 0) - self._params.neurons
            probes.append((bank, offset, following if head & _PROBE_WIDE else -1))
        return probes

    def _forget(self) -> None:
        self._decoded_program = None
        self._decoded_sources = None
        self._decoded_targets = None
        self._decoded_neurons = None
        self._decoded_probes = None
