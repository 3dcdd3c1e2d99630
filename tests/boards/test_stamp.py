"""A stamp says what a board's last build reached, and of which gateware it was."""

import json

import pytest

from synloom_boards.bitstreams import stamp as stamps
from synloom_boards.bitstreams.stamp import read_stamp, stamped_seed
from synloom_boards.board_table import board_row
from synloom_boards.boards import load_board

BOARD = load_board("icebreaker")


def test_a_stamp_says_what_the_build_reached(stamped):
    stamp = read_stamp(BOARD)
    assert stamp.report.to_json() == stamped.to_json()
    assert stamp.is_current(BOARD)


def test_a_stamp_of_another_gateware_is_not_current(stamped, monkeypatch):
    monkeypatch.setattr(stamps, "gateware_digest", lambda board: "0" * 32)
    assert not read_stamp(BOARD).is_current(BOARD)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"gateware": "0"}'])
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
