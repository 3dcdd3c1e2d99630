"""The cost table counts what the synthesiser reports, for every block that has a page."""

import json
import re
from pathlib import Path

import pytest
from amaranth.back import rtlil

from synloom.base.errors import BuildError
from synloom_boards.cost import BLOCKS, SMALL, main, measure
from synloom_boards.fpga.families import FAMILIES

PAGES = Path(__file__).parents[2] / "docs" / "blocks"


@pytest.mark.parametrize("block", ["Recorder", "Wheel", "Traces (target)"])
def test_a_block_can_be_handed_to_the_synthesiser(block):
    assert "module \\top" in rtlil.convert(BLOCKS[block](SMALL), name="top")


def test_every_block_has_its_row_on_a_page():
    rows = "".join(page.read_text() for page in PAGES.glob("*.md"))
    assert [block for block in BLOCKS if not re.search(rf"^\| {re.escape(block)} \| \d", rows, re.M)] == []


def test_an_unknown_block_is_told(capsys):
    assert main(["Looom"]) == 1
    assert "there is no block 'Looom'; blocks are: Loom, Lane" in capsys.readouterr().err


def test_only_what_can_be_placed_alone_is_placed(stand_in):
    cells = {"design": {"num_cells_by_type": {"SB_DFF": 1}}}
    stand_in("YOSYS", f"open('cells.json', 'w').write({json.dumps(json.dumps(cells))})")
    assert measure("Recorder", FAMILIES["ice40"], SMALL).cells["flip-flops"] == 1
    with pytest.raises(BuildError, match="only blocks of ecp5"):
        measure("Recorder", FAMILIES["ice40"], SMALL, place=True)


def test_a_failing_tool_is_told(stand_in):
    stand_in("YOSYS", "print('ERROR: no such cell'); sys.exit(3)")
    with pytest.raises(BuildError, match="yosys failed with exit code 3: ERROR: no such cell"):
        measure("Recorder", FAMILIES["ecp5"], SMALL)
