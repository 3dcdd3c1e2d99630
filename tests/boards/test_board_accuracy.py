"""The accuracy of the boards' arrays is measured against closed forms, and coarse formats show."""

import pytest

from synloom.contract import ArrayParams
from synloom_boards.accuracy import STEPS, formats_of, measure_accuracy
from synloom_boards.boards import load_board


def test_wide_formats_are_exact():
    got = measure_accuracy(formats_of(ArrayParams()))
    for dt in STEPS:
        assert got.area[dt] == pytest.approx(0.0, abs=1e-3)
        assert got.worst_area[dt] < 5e-3
        # Six standard deviations of the stochastic rounding of 8,192 changes.
        assert got.stdp[dt] == pytest.approx(0.0, abs=0.06)
    assert got.theta == pytest.approx(0.0, abs=0.01)


def test_narrow_formats_are_less_exact_and_a_feature_that_is_off_is_said():
    wide, narrow = (measure_accuracy(formats_of(load_board(n).array)) for n in ("ulx3s-85f", "icebreaker"))
    assert narrow.worst_area[0.1] > wide.worst_area[0.1] > 0.005
    assert narrow.theta is None
    assert "off" in narrow.row()
    assert abs(narrow.area[0.1]) < 0.02
