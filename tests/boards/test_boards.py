"""Every board can be elaborated, has its pins, and holds what it promises."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from small_boards import SMALL

from synloom.base.errors import ParameterError
from synloom_boards.bitstreams.elaboration import make_plan
from synloom_boards.board_checks import check_board
from synloom_boards.boards import board_names, load_board
from synloom_boards.fpga.families import FAMILIES
from synloom_boards.speed import steps_per_second

BARS = {
    "icebreaker": (256, 256, 1_390),
    "icesugar": (256, 256, 1_390),
    "colorlight-i5": (64, 256, 53_000),
    "icepi-zero": (64, 256, 53_000),
    "ulx3s-25f": (64, 256, 53_000),
    "ulx3s-85f": (64, 512, 29_000),
    "tang-nano-9k": (64, 128, 20_000),
    "tang-nano-20k": (64, 224, 50_000),
}
"""Least inputs, neurons and steps per second at 5 % activity of each board."""

PINS = {
    "icebreaker": {"clk12_0__io": "35", "uart_0__rx__io": "6", "uart_0__tx__io": "9", "led_0__io": "11"},
    "icesugar": {"clk12_0__io": "35", "uart_0__rx__io": "4", "uart_0__tx__io": "6", "led_0__io": "40"},
    "icepi-zero": {
        "clk50_0__io": "M1",
        "uart_0__rx__io": "K16",
        "uart_0__tx__io": "K15",
        "led_0__io": "E13",
    },
    "colorlight-i5": {
        "clk25_0__io": "P3",
        "uart_0__rx__io": "H18",
        "uart_0__tx__io": "J17",
        "led_0__io": "U16",
    },
    "ulx3s-25f": {"clk25_0__io": "G2", "uart_0__rx__io": "M1", "uart_0__tx__io": "L4", "led_2__io": "C1"},
    "ulx3s-85f": {"clk25_0__io": "G2", "uart_0__rx__io": "M1", "esp32_0__gpio0__io": "L2"},
    "tang-nano-9k": {"clk27_0__io": "52", "uart_0__rx__io": "18", "uart_0__tx__io": "17", "led_0__io": "10"},
    "tang-nano-20k": {"clk27_0__io": "4", "uart_0__rx__io": "70", "uart_0__tx__io": "69", "led_0__io": "15"},
}

LINES = {"ice40": "set_io {} {}\n", "ecp5": 'LOCATE COMP "{}" SITE "{}";\n', "gowin": 'IO_LOC "{}" {};\n'}


@pytest.mark.parametrize("name", BARS)
def test_a_board_promises_what_it_must(name):
    inputs, neurons, steps = BARS[name]
    array = load_board(name).array
    assert array.inputs >= inputs
    assert array.neurons >= neurons
    assert steps_per_second(array) >= steps
    assert array.plasticity
    assert array.stochastic_rounding


def test_there_is_no_other_board():
    assert set(board_names()) == set(BARS)


@pytest.mark.parametrize(
    "name", ["colorlight-i5", "icepi-zero", "icesugar", "ulx3s-85f", "tang-nano-9k", "tang-nano-20k"]
)
def test_a_design_has_the_boards_pins_and_its_pll(name):
    board = load_board(name)
    plan = make_plan(board, board.array.replace(**SMALL))
    constraints = "".join(plan.constraints.values())
    for port, pin in PINS[name].items():
        assert LINES[board.family_name].format(port, pin) in constraints
    primitive = board.pll_setting(board.params).primitive
    assert plan.rtlil.count(f"cell \\{primitive} ") == 1
    assert plan.params.clock_hz == board.array.clock_hz


def test_the_small_plan_is_the_icebreakers(small_plan):
    constraints = small_plan.constraints["top.pcf"]
    for port, pin in PINS["icebreaker"].items():
        assert LINES["ice40"].format(port, pin) in constraints
    assert "cell \\SB_PLL40_PAD " in small_plan.rtlil


def test_a_digest_follows_design_pins_and_tools_but_not_the_seed(small_plan):
    tools = {"yosys": "1"}
    digest = small_plan.digest(tools)
    assert digest == small_plan.digest(dict(tools))
    assert digest != small_plan.digest({"yosys": "2"})


def test_a_clock_becomes_what_the_pll_makes():
    board = load_board("tang-nano-20k")
    fitted = board.fit(board.params.replace(clock_hz=50_000_000))
    assert fitted.clock_hz == board.pll_setting(fitted).hz != 50_000_000


def test_a_line_rate_that_the_clock_cannot_make_is_told():
    board = load_board("icebreaker")
    with pytest.raises(ParameterError, match=r"24 MHz cannot make 5,500,000 baud: the nearest is 6,000,000"):
        board.fit(board.params.replace(clock_hz=24_000_000, baud=5_500_000))


@pytest.mark.parametrize("name", BARS)
def test_a_boards_family_is_known_to_the_gateware(name):
    assert load_board(name).family_name in FAMILIES
    assert load_board(name).platform().fpga_family == load_board(name).family_name
    assert load_board(name).platform().distributed_bits == load_board(name).distributed_bits


def test_boards_are_known_without_amaranth():
    code = (
        "import sys; sys.modules['amaranth'] = None\n"
        "from synloom_boards.board_table import board_rows\n"
        "print(len(board_rows()))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == f"{len(BARS)}\n"


def test_the_page_about_new_boards_shows_one_in_less_than_40_lines():
    page = (Path(__file__).parents[2] / "docs" / "boards" / "add-your-board.md").read_text()
    code, orangecrab = (part.partition("```")[0] for part in page.split("```python\n")[1:])
    names = {}
    exec(code, names)
    (board,) = names["BOARDS"]
    check_board(board)
    assert len(code.splitlines()) < 40
    assert board.array.clock_hz == 79_687_500
    assert board.platform().fpga_family == "ecp5"
    exec(orangecrab, names)
    other = replace(board, pins=names["pins"], clock="clk", input_hz=48_000_000)
    assert other.platform().resources["led", 2].ios[0].names == ["J3"]
