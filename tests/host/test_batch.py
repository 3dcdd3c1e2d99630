"""A batch gives the bits of single runs, in order; errors, deaths and interruptions lose nothing else."""

import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import batch_functions as functions
import numpy as np
import pytest
from small_networks import dense, learner, relay

import synloom as sl

HERE = Path(__file__).parent


def alone(image, case, duration, weights=()):
    with sl.connect("model", image) as device:
        case.apply(device)
        return device.run(duration), {name: device.read_weights(name) for name in weights}


def same(ours, theirs):
    for name in theirs.sizes:
        np.testing.assert_array_equal(ours.spike_steps[name], theirs.spike_steps[name])
        np.testing.assert_array_equal(ours.spike_indices[name], theirs.spike_indices[name])


def noisy():
    network = sl.Network(seed=7)
    noise = network.add(sl.PoissonInput(16, rate=150.0, label="noise"))
    cells = network.add(sl.Population(12, sl.LIF(), label="cells"))
    rule = sl.STDP(A_plus=0.05, w_max=2.0)
    weight = sl.Uniform(0.0, 2.0)
    network.add(sl.Projection(noise, cells, sl.AllToAll(), weight=weight, plasticity=rule, label="feed"))
    return network


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_image_with_many_cases(jobs):
    image = sl.compile(noisy())
    weights = np.full((16, 12), 1.5)
    cases = [
        sl.Case(),
        *(sl.Case(seed=k) for k in range(3)),
        sl.Case(rates={"noise": 300.0}),
        sl.Case(offsets={"cells": 0.3}, stimulus={"noise": np.ones((5, 16), bool)}),
        sl.Case(weights={"feed": weights}, seed=9),
    ]
    trials = sl.run_batch(image, 200.0, cases=cases, weights=["feed"], jobs=jobs)
    assert [trial.index for trial in trials] == list(range(len(cases)))
    for trial, case in zip(trials, cases, strict=True):
        seeded = image if case.seed is None else image.reseeded(case.seed)
        recording, left = alone(seeded, case, 200.0, ["feed"])
        same(trial.recording, recording)
        np.testing.assert_array_equal(trial.weights["feed"], left["feed"])
        assert trial.counters["steps"] == 200
    assert len({trial.counters["spikes"] for trial in trials}) > 3


def test_many_networks_and_seeds_of_a_network():
    networks = [noisy(), dense(), sl.compile(learner())]
    for trial, what in zip(sl.run_batch(networks, 50.0, jobs=2), networks, strict=True):
        image = what if isinstance(what, sl.Image) else sl.compile(what)
        same(trial.recording, alone(image, sl.Case(), 50.0)[0])
    network = noisy()
    for seed, trial in enumerate(sl.run_batch(network, 50.0, cases=[sl.Case(seed=k) for k in range(3)])):
        other = noisy()
        other.seed = seed
        same(trial.recording, alone(sl.compile(other), sl.Case(), 50.0)[0])
    assert network.seed == 7


def test_a_seed_of_an_image_is_that_of_the_compiler():
    network = noisy()
    image = sl.compile(network)
    assert image.reseeded(7).digest() == image.digest()
    network.seed = 8
    assert image.reseeded(8).registers == sl.compile(network).registers
    assert image.reseeded(8).seed == 8


def test_functions_run_closed_loops_on_any_executor():
    image = sl.compile(dense())
    serial = [t.value for t in sl.run_batch(image, functions.closed_loop, cases=range(6), jobs=1)]
    assert [t.value for t in sl.run_batch(image, functions.closed_loop, cases=range(6), jobs=2)] == serial
    with ThreadPoolExecutor(3) as executor:
        trials = sl.run_batch(image, functions.closed_loop, cases=range(6), executor=executor)
        assert [trial.value for trial in trials] == serial
        assert executor.submit(int, 3).result() == 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_errors_lose_no_other_run(jobs):
    image, seen = sl.compile(relay()), []
    with pytest.raises(
        sl.BatchError, match=r"2 of 7 runs failed.*\n  2: ValueError: case 2 is bad"
    ) as caught:
        sl.run_batch(
            image, functions.fails_at, cases=range(7), jobs=jobs, progress=lambda *args: seen.append(args)
        )
    assert [trial.value for trial in caught.value.trials] == [0, 1, None, 3, 4, None, 6]
    assert seen[-1] == ("7 of 7 runs", 1.0)
    assert "fails_at" in caught.value.trials[2].error.trace
    assert len(pickle.loads(pickle.dumps(caught.value)).trials) == 7
    trials = sl.run_batch(image, functions.fails_at, cases=range(7), jobs=jobs, raises=False)
    with pytest.raises(sl.SynloomError, match="run 5 of the batch failed"):
        _ = trials[5].recording


