"""The bench of calls measures calls that do what they say."""

import pytest

import synloom
from synloom_sim.bench import calls
from synloom_sim.bench.tables import TABLES


@pytest.mark.parametrize("name", calls.CALLS)
def test_a_call_runs_its_steps_and_neurons_fire(name):
    call, steps = calls.CALLS[name]
    with synloom.connect("model", calls.image()) as device:
        for _ in range(3):
            call(device)
        assert device.counters()["steps"] == 3 * steps
        if "raster" in name or "row" in name or "list" in name:
            for _ in range(40):
                device.step({"in": next(calls.ROWS)})
            assert device.counters()["spikes"] > 0


def test_the_table_has_all_calls():
    rows = list(calls.call_rows(seconds=0.0, rounds=1))
    assert {row["call"] for row in rows} == set(calls.CALLS)
    assert all(
        row["steps_per_second"] == pytest.approx(row["steps"] * 1e6 / row["microseconds"]) for row in rows
    )
    (table,) = (make(rows) for make in TABLES["calls"].values())
    assert table.count("\n") == 2 + len(rows)
