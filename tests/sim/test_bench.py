"""The bench: a step costs its bound, a line carries what is counted, reports are read as written."""

import json
from dataclasses import replace

import numpy as np
import pytest

from synloom.base.errors import ParameterError
from synloom.contract.frames import RunFlag
from synloom.contract.line_load import line_bytes, raster_words, spike_words
from synloom.contract.params import ArrayParams
from synloom.contract.step_bound import step_bound
from synloom.device.execution import is_running
from synloom.link.client import LinkPort
from synloom_sim.bench.clocks import measure
from synloom_sim.bench.plots import PLOTS, draw
from synloom_sim.bench.report import Report, command_of, read_report
from synloom_sim.bench.tables import TABLES, tables_of
from synloom_sim.bench.workload import QUIET, workload
from synloom_sim.board.design import Design
from synloom_sim.board.transport import SimTransport

PARAMS = ArrayParams(inputs=16, neurons=32, lanes=4, neuron_lanes=2)


class CountingTransport(SimTransport):
    """Counts the bytes of record frames and of all else that the array sends."""

    received = 0

    def read(self, timeout):
        data = super().read(timeout)
        self.received += len(data)
        return data


def run(port, steps):
    """Run, and return all record words."""
    port.run(steps, RunFlag(0))
    words = []
    while True:
        got = port.records(30.0)
        words += got.tolist()
        if not len(got) and not is_running(port):
            return words


@pytest.fixture(scope="module")
def costs():
    runs = [(period, learning, 10) for learning in (True, False) for period in (QUIET, 20, 5, 1)]
    return list(measure(PARAMS, runs))


def test_no_step_is_quicker_than_its_bound(costs):
    for cost in costs:
        # The bound takes spikes as independent; here they are regular.
        assert cost.step_clocks >= 0.99 * cost.bound.clocks, cost


def test_a_silent_step_takes_its_bound(costs):
    for cost in costs:
        if not cost.row_passes:
            assert cost.step_clocks == cost.bound.clocks


def test_a_full_step_takes_its_bound(costs):
    full = [cost for cost in costs if cost.active == 1.0]
    assert len(full) == 2
    for cost in full:
        assert cost.step_clocks == pytest.approx(cost.bound.clocks, abs=4)


def test_passes_that_are_shorter_than_their_dispatch_take_their_bound():
    params = PARAMS.replace(neurons=16, lanes=16)
    for cost in measure(params, [(period, learning, 20) for period in (1, 5) for learning in (True, False)]):
        # One chunk a row: rows wait for the accumulators, columns for the wheel.
        assert cost.step_clocks == pytest.approx(cost.bound.clocks, abs=2), cost


def test_the_workload_has_its_activity(costs):
    for cost, wanted in zip(costs, 2 * (0.0, 0.05, 0.2, 1.0), strict=True):
        assert cost.active == pytest.approx(wanted, abs=0.02)


def test_more_of_anything_costs_more():
    def clocks(**changes):
        return step_bound(PARAMS.replace(**changes), 1.0, 2.0, learning=True).clocks

    assert clocks() < clocks(neurons=64)
    assert clocks() < clocks(lanes=2)
    assert clocks() < clocks(inputs=64)
    few, many = (step_bound(PARAMS, 1.0, n, learning=True) for n in (2.0, 20.0))
    assert few.rows < many.rows
    assert few.columns < many.columns
    assert (few.sweep, few.rest) == (many.sweep, many.rest)


def test_words_of_a_raster_are_those_of_the_recording():
    transport = CountingTransport.build(Design(PARAMS))
    port = LinkPort(transport)
    try:
        for write in workload(PARAMS, 5).writes():
            port.write(*write)
        steps, before = 2000, transport.received
        words = run(port, steps)
        taken = transport.received - before
    finally:
        port.close()
    activity = 0.2
    assert len(words) == pytest.approx(steps * raster_words(PARAMS, activity), rel=0.03)
    assert taken == pytest.approx(line_bytes(len(words)), rel=0.02)


def test_a_bitmap_is_used_where_it_is_not_longer():
    counts = np.array([0, 1, 2, 3, 32])
    assert spike_words(PARAMS, counts).tolist() == [0, 3, 4, 4, 4]
    assert raster_words(PARAMS, 1.0) == 4.0
    assert 0.0 < raster_words(PARAMS, 0.0) < 0.001


def clock_rows(costs):
    return [replace(cost, params=PARAMS.replace(inputs=64, neurons=256, lanes=16)).row() for cost in costs]


def test_a_report_is_read_as_it_was_written(costs, tmp_path):
    report = Report("clocks", "make bench", clock_rows(costs))
    path = report.write(tmp_path)
    assert path == tmp_path / "clocks.json"
    assert read_report(path) == report
    assert set(report.machine) == {"processor", "cores", "architecture", "system", "memory"}
    assert {"Python", "numpy", "synloom"} <= set(report.versions)


def test_a_report_names_no_place(costs, tmp_path):
    text = Report("clocks", "make bench", clock_rows(costs)).write(tmp_path).read_text()
    assert "/" not in text.replace("make bench", "")


def test_a_command_names_no_folder():
    assert command_of("bench", ["clocks", "--folder", "elsewhere", "--short"]) == "bench clocks --short"
    assert command_of("bench", ["--folder=elsewhere", "line"]) == "bench line"


def test_what_is_no_report_is_refused(tmp_path):
    path = tmp_path / "clocks.json"
    with pytest.raises(ParameterError, match="is not a report of the bench"):
        read_report(path)
    for wrong in ("[]", "{}", "no", '{"format": 0}', '{"format": 1, "kind": "clocks"}'):
        path.write_text(wrong)
        with pytest.raises(ParameterError, match="run the bench again"):
            read_report(path)


def test_tables_and_pictures_are_made_of_rows(costs, tmp_path):
    report = Report("clocks", "make bench", clock_rows(costs))
    tables = tables_of(report)
    assert set(tables) == set(TABLES["clocks"])
    assert "| 64 + 256 | 16 | on |" in tables["bench_clocks"]
    assert {path.stem for path in draw(report, tmp_path)} == set(PLOTS["clocks"])


def test_rows_are_plain_values(costs):
    for row in clock_rows(costs):
        assert json.loads(json.dumps(row)) == row
