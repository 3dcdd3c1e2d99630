"""The bound of a step follows the sizes and the structure of an array."""

import pytest

from synloom.contract import ArrayParams
from synloom_boards.speed import step_clocks, steps_per_second

PARAMS = ArrayParams(inputs=64, neurons=256, lanes=16, neuron_lanes=4)


def test_the_bound_is_sweep_and_passes():
    assert step_clocks(PARAMS) == 64 + 0.05 * 320 * 16 + 0.05 * 256 * 20
    assert step_clocks(PARAMS, 0.0) == 64


def test_without_plasticity_there_are_no_column_passes():
    off = PARAMS.replace(plasticity=False, soft_bounds=False, stochastic_rounding=False, reward=False)
    assert step_clocks(off) == 64 + 0.05 * 320 * 16


def test_a_single_port_doubles_the_passes():
    double = PARAMS.replace(neuron_lanes=1, serial_neurons=True)
    single = double.replace(single_port=True)
    passes = step_clocks(double) - step_clocks(double, 0.0)
    assert step_clocks(single) - step_clocks(single, 0.0) == pytest.approx(2 * passes)


def test_serial_neurons_lengthen_the_sweep():
    serial = PARAMS.replace(neuron_lanes=1, serial_neurons=True)
    assert step_clocks(serial, 0.0) == 256 * serial.serial_clocks


def test_steps_follow_the_clock():
    assert steps_per_second(PARAMS) == pytest.approx(PARAMS.clock_hz / step_clocks(PARAMS))
