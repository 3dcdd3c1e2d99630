"""A sweep on a Dask cluster survives the death of a worker and of its client, and equals the serial one."""

import csv
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from experiment_files import write

import synloom as sl
from synloom.batch.cluster import cluster_executor

HERE = Path(__file__).parent
SWEEP = "from synloom.cli.main import main; main()"


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@pytest.fixture
def cluster():
    """Yield the cluster's address and a function that returns the workers' process numbers."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "local_cluster.py")],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )

    def workers():
        process.stdin.write("\n")
        process.stdin.flush()
        return [int(pid) for pid in process.stdout.readline().split()]

    try:
        yield process.stdout.readline().strip(), workers
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=60.0)


def start(arguments, folder):
    # A client of its own process group gets its Ctrl-C alone.
    return subprocess.Popen(
        [sys.executable, "-c", SWEEP, "sweep", *map(str, arguments)],
        env=environment(),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(count, results, process):
    end = time.monotonic() + 300.0
    while len(list(results.rglob("*.json"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("tasks", [24, pytest.param(200, marks=pytest.mark.slow)])
def test_a_worker_is_killed_and_the_client_interrupted(tasks, cluster, tmp_path):
    address, workers = cluster
    file, out = write(tmp_path), tmp_path / "out"
    arguments = [file, "--set", "populations.left.tau_m=10,20", "--seeds", f"0..{tasks // 2 - 1}"]
    arguments += ["--cluster", address, "--out", out, "--json"]

    client = start(arguments, tmp_path)
    wait_for(tasks // 6, out / "results", client)
    killed = workers()[0]
    os.kill(killed, signal.SIGKILL)
    wait_for(tasks // 3, out / "results", client)
    client.send_signal(signal.SIGINT)
    _, errors = client.communicate(timeout=60.0)
    assert client.returncode == 130, errors
    assert "the same command goes on" in errors
    assert "Traceback" not in errors
    before = {path: path.stat().st_mtime_ns for path in (out / "results").rglob("*.json")}
    assert tasks // 3 <= len(before) < tasks

    client = start(arguments, tmp_path)
    printed, errors = client.communicate(timeout=600.0)
    assert client.returncode == 0, errors
    answer = json.loads(printed)
    assert (answer["results"], answer["found"], answer["failed"]) == (tasks, len(before), [])
    assert killed not in workers()

    after = list((out / "results").rglob("*.json"))
    assert len(after) == tasks
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    grid, seeds = {"populations.left.tau_m": [10, 20]}, range(tasks // 2)
    serial = sl.sweep(file, grid=grid, seeds=seeds, jobs=1)
    with (out / "table.csv").open() as table:
        digests = [row["digest"] for row in csv.DictReader(table)]
    assert digests == [row["digest"] for row in serial.rows]
    assert len(set(digests)) == tasks


def test_a_call_that_is_cancelled_prints_no_traceback_and_others_do(cluster, caplog):
    from distributed.client import FutureCancelledError

    def report(error):
        logging.getLogger("tornado.application").error("in callback", exc_info=error)

    with cluster_executor(cluster[0]):
        report(FutureCancelledError("a call", "it was left"))
        assert not caplog.records
        report(OSError("no room"))
        assert len(caplog.records) == 1


def test_a_result_on_its_way_when_the_sweep_is_left_prints_no_traceback(cluster, caplog, monkeypatch):
    from distributed import Client
    from distributed.comm import CommClosedError

    def report():
        logging.getLogger("tornado.application").error(
            "in callback", exc_info=CommClosedError("in <TCP (closed)>: Stream is closed")
        )

    real = Client.close

    def close(self, *arguments, **options):
        report()
        return real(self, *arguments, **options)

    with cluster_executor(cluster[0]):
        report()
        assert len(caplog.records) == 1  # nobody has left yet: the cluster itself is gone
        monkeypatch.setattr(Client, "close", close)
    assert len(caplog.records) == 1
