"""What it takes to begin: import, start, the first build, and memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from synloom.base.errors import BuildError

__all__ = ["CASES", "Case", "measure_case"]

_NETWORK: Final = """
import synloom
net = synloom.Network()
noise = net.add(synloom.PoissonInput(64, rate=20.0))
cells = net.add(synloom.Population(256, synloom.LIF(), label="cells"))
net.add(synloom.Projection(noise, cells, synloom.AllToAll(), weight=0.1, plasticity=synloom.STDP()))
with synloom.connect({target!r}, synloom.compile(net)) as device:
    device.record("cells")
    device.run(10.0)
"""
"""64 inputs and 256 neurons, all synapses learning, for ten steps."""

_FRAME: Final = """
import json, pathlib, resource, sys, time
began, worked = time.perf_counter(), time.process_time()
{code}
wall, cpu = time.perf_counter() - began, time.process_time() - worked
usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
memory = [part.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10) for part in usage]
status = pathlib.Path("/proc/self/status")
if status.exists():
    # Linux counts the memory of the process that started this one as if it were this one's own.
    memory[0] = int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
heavy = sorted({{"numba", "distributed", "amaranth", "sklearn", "matplotlib"}} & set(sys.modules))
print(json.dumps({{
    "wall": wall, "cpu": cpu + usage[1].ru_utime + usage[1].ru_stime,
    "memory": max(memory), "loads": heavy,
}}))
"""
"""Measures a piece of code from inside a new process, its compilers included."""


@dataclass(frozen=True)
class Case:
    """Something that a user waits for.

    Attributes
    ----------
    title : str
    code : str
        Python that does it.
    fresh : bool
        With an empty cache of built boards and compiled code.
    needs : str
        A package without which there is no such case; empty if none.
    """

    title: str
    code: str
    fresh: bool = False
    needs: str = ""


CASES: Final = (
    Case("import synloom", "import synloom"),
    Case("import synloom and all its names", "import synloom\nfor n in synloom.__all__: getattr(synloom, n)"),
    Case("model: compile, connect, ten steps", _NETWORK.format(target="model")),
    Case("fast: the same", _NETWORK.format(target="fast"), needs="numba"),
    Case("fast: the same, first time", _NETWORK.format(target="fast"), True, "numba"),
    Case("sim: the same", _NETWORK.format(target="sim"), needs="verilator"),
    Case("sim: the same, first time", _NETWORK.format(target="sim"), True, "verilator"),
)


def measure_case(case: Case, repeats: int) -> dict[str, Any]:
    """Run a case in new processes, and return the medians; a case with an empty cache runs once.

    Returns
    -------
    dict
        ``wall`` and ``cpu`` in s, all processes of it; ``memory``, the peak of its largest process, in MB;
        ``loads``, heavy packages that it imported.

    Raises
    ------
    BuildError
        If the code fails.
    """
    found = list(_runs(case, 1 if case.fresh else repeats))
    medians = {key: statistics.median(run[key] for run in found) for key in ("wall", "cpu", "memory")}
    return {"case": case.title, "runs": len(found), **medians, "loads": " ".join(found[0]["loads"])}


def _runs(case: Case, repeats: int) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, **({"SYNLOOM_CACHE": cache} if case.fresh else {})}
        if not case.fresh:
            # The first run of a session reads files that later ones find in memory.
            _run(case, environment)
        for _ in range(repeats):
            yield _run(case, environment)


def _run(case: Case, environment: dict[str, str]) -> dict[str, Any]:
    code = _FRAME.format(code=case.code)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"{case.title}: the process failed: {done.stderr.strip().splitlines()[-1:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
