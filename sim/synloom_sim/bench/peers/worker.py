"""What all workers have in common: a job from the command line, and a timed run for each line of input.

A worker prints one line of JSON when it is ready, and one for each run; all else that its simulator prints
goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from synloom_sim.bench.peers.network import PeerNetwork

__all__ = ["Job", "Timed", "calibrate", "serve", "timed"]

_SECONDS: Final = 0.4
"""Intended duration of a run."""
_FEWEST, _MOST = 100, 400_000
"""Steps of a run."""


@dataclass(frozen=True)
class Job:
    """What a worker is to run.

    Attributes
    ----------
    neurons : int
    learning : bool
        As in `PeerNetwork`.
    option : str
        Which form of the simulator, such as a code generator or a target.
    folder : str
        A folder for files of the simulator.
    """

    neurons: int
    learning: bool
    option: str
    folder: str

    def network(self) -> PeerNetwork:
        """Return the network."""
        return PeerNetwork(self.neurons, self.learning)


@dataclass(frozen=True)
class Timed:
    """One run.

    Attributes
    ----------
    steps : int
    spikes : int
        Spikes that the simulator recorded in these steps.
    cpu, wall : float
        Processor time and time of the clock, s, without set-up and compilation.
    """

    steps: int
    spikes: int
    cpu: float
    wall: float


def timed(steps: int, run: Callable[[int], int]) -> Timed:
    """Run so many steps with a function that returns the number of spikes; return what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    spikes = run(steps)
    return Timed(steps, spikes, time.process_time() - cpu, time.perf_counter() - wall)


def calibrate(run: Callable[[int], Timed]) -> int:
    """Return the steps of a run that takes long enough to be timed: whole hundreds, from 100 to 400,000."""
    # The first run may compile.
    run(_FEWEST)
    steps = _FEWEST
    while True:
        took = max(run(steps).cpu, 1e-4)
        wanted = min(_MOST, max(_FEWEST, int(steps * _SECONDS / took) // 100 * 100))
        if took >= _SECONDS / 4 or wanted <= steps:
            return wanted
        steps = min(wanted, 20 * steps)


def serve(make: Callable[[Job], tuple[int, Callable[[], Timed], dict[str, Any]]]) -> None:
    """Make a simulator, say that it is ready, and run it once for each line of input.

    `make` returns the steps of a run, the run, and facts such as versions.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    job = Job(**json.loads(sys.argv[1]))
    started = time.perf_counter()
    steps, run, facts = make(job)
    ready = {"steps": steps, "setup": time.perf_counter() - started, **facts}
    print(json.dumps(ready), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(asdict(run())), file=answers, flush=True)