def test_a_process_that_dies_loses_no_other_run():
    image = sl.compile(relay())
    trials = sl.run_batch(image, functions.dies_at, cases=range(8), jobs=2, raises=False)
    assert [trial.value for trial in trials] == [0, 1, 2, None, 4, 5, 6, 7]
    assert "ended abruptly" in str(trials[3].error)
    trials = sl.run_batch(image, functions.cannot_return, cases=range(3), jobs=2, raises=False)
    assert [trial.value for trial in trials] == [0, None, 2]
    assert "ickle" in str(trials[1].error)


def test_an_executor_that_breaks_loses_nothing_that_has_ended():
    class Gone(ThreadPoolExecutor):
        """Cancels its third job, and takes none after its fifth."""

        taken = 0

        def submit(self, function, /, *args):
            self.taken += 1
            if self.taken > 5:
                raise RuntimeError("the scheduler is gone")
            if self.taken == 3:
                lost = Future()
                lost.cancel()
                lost.set_running_or_notify_cancel()
                return lost
            return super().submit(function, *args)

    with Gone(1) as executor:
        trials = sl.run_batch(
            sl.compile(relay()), functions.closed, cases=range(7), executor=executor, raises=False
        )
    assert [trial.value for trial in trials] == [0, 1, None, 3, 4, None, None]
    assert "its executor cancelled it" in str(trials[2].error)
    assert "takes no more jobs: the scheduler is gone" in str(trials[6].error)


def test_processes_that_never_start_are_told_once():
    with pytest.raises(sl.DeviceError, match=r"end as soon as they start.*__main__"):
        sl.run_batch(sl.compile(relay()), functions.always_dies, cases=range(8), jobs=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 5.0), "networks must be an Image"),
        (([], 5.0), "at least one network"),
        ((relay(), "5"), "run must be a time in ms"),
        ((relay(), True), "run must be a time in ms"),
        (([relay(), relay()], 5.0, [1, 2, 3]), "2 networks and 3 cases"),
        ((relay(), 5.0, []), "at least one network and one case"),
        ((relay(), 5.0, 5), "cases must be a list"),
        ((relay(), 5.0, sl.Case(seed=1)), "cases must be a list"),
        ((relay(), 5.0, {"a": 1}), "cases must be a list"),
        ((relay(), 5.0, [sl.Case(), 3]), "case 1 must be a Case, because run is a time, not 3"),
        ((relay(), float("nan")), "run must be at least 0, not nan"),
        ((relay(), -1.0), "run must be at least 0, not -1"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(sl.ParameterError, match=message):
        sl.run_batch(*arguments[:2], cases=arguments[2] if len(arguments) > 2 else None)
    with pytest.raises(sl.ParameterError, match="seed must be in"):
        sl.Case(seed=-1)
    with pytest.raises(sl.ParameterError, match=r"rates must be a mapping .*, not 'retina'"):
        sl.Case(rates="retina")
    for options, message in [
        ({"weights": "feed"}, "weights must be a list"),
        ({"weights": None}, "weights must be a list"),
        ({"executor": "threads"}, "executor must be a concurrent.futures.Executor, not 'threads'"),
        ({"raises": "no"}, "raises must be True or False"),
        ({"progress": 3}, "progress must be a function"),
        ({"jobs": 2, "executor": ThreadPoolExecutor(1)}, "jobs and executor exclude one another"),
    ]:
        with pytest.raises(sl.ParameterError, match=message):
            sl.run_batch(relay(), 5.0, **options)
    with pytest.raises(sl.ParameterError, match="cannot be sent to another process"):
        sl.run_batch(relay(), lambda device, case: 1, cases=range(2), jobs=2)


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
import synloom as sl
import batch_functions
from small_networks import relay
if __name__ == "__main__":
    sl.run_batch(sl.compile(relay()), batch_functions.sleeps, cases=[{file!r}] * 4, jobs=2)
"""


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_after_an_interruption(number, tmp_path):
    file, script = tmp_path / "pids", tmp_path / "script.py"
    script.write_text(SCRIPT.format(here=str(HERE), file=str(file)))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    process = subprocess.Popen(
        [sys.executable, str(script)], env=env, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    until(lambda: file.exists() and len(file.read_text().split()) >= 2)
    workers = [int(pid) for pid in file.read_text().split()]
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    _, errors = process.communicate(timeout=30.0)
    until(lambda: not any(map(alive, workers)))
    if number == signal.SIGINT:
        assert errors.count("Traceback") == 1
        assert errors.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("time", [np.float32(5.0), np.int64(5), 5])
def test_a_time_is_any_number(time):
    (trial,) = sl.run_batch(relay(), time, jobs=1)
    assert trial.recording.steps == 5
