"""Ranges of energy in text."""

import pytest

from synloom.cli.energy import range_text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((2.41e-9, 1.297e-8), "2.4 to 13 nJ"),
        ((1.9e-7, 4.2e-7), "190 to 420 nJ"),
        ((0.0, 0.5), "0 to 500 mJ"),
        ((1.0, 1.0), "1 J"),
        ((0.0, 0.0), "0 pJ"),
        ((1e-12, 2e-11), "1 to 20 pJ"),
        ((1e-14, 2e-14), "0.01 to 0.02 pJ"),
    ],
)
def test_a_range_has_two_digits_and_one_unit(values, text):
    assert range_text(values, "J") == text
