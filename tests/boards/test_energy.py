"""Clocks, time and energy of a run on boards: the simulated board's counters lie in the range."""

import numpy as np
import pytest

import synloom as sl
from synloom.base.errors import ParameterError
from synloom_boards.bitstreams.stamp import read_stamp
from synloom_boards.boards import board_names, load_board
from synloom_boards.energy import board_watts, run_clocks
from synloom_boards.power import TOGGLE, power_of

PARAMS = sl.ArrayParams(
    inputs=20, neurons=24, lanes=4, segments=32, record_words=512, event_words=64, baud=12_000_000
)
"""The array of tests/host/test_targets.py."""


def network(rate, learns=True):
    made = sl.Network(seed=1)
    noise = made.add(sl.PoissonInput(20, rate=rate, label="noise"))
    cells = made.add(sl.Population(24, sl.LIF(), label="cells"))
    rule = sl.STDP(w_max=9.0) if learns else None
    made.add(sl.Projection(noise, cells, sl.FixedProbability(0.7), weight=2.0, plasticity=rule))
    made.add(sl.Projection(cells, cells, sl.FixedProbability(0.2), weight=-0.1))
    return made


@pytest.mark.parametrize("learns", [True, False])
@pytest.mark.parametrize("rate", [0.0, 10.0, 100.0, 700.0])
def test_the_simulated_board_takes_clocks_within_the_range(rate, learns):
    with sl.connect("sim", sl.compile(network(rate, learns), PARAMS)) as device:
        before = device.counters()
        cost = device.run(200.0).cost
        after = device.counters()
    clocks = after["busy_clocks"] - before["busy_clocks"]
    least, most = run_clocks(PARAMS, cost)
    assert least <= clocks <= most
    # At rest the array skips its sweeps, which the counts of a run do not tell from steps without a spike.
    assert rate == 0.0 or most < 3 * clocks
    chunks, _ = cost.chunks(PARAMS.lanes)
    assert abs(after["chunks"] - chunks) <= 0.02 * chunks + 200
    assert cost.spikes == after["spikes"]


def test_energy_is_power_times_time():
    with sl.connect("model", sl.compile(network(100.0))) as device:
        cost = device.run(100.0).cost
    assert set(cost.boards) == {name for name in board_names() if read_stamp(load_board(name)) is not None}
    assert "icebreaker" in cost.boards
    for name, board in cost.boards.items():
        assert board.watts == board_watts(load_board(name))
        for k in (0, 1):
            assert board.joules[k] == pytest.approx(board.watts[k] * board.seconds[k])
            assert board.joules_per_operation[k] == pytest.approx(board.joules[k] / cost.synaptic_operations)
        assert board.clocks[0] < board.clocks[1]
        assert board.joules[0] < board.joules[1]
        assert "github.com" in board.source
        assert 1e-3 < board.watts[0] < board.watts[1] < 2.0
    assert "generators" in cost.boards["icebreaker"].lacks
    assert cost.boards["ulx3s-85f"].lacks == ()


def test_the_line_is_slower_than_the_clocks():
    with sl.connect("model", sl.compile(network(700.0))) as device:
        cost = device.run(100.0).cost
    board = cost.boards["ulx3s-85f"]
    assert board.seconds[0] == 10 * cost.line_bytes / load_board("ulx3s-85f").array.baud


def test_power_has_a_static_part_and_follows_cells_and_clock():
    power = power_of("LFE5U-25F-6BG381C")
    assert power.watts(0, 1e8) == power.static
    # All registers of an OrangeCrab at full toggle and 100 MHz: 557.9 mW were measured.
    assert np.isclose(power.cell * 24_288 * 1e8, 0.5579, rtol=2e-3)
    assert power.watts(24_288, 1e8)[1] - power.static[1] == pytest.approx(TOGGLE[1] * power.cell * 24_288e8)
    with pytest.raises(ParameterError, match="no power figure for XC7A35T"):
        power_of("XC7A35T")


def test_nothing_done_costs_nothing_per_operation():
    with sl.connect("model", sl.compile(network(0.0))) as device:
        cost = device.run(10.0).cost
    assert cost.synaptic_operations == 0
    assert cost.boards["ulx3s-25f"].joules_per_operation == (0.0, 0.0)
