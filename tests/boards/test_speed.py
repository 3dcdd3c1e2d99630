"""The bound of a step follows the sizes and the structure of an array, and the line that of its raster."""

import pytest

from synloom.contract import ArrayParams
from synloom.contract.line_load import raster_words
from synloom.contract.serial_program import serial_program
from synloom_boards.speed import line_steps_per_second, step_clocks, steps_per_second

PARAMS = ArrayParams(inputs=64, neurons=256, lanes=16, neuron_lanes=4)


def test_the_bound_holds_sweep_and_passes():
    work = 64 + 0.05 * 320 * 16 + 0.05 * 256 * 20
    assert work < step_clocks(PARAMS) < 1.25 * work


def test_without_plasticity_there_are_no_column_passes():
    off = PARAMS.replace(plasticity=False, soft_bounds=False, stochastic_rounding=False, reward=False)
    columns = 0.5 * 256 * 20
    assert step_clocks(off, 0.5) < step_clocks(PARAMS, 0.5) - columns + 0.5 * 256 * 6


def test_a_single_port_doubles_the_passes():
    double = PARAMS.replace(neuron_lanes=1, serial_neurons=True)
    single = double.replace(single_port=True)
    work = 320 * 16 + 256 * 20
    assert step_clocks(single, 1.0) - step_clocks(double, 1.0) == pytest.approx(work)


def test_serial_neurons_lengthen_the_sweep():
    serial = PARAMS.replace(neuron_lanes=1, serial_neurons=True)
    clocks = 256 * serial_program(serial).clocks
    assert clocks < step_clocks(serial, 1e-5) < clocks + 100
    assert step_clocks(serial, 0.0) < 100
    assert step_clocks(serial.replace(single_port=True), 0.0) > clocks


def test_steps_follow_the_clock():
    assert steps_per_second(PARAMS) == pytest.approx(PARAMS.clock_hz / step_clocks(PARAMS))


def test_a_megabaud_carries_about_three_thousand_steps():
    assert raster_words(PARAMS, 0.05) == pytest.approx(14.6, abs=0.3)
    assert line_steps_per_second(PARAMS) == pytest.approx(3300, rel=0.05)
    assert line_steps_per_second(PARAMS.replace(baud=3_000_000)) == pytest.approx(
        3 * line_steps_per_second(PARAMS)
    )


def test_the_best_rate_is_that_of_the_bridge_or_of_the_array():
    quick = line_steps_per_second(PARAMS, most_baud=3_000_000)
    assert quick == pytest.approx(3 * line_steps_per_second(PARAMS))
    # Four clocks a bit are the fewest that the receiver needs.
    slow = PARAMS.replace(clock_hz=8_000_000)
    assert line_steps_per_second(slow, most_baud=3_000_000) == pytest.approx(2 / 3 * quick)


def test_the_line_is_not_endless_in_silence():
    assert line_steps_per_second(PARAMS, 0.0) > 100 * line_steps_per_second(PARAMS)
