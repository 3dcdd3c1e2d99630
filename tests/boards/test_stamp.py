"""A stamp says what a board's last build reached, and of which gateware it was."""

import dataclasses
import json

import pytest

from synloom_boards.bitstreams import stamp as stamps
from synloom_boards.bitstreams.elaboration import make_plan
from synloom_boards.bitstreams.stamp import read_stamp, renew_stamp, stamped_seed, write_stamp
from synloom_boards.board_table import board_row
from synloom_boards.boards import load_board
from synloom_boards.toolchain.place_and_route import ClockTiming

BOARD = load_board("icebreaker")


def test_a_stamp_says_what_the_build_reached(stamped):
    stamp = read_stamp(BOARD)
    assert stamp.report.to_json() == stamped.to_json()
    assert stamp.is_current(BOARD)


def test_a_stamp_of_another_gateware_is_not_current(stamped, monkeypatch):
    monkeypatch.setattr(stamps, "gateware_digest", lambda board: "0" * 32)
    assert not read_stamp(BOARD).is_current(BOARD)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"gateware": "0"}', '{"seeds": 1}'])
def test_a_damaged_stamp_is_none(stamped, text):
    stamps.stamp_path(BOARD).write_text(text)
    assert read_stamp(BOARD) is None
    assert board_row(BOARD)["fmax"] is None


def test_a_stamp_of_an_array_that_is_no_longer_possible_is_none(stamped):
    path = stamps.stamp_path(BOARD)
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "params": {**values["params"], "colours": 3}}))
    assert read_stamp(BOARD) is None


def test_the_seed_that_met_the_timing_comes_first(stamped):
    assert stamped_seed(BOARD, stamped.array) == 7
    assert stamped_seed(BOARD, stamped.array.replace(neurons=15)) == 1


def test_a_stamp_names_the_seeds_and_which_met_the_timing(stamped):
    write_stamp(BOARD, stamped, {1: 23.9, 2: 24.1, 3: 22.0})
    stamp = read_stamp(BOARD)
    assert stamp.seeds == {1: 23.9, 2: 24.1, 3: 22.0, 7: 25.0}
    assert stamp.seeds_met == (2, 7)
    assert board_row(BOARD)["seeds"] == [2, 4]


def test_the_strictest_clock_decides_whether_a_seed_met_the_timing(stamped):
    input_clock = ClockTiming("sync", 300.0, 25.5)
    write_stamp(BOARD, dataclasses.replace(stamped, clocks=[*stamped.clocks, input_clock]), {1: 26.0})
    assert read_stamp(BOARD).seeds_met == (1,)


def test_seeds_of_the_same_design_stay_and_those_of_another_go(stamped):
    write_stamp(BOARD, stamped, {1: 23.9})
    write_stamp(BOARD, stamped)
    assert read_stamp(BOARD).seeds == {1: 23.9, 7: 25.0}
    write_stamp(BOARD, dataclasses.replace(stamped, digest="0" * 32))
    assert read_stamp(BOARD).seeds == {7: 25.0}


def test_a_stamp_without_seeds_has_that_of_its_build(stamped):
    path = stamps.stamp_path(BOARD)
    values = json.loads(path.read_text())
    del values["seeds"]
    path.write_text(json.dumps(values))
    assert (read_stamp(BOARD).seeds, read_stamp(BOARD).seeds_met) == ({7: 25.0}, (7,))


def test_only_a_stamp_whose_design_is_as_it_was_is_renewed(stamped, monkeypatch):
    """The gateware's code changed, and its design for this board did not, or did."""
    digest = make_plan(BOARD, BOARD.array).digest(stamped.tools)
    with monkeypatch.context() as before:
        before.setattr(stamps, "gateware_digest", lambda board: "0" * 32)
        write_stamp(BOARD, dataclasses.replace(stamped, digest=digest), {1: 23.9})
    assert not read_stamp(BOARD).is_current(BOARD)
    assert renew_stamp(BOARD)
    assert read_stamp(BOARD).is_current(BOARD)
    assert read_stamp(BOARD).seeds == {1: 23.9, 7: 25.0}
    with monkeypatch.context() as before:
        before.setattr(stamps, "gateware_digest", lambda board: "0" * 32)
        write_stamp(BOARD, dataclasses.replace(stamped, digest="1" * 32))
    assert not renew_stamp(BOARD)
    assert not read_stamp(BOARD).is_current(BOARD)
    stamps.stamp_path(BOARD).unlink()
    assert not renew_stamp(BOARD)
