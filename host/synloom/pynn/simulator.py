"""The state of the simulator, as PyNN's classes see it: time, delays, recorders, what has been created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pyNN import common

from synloom.base.checks import IntArray
from synloom.pynn.grid import nearest, warn_moved
from synloom.pynn.targets import Target

if TYPE_CHECKING:
    from synloom.pynn.engine import Engine

__all__ = ["ID", "name", "state"]

name: Final = "Synloom"
"""What annotations of recorded data call this simulator."""


class ID(int, common.IDMixin):
    """The number of a cell, with its parameters as attributes."""

    def __init__(self, number: int):
        common.IDMixin.__init__(self)


class State(common.control.BaseState):
    """What `setup` starts anew.

    Attributes
    ----------
    dt : float
        Time step, ms.
    step : int
        The next step.
    populations, projections, current_sources : list
        What has been created since `setup`, in that order.
    engine : Engine or None
        What runs it; None before the first `setup`.
    seed : int
        Seed of all random numbers that are not PyNN's.
    timing : str
        When a current acts on V, as `setup` has it.
    """

    mpi_rank: Final = 0
    num_processes: Final = 1

    def __init__(self) -> None:
        super().__init__()
        self.engine: Engine | None = None
        self.segment_counter = -1
        self.target = Target()
        self.clear(dt=0.1, least="auto", most="auto", seed=0)

    def clear(self, *, dt: float, least: Any, most: Any, seed: int, timing: str = "nest") -> None:
        """Forget all that was created; `least` and `most` are delays in ms, or "auto"."""
        self.dt = dt
        self.seed = seed
        self.timing = timing
        self.step = 0
        self.running = False
        self.t_start = 0
        self.segment_counter = 0
        self.write_on_end: list[Any] = []
        self.recorders: set[Any] = set()
        self.populations: list[Any] = []
        self.projections: list[Any] = []
        self.current_sources: list[Any] = []
        self._delays = (least, most)
        self._next_id = 1

    # ---- what PyNN asks ------------------------------------------------------------------------

    @property
    def t(self) -> float:
        """The present time in ms."""
        return self.step * self.dt

    @property
    def min_delay(self) -> float:
        """The least delay in ms: that of `setup`, or the least in use."""
        least = self._delays[0]
        return float(least) if least != "auto" else min(self._used(), default=self.dt)

    @property
    def least_given(self) -> float:
        """The least delay in ms that a synapse may have."""
        return self.dt if self._delays[0] == "auto" else float(self._delays[0])

    @property
    def max_delay(self) -> float:
        """The largest delay in ms: that of `setup`, or the largest in use."""
        most = self._delays[1]
        return float(most) if most != "auto" else max(self._used(), default=self.dt)

    def _used(self) -> list[float]:
        delays = [p.synapses["delay"] for p in self.projections if len(p)]
        return [float(value) for part in delays for value in (part.min(), part.max())]

    def run(self, simtime: float) -> None:
        """Run for some ms."""
        self.run_until(self.t + simtime)

    def run_until(self, tstop: float) -> None:
        """Run until a time in ms; a time between two steps is the nearest step."""
        assert self.engine is not None
        warn_moved(tstop, self.dt, "times until which a run goes")
        end = int(nearest(tstop, self.dt))
        self.running = True
        if end > self.step:
            self.engine.run(end)

    def reset(self) -> None:
        """Return to time 0 with the initial values and a new segment."""
        self.step = 0
        self.running = False
        self.segment_counter += 1
        for recorder in self.recorders:
            recorder.restart()
        for projection in self.projections:
            if projection.recorder is not None:
                projection.recorder.restart()
        for source in self.current_sources:
            source.restart()
        if self.engine is not None:
            self.engine.reset()

    # ---- cells ---------------------------------------------------------------------------------

    def new_cells(self, population: Any, count: int) -> Any:
        """Return the ids of new cells of a population, (count,) of ID, and keep the population."""
        first, self._next_id = self._next_id, self._next_id + count
        cells = np.empty(count, dtype=object)
        for k in range(count):
            cells[k] = ID(first + k)
            cells[k].parent = population
        self.populations.append(population)
        return cells

    def places(self, ids: Any) -> tuple[IntArray, IntArray]:
        """Return where cells are: the number of each one's population, and its index there, (K,) int64."""
        numbers = np.asarray(ids, dtype=np.int64)
        firsts = np.array([int(p.first_id) for p in self.populations], dtype=np.int64)
        which = np.searchsorted(firsts, numbers, side="right") - 1
        return which, numbers - firsts[which]


state: Final = State()
