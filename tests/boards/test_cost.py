"""The cost table counts what the synthesiser reports, for every block that has a page."""

import json
import re
from pathlib import Path

import pytest
from amaranth.back import rtlil
from board_files import board_file

from synloom.base.errors import BuildError
from synloom_boards.boards import load_board
from synloom_boards.cost import BLOCKS, SMALL, Cost, main, measure
from synloom_boards.fpga.families import FAMILIES
from synloom_hdl.core.serial_neurons import SerialNeurons

PAGES = Path(__file__).parents[2] / "docs" / "blocks"


@pytest.mark.parametrize("block", ["Recorder", "Wheel", "Traces (target)"])
def test_a_block_can_be_handed_to_the_synthesiser(block):
    assert "module \\top" in rtlil.convert(BLOCKS[block](SMALL), name="top")


def test_every_block_has_its_row_on_a_page():
    rows = "".join(page.read_text() for page in PAGES.glob("*.md"))
    assert [block for block in BLOCKS if not re.search(rf"^\| {re.escape(block)} \| \d", rows, re.M)] == []


def test_an_unknown_block_is_told(capsys):
    assert main(["Looom"]) == 1
    assert "there is no block 'Looom' (did you mean Loom?); blocks are: Loom, Lane" in capsys.readouterr().err


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


def measured(monkeypatch, *arguments):
    """Return the exit code, and the family and the array of each block that was measured."""
    seen = []

    def fake(block, family, params, *, place):
        seen.append((block, family.name, params))
        return Cost(block, dict.fromkeys(family.cells, 0))

    monkeypatch.setattr("synloom_boards.cost.measure", fake)
    return main(list(arguments)), seen


def test_a_board_gives_the_family_the_array_and_the_structure(monkeypatch):
    code, seen = measured(monkeypatch, "Neurons", "--board", "icebreaker")
    assert (code, seen) == (0, [("Neurons", "ice40", load_board("icebreaker").array)])
    code, seen = measured(monkeypatch, "Neurons", "NeuronLane", "--board", "ulx3s-85f", "--set", "lanes=8")
    array = load_board("ulx3s-85f").array.replace(lanes=8)
    assert (code, seen[0]) == (0, ("Neurons", "ecp5", array))


def test_serial_neurons_are_measured_where_the_array_has_them():
    serial = SMALL.replace(serial_neurons=True)
    found = rtlil.convert(BLOCKS["Neurons"](serial), name="top")
    assert found == rtlil.convert(SerialNeurons(serial), name="top")
    assert found != rtlil.convert(BLOCKS["Neurons"](SMALL), name="top")


def test_a_board_has_no_block_that_its_array_lacks(monkeypatch, capsys):
    code, seen = measured(monkeypatch, "NeuronLane", "--board", "icebreaker")
    assert (code, seen) == (1, [])
    assert (
        "this array has no NeuronLane: only arrays with neurons that are not serial"
        in capsys.readouterr().err
    )
    everything = measured(monkeypatch, "--board", "icebreaker")[1]
    assert {"NeuronLane", "Generators"} & {block for block, *_ in everything} == set()
    assert len(everything) == len(BLOCKS) - 2


def test_a_board_is_not_of_another_family(capsys):
    assert main(["Loom", "--board", "icebreaker", "--family", "ecp5"]) == 1
    assert "icebreaker has its own array and is of family ice40" in capsys.readouterr().err
    assert main(["Loom", "--board", "icebraker"]) == 1
    assert "did you mean icebreaker?" in capsys.readouterr().err


def test_a_board_of_a_file_is_measured(monkeypatch, tmp_path):
    code, seen = measured(monkeypatch, "Loom", "--board-file", str(board_file(tmp_path)))
    assert (code, seen[0][1], seen[0][2].neurons) == (0, "ecp5", 16)
