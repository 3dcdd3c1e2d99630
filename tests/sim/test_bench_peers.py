"""The comparison with other simulators: the same network, timed in turns."""

import numpy as np
import pytest

from synloom.base.errors import BuildError
from synloom_sim.bench.peers.network import TAU_M_MS, THRESHOLD_MV, PeerNetwork
from synloom_sim.bench.peers.runner import compare, row_of
from synloom_sim.bench.peers.targets import OURS, TARGETS, Target
from synloom_sim.bench.peers.worker import Job, Timed, calibrate
from synloom_sim.bench.report import Report
from synloom_sim.bench.tables import TABLES, tables_of

MODEL = next(target for target in TARGETS if target.name == "model")


def test_neurons_spike_about_once_in_sixty_steps():
    network = PeerNetwork(50, learning=False)
    v, fired = network.v.copy(), np.zeros(50, int)
    for _ in range(3000):
        v = network.drive + (v - network.drive) * np.exp(-1.0 / TAU_M_MS)
        spikes = v >= THRESHOLD_MV
        fired += spikes
        v[spikes] = 0.0
    assert fired.mean() / 3000 == pytest.approx(1 / 60, rel=0.03)
    told = np.array([len(steps) for steps in network.spike_steps(3000)])
    assert told.mean() == pytest.approx(fired.mean(), rel=0.03)


def test_synapses_change_little_of_the_activity():
    network = PeerNetwork(64, learning=True)
    assert network.weights.min() >= 0.0
    assert network.weights.max() <= network.w_max
    per_step = network.w_max * 64 / 60
    assert per_step < 0.05 * (network.drive / TAU_M_MS).min()


def test_the_model_runs_in_turns_with_itself(tmp_path):
    job = Job(32, True, "", str(tmp_path))
    found = list(compare([MODEL, MODEL], job, 2, tmp_path))
    rows = [row_of(target, job, facts, runs) for target, facts, runs in found]
    assert len(rows) == 2
    for row in rows:
        assert len(row["all_steps_per_second"]) == 2
        assert row["active"] == pytest.approx(1 / 60, rel=0.1)
        assert row["steps_per_second"] > 100
    tables = tables_of(Report("peers", "make bench-peers", rows))
    assert set(tables) == set(TABLES["peers"])
    assert "| model | all |" in tables["bench_peers"]


def test_a_missing_environment_says_how_to_get_it(tmp_path):
    nest = next(target for target in TARGETS if target.name == "nest")
    with pytest.raises(BuildError, match="try: make bench-peers"):
        list(compare([nest], Job(32, False, "", str(tmp_path)), 1, tmp_path))


def test_a_worker_that_fails_names_its_log(tmp_path):
    wrong = Target("wrong", "no such target", OURS, "no-target")
    with pytest.raises(BuildError, match=r"no such target ended without an answer; see .*\.log"):
        list(compare([wrong], Job(32, False, "", str(tmp_path)), 1, tmp_path))
    assert "no-target" in next(tmp_path.glob("*.log")).read_text()


@pytest.mark.parametrize("rate", [300.0, 20_000.0, 2_000_000.0])
def test_a_run_takes_long_enough_to_be_timed(rate):
    steps = calibrate(lambda count: Timed(count, 0, count / rate, count / rate))
    assert steps % 100 == 0
    assert 0.1 < steps / rate < 1.0


def test_names_of_targets_are_unique():
    assert len({t.name for t in TARGETS}) == len({t.title for t in TARGETS}) == len(TARGETS)
