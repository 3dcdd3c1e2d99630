"""The neighbours of a board's array: which there are, and what the table says of them."""

import json

import pytest

from synloom.base.errors import BuildError
from synloom_boards import explore
from synloom_boards.boards import board_names, load_board
from synloom_boards.explore import main, neighbours
from synloom_boards.toolchain.place_and_route import ClockTiming, Placement
from synloom_boards.toolchain.synthesis import Netlist


@pytest.mark.parametrize("name", board_names())
def test_neighbours_are_arrays_that_differ_by_a_step(name):
    base = load_board(name).array
    found = neighbours(base)
    assert found[0] == base
    assert len(set(map(str, found))) == len(found) > 5
    for params in found:
        changed = {k for k, v in params.to_dict().items() if v != base.to_dict()[k]}
        assert changed <= {"lanes", "neuron_lanes", "single_port", "serial_neurons", "neurons"}
        assert params.lanes in (base.lanes // 2, base.lanes, base.lanes * 2)
    assert {params.lanes for params in found} >= {base.lanes}


@pytest.fixture
def tools(monkeypatch):
    """Tools that know what arrays take: 1,000 look-up tables a lane of 3,500, and 100 MHz less the seed."""
    asked = []

    def synthesise(rtlil, folder, family):
        asked.append("synthesis")
        return Netlist(folder / "top.json", {})

    def pack(board, folder):
        lanes = arrays[asked.count("synthesis") - 1]
        if lanes == 16:
            raise BuildError("nextpnr failed: no such part\nmore")
        return {"LUT4": (1000 * lanes, 3500), "OTHER": (1, 2)}

    def place(board, hz, seed, folder, progress):
        asked.append(f"seed {seed}")
        return Placement([ClockTiming("sync", 100.0 - seed, 10.0), ClockTiming("usb", 1.0, 1.0)], {}, None)

    arrays = []
    for function in (synthesise, pack, place):
        monkeypatch.setattr(explore, function.__name__, function)
    monkeypatch.setattr(explore, "make_plan", lambda board, params: arrays.append(params.lanes) or Plan())
    return asked


class Plan:
    """A plan without a design."""

    rtlil, constraints = "", {"top.cst": ""}


def test_what_fits_is_placed_and_what_does_not_says_why(tools, tmp_path, capsys):
    only = [word for lanes in (2, 4, 16) for word in ("--only", f"lanes={lanes}")]
    assert main(["tang-nano-20k", *only, "--seeds", "2", "--json", str(tmp_path / "x.json")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[2].startswith("| lanes=2 | LUT 2,000/3,500 | 108 | 98.0 (2) | 216 |")
    assert out[3].startswith("| (as it is) | does not fit: LUT 4,000/3,500 | 108 | - | 432 |")
    assert out[4].startswith("| lanes=16 | nextpnr failed: no such part | 108 | - |")
    assert tools == ["synthesis", "seed 1", "seed 2", "synthesis", "synthesis"]
    kept = json.loads((tmp_path / "x.json").read_text())
    assert [(a["params"]["lanes"], a["fits"]) for a in kept["arrays"]] == [(2, True), (4, False), (16, False)]
    assert kept["arrays"][0]["clocks_mhz"] == {"1": 99.0, "2": 98.0}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no-such-board"], "no-such-board"),
        (["icebreaker", "--set", "lanes=3"], "lanes must be"),
        (["icebreaker", "--only", "lanes"], "a setting must be NAME=VALUE"),
        (["icebreaker", "--only", "baud=7"], "baud"),
    ],
)
def test_wrong_input_is_one_line(arguments, words, capsys):
    assert main(arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert words in lines[0]
