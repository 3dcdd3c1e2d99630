"""PLL settings make the frequencies that they say, within the vendors' limits."""

from fractions import Fraction

import pytest

from synloom.base.errors import ParameterError
from synloom_boards.fpga.pll import SOLVERS, solve


@pytest.mark.parametrize(("wanted", "divf"), [(18_000_000, 47), (21_000_000, 55), (24_000_000, 63)])
def test_ice40_settings_are_those_of_icepll(wanted, divf):
    setting = solve("ice40", 12_000_000, wanted)
    p = setting.parameters
    assert (p["DIVR"], p["DIVF"], p["DIVQ"], p["FILTER_RANGE"]) == (0, divf, 5, 1)
    assert setting.hz == wanted


@pytest.mark.parametrize("wanted", [65_000_000, 75_000_000, 85_000_000, 100_000_000])
def test_ecp5_makes_round_frequencies_from_25_mhz(wanted):
    setting = solve("ecp5", 25_000_000, wanted)
    p = setting.parameters
    assert setting.hz == wanted
    assert 25e6 / p["CLKI_DIV"] * p["CLKFB_DIV"] * p["CLKOP_DIV"] / p["CLKOS_DIV"] == wanted
    assert 400e6 <= setting.oscillator <= 800e6
    assert 10e6 <= setting.comparison <= 400e6


@pytest.mark.parametrize(("kind", "wanted"), [("gw1nr-9", 40_500_000), ("gw2ar-18", 54_000_000)])
def test_gowin_settings_follow_its_formula(kind, wanted):
    setting = solve(kind, 27_000_000, wanted)
    p = setting.parameters
    assert 27e6 * (p["FBDIV_SEL"] + 1) / (p["IDIV_SEL"] + 1) == wanted == setting.hz
    assert setting.oscillator == wanted * p["ODIV_SEL"]
    low, high = (400e6, 1200e6) if kind == "gw1nr-9" else (500e6, 1250e6)
    assert low <= setting.oscillator <= high


def test_the_nearest_frequency_is_taken():
    setting = solve("gw2ar-18", 27_000_000, 50_000_000)
    assert setting.hz != 50_000_000
    others = [s.frequency for s in SOLVERS["gw2ar-18"](Fraction(27_000_000))]
    assert min(abs(f - 50_000_000) for f in others) == abs(setting.frequency - 50_000_000) > 0


def test_what_no_setting_makes_is_told():
    with pytest.raises(
        ParameterError, match=r"cannot make 5 MHz from 12 MHz; the nearest is clock_hz = 17625000"
    ):
        solve("ice40", 12_000_000, 5_000_000)


def test_a_clock_out_of_range_is_told():
    with pytest.raises(ParameterError, match="cannot work with a clock of 1 MHz"):
        solve("ice40", 1_000_000, 24_000_000)
