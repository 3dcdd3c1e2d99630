"""Settings of a command line are array parameters."""

import pytest

from synloom.base.errors import ParameterError
from synloom.contract import ArrayParams
from synloom_boards.cost import SMALL
from synloom_boards.settings import parse_settings


def test_settings_are_array_parameters():
    params = parse_settings(["neurons=32", "lanes=4", "neuron_lanes=1", "reward=false"])
    assert params == ArrayParams(neurons=32, lanes=4, neuron_lanes=1, reward=False)
    assert parse_settings(["lanes=2"], SMALL) == SMALL.replace(lanes=2)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("neurons", "must be NAME=VALUE"),
        ("neurons=many", "must be NAME=VALUE"),
        ("neurones=3", "unknown array parameter 'neurones'"),
        ("neurons=0", r"neurons must be in 1\.\.2048, not 0"),
    ],
)
def test_wrong_settings_are_told(setting, message):
    with pytest.raises(ParameterError, match=message):
        parse_settings([setting])
