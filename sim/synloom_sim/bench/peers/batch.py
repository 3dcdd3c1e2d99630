"""Many networks on one core and on two: ``python -m synloom_sim.bench.peers.batch``."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Final

import synloom
from synloom.base.errors import SynloomError
from synloom_sim.bench.peers.network import DT_MS
from synloom_sim.bench.peers.synloom_run import image_of
from synloom_sim.bench.peers.worker import Job
from synloom_sim.bench.report import FOLDER, Report, command_of
from synloom_sim.bench.show import show

__all__ = ["main"]

_NEURONS: Final = 256
_NETWORKS: Final = 8
_STEPS: Final = (100_000, 1_000_000)
"""A short run and a long one: each process takes about a second to begin."""


def main() -> int:
    """Print the table, write the report; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m synloom_sim.bench.peers.batch")
    parser.add_argument("--target", default="fast", help="(default: %(default)s)")
    parser.add_argument(
        "--steps", type=int, nargs="+", default=_STEPS, help="of each, for each row (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for reports (default: %(default)s)")
    options = parser.parse_args()
    if min(options.steps) < 1 or options.rounds < 1:
        parser.error("--steps and --rounds must be at least 1")
    try:
        rows = [row for steps in options.steps for row in _rows(options.target, steps, options.rounds)]
        show(Report("batch", command_of(parser.prog, sys.argv[1:]), rows), options.folder)
    except SynloomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _rows(target: str, steps: int, rounds: int) -> list[dict[str, Any]]:
    """Return one row for each number of processes, measured in turns."""
    image = image_of(Job(_NEURONS, True, target, ""))
    images, processes = [image] * _NETWORKS, range(1, min(2, len(os.sched_getaffinity(0))) + 1)
    seconds: dict[int, list[float]] = {jobs: [] for jobs in processes}
    # Compiles, if need be.
    synloom.run_batch([image], DT_MS, target=target, jobs=1)
    for _ in range(rounds):
        for jobs in processes:
            started = time.perf_counter()
            synloom.run_batch(images, steps * DT_MS, target=target, jobs=jobs)
            seconds[jobs].append(time.perf_counter() - started)
    medians = {jobs: statistics.median(found) for jobs, found in seconds.items()}
    return [
        {
            "target": target,
            "processes": jobs,
            "networks": _NETWORKS,
            "neurons": _NEURONS,
            "steps": steps,
            "seconds": medians[jobs],
            "all_seconds": seconds[jobs],
            "steps_per_second": _NETWORKS * steps / medians[jobs],
            "gain": medians[1] / medians[jobs],
        }
        for jobs in processes
    ]


if __name__ == "__main__":
    sys.exit(main())
