"""All memories of the model: the regions of the contract, and the tables decoded from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from synloom.contract.memory import Memory
from synloom.contract.memory_map import memory_map
from synloom.contract.params import ArrayParams
from synloom.contract.regions import Region
from synloom_sim.model.banks import Bank, RecordBank, StateBank, WeightBank, WheelBank
from synloom_sim.model.program import Program, SourceTable, TargetTable
from synloom_sim.model.register_files import ControlFile, CounterFile, InfoFile, LinkFile
from synloom_sim.model.state import ArrayState
from synloom_sim.model.sweep import NeuronTable

__all__ = ["Memories"]

Words = npt.NDArray[np.uint16]


class Memories:
    """Access to all regions, and to decoded tables, which are decoded again after a write.

    Parameters
    ----------
    params : ArrayParams
        Sizes.
    state : ArrayState
        State that most regions contain.
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
        self._map = memory_map(params)
        self._forget()
        self._banks: dict[Region, Bank] = {
            Region.INFO: InfoFile(params),
            Region.CTRL: ControlFile(params, state.registers, observed, on_now),
            Region.COUNTERS: CounterFile(params, state.counters),
            Region.LINK: LinkFile(params),
            Region.WEIGHTS: WeightBank(self._map[Region.WEIGHTS], state.weights),
            Region.WHEEL: WheelBank(self._map[Region.WHEEL], state.wheel),
        }
        self._records: dict[Region, RecordBank] = {}
        for memory in self._map.values():
            if memory.region not in self._banks:
                self._banks[memory.region] = self._bank(memory)

    def _bank(self, memory: Memory) -> Bank:
        if not memory.exists:
            return Bank(memory.size)
        if memory.dynamic:
            return StateBank(memory, self._state.fields(memory.region))
        self._records[memory.region] = RecordBank(memory, self._forget)
        return self._records[memory.region]

    def read(self, region: Region, offset: int, count: int) -> Words:
        """Return `count` consecutive words, (count,) uint16."""
        return self._banks[region].read(offset, count)

    def write(self, region: Region, offset: int, values: Words) -> None:
        """Write consecutive words, (n,) uint16."""
        self._banks[region].write(offset, values)

    # ---- decoded tables ------------------------------------------------------------------------

    @property
    def rates(self) -> Words:
        """GEN_RATE, (16 * MW,) uint16."""
        return self._records[Region.GEN_RATE].words

    def program(self) -> Program:
        """Return PROGRAM, decoded."""
        if self._decoded_program is None:
            self._decoded_program = Program(self._params, self._records[Region.PROGRAM].words)
        return self._decoded_program

    def sources(self) -> SourceTable:
        """Return SOURCE, decoded."""
        if self._decoded_sources is None:
            self._decoded_sources = SourceTable(self._map[Region.SOURCE], self._records[Region.SOURCE].words)
        return self._decoded_sources

    def targets(self) -> TargetTable:
        """Return TARGET, decoded."""
        if self._decoded_targets is None:
            self._decoded_targets = TargetTable(self._map[Region.TARGET], self._records[Region.TARGET].words)
        return self._decoded_targets

    def neurons(self) -> NeuronTable:
        """Return NEURON_PARAMS of the neurons in use, decoded."""
        count = min(self._state.registers.sweep_count, self._params.neurons)
        if self._decoded_neurons is None or self._decoded_neurons.count != count:
            self._decoded_neurons = NeuronTable(
                self._params, self._records[Region.NEURON_PARAMS].words, count
            )
        return self._decoded_neurons

    def probe_values(self) -> list[int]:
        """Return the present values of the probes, two words each, low word first."""
        if self._decoded_probes is None:
            self._decoded_probes = self._decode_probes()
        values: list[int] = []
        for bank, low, high in self._decoded_probes[: self._state.registers.probe_count]:
            values += [bank.word(low), bank.word(high) if high >= 0 else 0]
        return values

    def _decode_probes(self) -> list[tuple[Bank, int, int]]:
        """Return, for each probe, its bank and the offsets of its low word and of its high word (or -1)."""
        fields = self._map[Region.PROBES].unpack(self._records[Region.PROBES].words)
        probes: list[tuple[Bank, int, int]] = []
        for number, wide, offset in zip(
            *(fields[name].tolist() for name in ("region", "wide", "offset")), strict=True
        ):
            if number in self._banks:
                region = Region(number)
                following = self._map[region].advance(offset, 1) if wide else -1
                probes.append((self._banks[region], offset, following))
            else:
                probes.append((Bank(0), offset, -1))
        return probes

    def _forget(self) -> None:
        self._decoded_program = None
        self._decoded_sources = None
        self._decoded_targets = None
        self._decoded_neurons = None
        self._decoded_probes = None
