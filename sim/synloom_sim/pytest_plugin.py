"""Synloom's plugin for pytest: a connected target as a fixture.

pytest loads this module in every project of an environment, so it imports nothing of ours until it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from synloom.device.device import Device

__all__ = ["pytest_addoption", "pytest_configure", "synloom_board"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--synloom-target` and `--synloom-baud`."""
    group = parser.getgroup("synloom", "Synloom")
    group.addoption(
        "--synloom-target",
        default="software",
        metavar="TARGET",
        help="what `synloom_board` is: software, model, fast, sim, sim-pins or the path of a serial "
        "port, also with faults such as 'sim?faults=light' (default: software)",
    )
    group.addoption("--synloom-baud", type=int, metavar="RATE", help="rate of a serial port, bits per second")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker `synloom_array`."""
    config.addinivalue_line(
        "markers",
        "synloom_array(**fields): the array that `synloom_board` has, as fields of ArrayParams; a board must "
        "have this array",
    )


@pytest.fixture
def synloom_board(request: pytest.FixtureRequest) -> Iterator[Device]:
    """Yield a device on the target of `--synloom-target`, empty; it is closed after the test."""
    from synloom.base.errors import SynloomError
    from synloom.contract.params import ArrayParams
    from synloom.device.targets import connect

    target = request.config.getoption("--synloom-target")
    baud = request.config.getoption("--synloom-baud")
    marker = request.node.get_closest_marker("synloom_array")
    if marker is not None and marker.args:
        pytest.fail(
            f"synloom_board: synloom_array takes fields by name, such as neurons=16, not {marker.args[0]!r}",
            pytrace=False,
        )
    try:
        params = None if marker is None else ArrayParams.from_dict(marker.kwargs)
        device = connect(target, params, **({} if baud is None else {"baud": baud}))
    except SynloomError as error:
        pytest.fail(f"synloom_board: {error}", pytrace=False)
    with device:
        yield device
