"""Recording: what runs have given, as PyNN's recorders ask for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyNN import errors, recording

from synloom.base.checks import FloatArray, IntArray
from synloom.pynn import simulator

__all__ = ["Recorder"]

_Chunk = tuple[int, IntArray, FloatArray]
"""Sample of the first row (sample k is at k * dt), cells, and values (T, cells)."""


class Recorder(recording.Recorder):
    """Encapsulates data and functions related to recording model variables."""

    _simulator = simulator
    _initial: dict[str, FloatArray]

    def __init__(self, population: Any, file: Any = None):
        super().__init__(population, file)
        self.restart()

    # ---- what the engine asks and gives --------------------------------------------------------

    def wanted(self) -> dict[str, IntArray]:
        """Return the cells of which each state variable is recorded, ascending, by variable."""
        found = {}
        for variable, ids in self.recorded.items():
            if variable.name != "spikes" and ids:
                indices = sorted(int(self.population.id_to_index(cell)) for cell in ids)
                found[variable.name] = np.array(indices, dtype=np.int64)
        return found

    @property
    def has_spikes(self) -> bool:
        """Whether spikes of any cell are recorded."""
        return any(variable.name == "spikes" and ids for variable, ids in self.recorded.items())

    def add_spikes(self, labels: IntArray, cells: IntArray) -> None:
        """Take spikes, by the steps whose ends they carry as times; (K,) each."""
        if len(labels):
            self._spikes.append((labels, cells))

    def add_samples(self, variable: str, first: int, cells: IntArray, values: FloatArray) -> None:
        """Take samples from sample `first` on, (T, cells)."""
        self._samples.setdefault(variable, []).append((first, cells, values))

    def begin(self) -> None:
        """Keep the initial values, which are the first samples: those of the population may change."""
        variables = [name for name in self.population.celltype.recordable if name != "spikes"]
        self._initial = {name: np.array(self.population.initial(name)) for name in variables}

    def restart(self) -> None:
        """Forget what was recorded since time 0."""
        self._initial = {}
        self._spikes: list[tuple[IntArray, IntArray]] = []
        self._samples: dict[str, list[_Chunk]] = {}

    # ---- what PyNN asks ------------------------------------------------------------------------

    def _record(self, variable: Any, new_ids: Any, sampling_interval: float | None = None) -> None:
        if sampling_interval is not None:
            steps = sampling_interval / simulator.state.dt
            if steps < 1.0 - 1e-6 or abs(steps - round(steps)) > 1e-6:
                raise errors.InvalidParameterValueError(
                    f"sampling_interval must be a multiple of the time step, {simulator.state.dt:g} ms, not "
                    f"{sampling_interval:g} ms"
                )
            self.sampling_interval = sampling_interval

    def _reset(self) -> None:
        pass

    def _all_spikes(self) -> tuple[IntArray, IntArray]:
        """Return all spikes up to now: labels in steps, and cells, in order of time."""
        if not self._spikes:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        labels, cells = (np.concatenate(part) for part in zip(*self._spikes, strict=True))
        due = labels <= simulator.state.step
        order = np.argsort(labels[due], kind="stable")
        return labels[due][order], cells[due][order]

    def _get_spiketimes(self, ids: Any, clear: bool = False) -> tuple[IntArray, FloatArray]:
        labels, cells = self._all_spikes()
        numbers = cells + int(self.population.first_id)
        mine = np.isin(numbers, np.asarray(ids, dtype=np.int64))
        return numbers[mine], labels[mine].astype(np.float64) * simulator.state.dt

    def _local_count(self, variable: Any, filter_ids: Any = None) -> dict[int, int]:
        _, cells = self._all_spikes()
        counts = np.bincount(cells, minlength=self.population.size)
        first = int(self.population.first_id)
        return {
            int(cell): int(counts[int(cell) - first]) for cell in self.filter_recorded(variable, filter_ids)
        }

    def _get_all_signals(self, variable: Any, ids: Any, clear: bool = False) -> tuple[FloatArray, None]:
        state = simulator.state
        wanted = np.array([int(self.population.id_to_index(cell)) for cell in ids], dtype=np.int64)
        if not len(wanted):
            return np.zeros((0, 0)), None
        first = round(float(self._recording_start_time.magnitude) / state.dt)
        values = np.full((state.step - first + 1, len(wanted)), np.nan)
        if first == 0:
            initial = self._initial.get(variable.name)
            values[0] = (self.population.initial(variable.name) if initial is None else initial)[wanted]
        for start, cells, samples in self._samples.get(variable.name, []):
            column = np.searchsorted(cells, wanted)
            known = column < len(cells)
            known[known] = cells[column[known]] == wanted[known]
            skipped = max(first - start, 0)
            rows = slice(start + skipped - first, start - first + len(samples))
            values[rows, known] = samples[skipped:, column[known]]
        return values[:: round(self.sampling_interval / state.dt)], None

    def _clear_simulator(self) -> None:
        now = simulator.state.step
        self._spikes = [(labels[k], cells[k]) for labels, cells in self._spikes if (k := labels > now).any()]
        # The sample of the present time is the first one of what follows.
        last = {name: chunks[-1] for name, chunks in self._samples.items()}
        self._samples = {
            name: [(now, cells, values[-1:])]
            for name, (start, cells, values) in last.items()
            if start + len(values) - 1 == now
        }
