"""Runs the simulators in turns, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from synloom.base.errors import BuildError
from synloom_sim.bench.peers.targets import Target
from synloom_sim.bench.peers.worker import Job, Timed

__all__ = ["Worker", "compare", "row_of"]

_PACKAGES: Final = Path(__file__).parents[3]
_THREADS: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


class Worker:
    """A simulator in a process of its own, ready to run.

    Parameters
    ----------
    target : Target
    job : Job
        What it runs; the option is the target's.
    root : Path
        The repository, in which the environments are.
    log : Path
        Takes what the simulator prints.

    Attributes
    ----------
    facts : dict
        What it said when it was ready: ``steps``, ``setup`` in s, ``versions``.

    Raises
    ------
    BuildError
        If it cannot start; the message names the log.
    """

    def __init__(self, target: Target, job: Job, root: Path, log: Path):
        self.target, self._log = target, log
        python = root / target.environment / "bin" / "python" if target.environment else Path(sys.executable)
        if not python.exists():
            raise BuildError(
                f"{target.title} needs the environment {target.environment}; try: make bench-peers"
            )
        path = os.pathsep.join([str(_PACKAGES), os.environ.get("PYTHONPATH", "")])
        with open(log, "wb") as errors:
            self._process = subprocess.Popen(
                [python, "-m", f"synloom_sim.bench.peers.{target.worker}", json.dumps(asdict(job))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **_THREADS, "PYTHONPATH": path},
                text=True,
            )
        try:
            self.facts = self._answer()
        except BaseException:
            self.close()
            raise

    def run(self) -> Timed:
        """Run once more."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Timed(**self._answer())

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # NEST greets on standard output when it is imported.
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise BuildError(f"{self.target.title} ended without an answer; see {self._log}")


def compare(
    targets: Sequence[Target], job: Job, rounds: int, root: Path
) -> Iterator[tuple[Target, Mapping[str, Any], list[Timed]]]:
    """Run each target `rounds` times, in turns; yield each with its facts and its runs.

    Parameters
    ----------
    targets : sequence of Target
    job : Job
        The network; its option is replaced by each target's.
    rounds : int
        At least 1.
    root : Path
        The repository.
    """
    with ExitStack() as stack:
        workers = []
        for target in targets:
            mine = Job(job.neurons, job.learning, target.option, job.folder)
            name = f"{target.name}-{job.neurons}-{'stdp' if job.learning else 'static'}.log"
            worker = Worker(target, mine, root, Path(job.folder) / name)
            stack.callback(worker.close)
            workers.append(worker)
        runs: list[list[Timed]] = [[] for _ in workers]
        for _ in range(rounds):
            for worker, mine_runs in zip(workers, runs, strict=True):
                mine_runs.append(worker.run())
        for worker, mine_runs in zip(workers, runs, strict=True):
            yield worker.target, worker.facts, mine_runs


def row_of(target: Target, job: Job, facts: Mapping[str, Any], runs: Sequence[Timed]) -> dict[str, Any]:
    """Return one row of the report: medians of the runs, and all of them."""
    rates = [run.steps / run.cpu for run in runs]
    return {
        "target": target.name,
        "title": target.title,
        "neurons": job.neurons,
        "learning": job.learning,
        "steps": runs[0].steps,
        "spikes": [run.spikes for run in runs],
        "active": statistics.mean(run.spikes / run.steps / job.neurons for run in runs),
        "steps_per_second": statistics.median(rates),
        "steps_per_second_wall": statistics.median(run.steps / run.wall for run in runs),
        "all_steps_per_second": rates,
        "setup": facts["setup"],
    }
