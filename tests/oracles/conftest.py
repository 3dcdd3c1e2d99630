"""Tests against other simulators: `make oracles` runs them, in a .venv of its own that has NEST."""

import os
from importlib import import_module
from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session")
def nest_runs():
    """The module that runs NEST; `make oracles` sets CI, and then a missing NEST is a failure."""
    if find_spec("nest") is None and not os.environ.get("CI"):
        pytest.skip("NEST is missing; try: make oracles")
    return import_module("nest_runs")
