"""Changes of an array between two runs: registers, parameters, rules, weights, counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from synloom.base.checks import IntArray
from synloom.contract.array_port import Words
from synloom.contract.memory import Write
from synloom.contract.memory_map import memory_of
from synloom.contract.regions import Region
from synloom.contract.registers import Mode
from synloom.device.loader import read_register, write_register
from synloom.device.memories import read_records
from synloom.device.session_state import SessionState
from synloom.device.weights import writes_of_raw
from synloom.image.places import PopulationInfo, ProjectionInfo

__all__ = ["SessionWrites"]


class SessionWrites(SessionState):
    """The part of a `Session` that changes what the array holds, and knows what it holds."""

    def _write(self, writes: Iterable[Write]) -> None:
        """Write to the array; if that is cut short, the next call writes all of it again."""
        self.under_way = tuple(writes)
        self.finish()

    def finish(self) -> None:
        """Do the writes that are under way."""
        for write in self.under_way:
            self.port.write(*write)
        self.under_way = ()

    # ---- registers -----------------------------------------------------------------------------

    def mode(self, bit: Mode) -> bool:
        """Return a bit of the mode register."""
        if self._mode is None:
            self._mode = read_register(self.port, "mode")
        return bool(self._mode >> bit & 1)

    def set_mode(self, bit: Mode, on: bool) -> None:
        """Set or clear a bit of the mode register; the array is written only if that changes it."""
        mode, self._mode = read_register(self.port, "mode") if self._mode is None else self._mode, None
        # Unknown while it is written: a write that is cut short may have happened or not.
        wanted = mode & ~(1 << bit) | on << bit
        if wanted != mode:
            self.require_image()
            write_register(self.port, "mode", wanted)
            if self.log is not None:
                self.log.add("mode", {"bit": int(bit), "on": on})
        self._mode = wanted

    def set_reward(self, word: int) -> None:
        """Write the reward register; DeviceError if no image is loaded."""
        self.require_image()
        write_register(self.port, "reward", word)
        if self.log is not None:
            self.log.add("reward", {"word": word})

    # ---- neurons, rules and weights ------------------------------------------------------------

    def neuron_fields(self, info: PopulationInfo) -> dict[str, IntArray]:
        """Return the parameters of a population as the array has them, (n,) int64 each."""
        part = slice(info.first, info.first + info.n)
        return memory_of(self.image.params, Region.NEURON_PARAMS).layout.unpack(self._held_neurons()[part])

    def write_neurons(self, info: PopulationInfo, fields: Mapping[str, IntArray]) -> None:
        """Change some parameters of a population, (n,) int64 each."""
        memory = memory_of(self.image.params, Region.NEURON_PARAMS)
        held = self._held_neurons().copy()
        write = memory.write({**self.neuron_fields(info), **fields}, info.first)
        held[info.first : info.first + info.n] = write[2].reshape(info.n, -1)[:, : memory.layout.words]
        # Unknown while it is written: a write that is cut short may have happened in part.
        self._neurons = None
        self._write([write])
        self._neurons = held
        if self.log is not None:
            self.log.add("neurons", {"label": info.label}, **fields)

    def _held_neurons(self) -> Words:
        if self._neurons is None:
            self._neurons = read_records(self.port, self.image, "neuron_params")
        return self._neurons

    def segment_fields(self) -> dict[str, IntArray]:
        """Return the segments of the program as the array has them, (S,) int64 each."""
        return memory_of(self.image.params, Region.PROGRAM).layout.unpack(self._held_program())

    def write_segments(self, segments: IntArray, fields: Mapping[str, IntArray]) -> None:
        """Change some fields of segments of the program, (K,) int64 each."""
        if not len(segments):
            return
        memory = memory_of(self.image.params, Region.PROGRAM)
        held, columns = self._held_program().copy(), self.segment_fields()
        for name, values in fields.items():
            columns[name][segments] = values
        first, end = int(segments.min()), int(segments.max()) + 1
        write = memory.write({name: each[first:end] for name, each in columns.items()}, first)
        held[first:end] = write[2].reshape(end - first, -1)[:, : memory.layout.words]
        self._program = None
        self._write([write])
        self._program = held
        if self.log is not None:
            self.log.add("segments", {}, segments=segments, **fields)

    def _held_program(self) -> Words:
        if self._program is None:
            self._program = read_records(self.port, self.image, "program")
        return self._program

    def write_weights(self, info: ProjectionInfo, raw: npt.NDArray[np.int8]) -> None:
        """Write the weights of a projection as the array holds them, (n_pre, n_post) int8."""
        self._write(writes_of_raw(self.image, info, raw))
        if self.log is not None:
            self._learned = True
            self.log.add("weights", {"label": info.label}, raw=raw)

    # ---- spike counts --------------------------------------------------------------------------

    def clear_counts(self, n: int) -> None:
        """Clear the spike counts of neurons 0..n-1; CapacityError if the array has none."""
        self.require("spike_counters")
        self._clear_counts(0, n)

    def counts(self, first: int, n: int, clear: bool) -> IntArray:
        """Return the spike counts of neurons first..first+n-1, (n,) int64, and clear them on request.

        Raises
        ------
        CapacityError
            If the array has no spike counters.
        """
        self.require("spike_counters")
        counts = self.port.read(Region.SPIKE_COUNTS, first, n).astype(np.int64)
        if self.log is not None:
            self.log.add("counts", {"first": first}, counts=counts)
        if clear:
            self._clear_counts(first, n)
        return counts

    def _clear_counts(self, first: int, n: int) -> None:
        self.port.fill(Region.SPIKE_COUNTS, first, n, 0)
        if self.log is not None:
            self.log.add("clear counts", {"first": first, "n": n})
