"""What the bench says of a start is true of the process that started, whoever started it."""

import numpy as np
import pytest

from synloom.base.errors import BuildError
from synloom_sim.bench.startup import Case, measure_case


def test_memory_is_that_of_the_process_itself():
    here = np.ones(50_000_000)  # 400 MB in this process, which is not the one measured
    empty = measure_case(Case("nothing", "pass"), 1)
    assert 3 < empty["memory"] < 60
    full = measure_case(Case("100 MB", "data = bytearray(b'x') * 100_000_000"), 1)
    assert full["memory"] - empty["memory"] == pytest.approx(100e6 / (1 << 20), abs=8)
    assert here.size


def test_time_is_that_of_the_code():
    slept = measure_case(Case("sleep", "time.sleep(0.3)"), 1)
    assert slept["wall"] >= 0.3
    assert slept["cpu"] < 0.25


def test_code_that_fails_is_told():
    with pytest.raises(BuildError, match=r"broken: the process failed.*ValueError: no"):
        measure_case(Case("broken", "raise ValueError('no')"), 1)
