"""Stamps and tables are as old as the gateware that they describe."""

import pytest

from synloom.base.errors import BuildError
from synloom_boards import stamps
from synloom_boards.bitstream_build import build_bitstream
from synloom_boards.board import board_names, load_board
from synloom_boards.board_table import board_row, board_rows, markdown_table, replace_table
from synloom_boards.build_all import PAGES
from synloom_boards.gateware_digest import code_of, gateware_digest
from synloom_boards.stamps import read_stamp, stamped_seed, write_stamp

BOARD = load_board("icebreaker")


def written_table(page):
    """Return the table between the markers of a page."""
    return page.read_text().partition("writes this) -->\n")[2].partition("<!-- boards: end -->")[0]


@pytest.fixture
def stamped(flow, monkeypatch, tmp_path):
    """A stamp of a stand-in's build, in a folder of its own."""
    monkeypatch.setattr(stamps, "stamp_path", lambda board: tmp_path / "stamps" / f"{board.name}.json")
    flow(fmax={7: 25.0})
    report = build_bitstream(BOARD, BOARD.array, seeds=[7]).report
    write_stamp(BOARD, report)
    return report


SOURCE = '''"""Module."""

X = "a # b"  # why


def f():
    """Return it.

    Twice.
    """
    return X
'''


def test_comments_and_docstrings_are_no_code():
    assert code_of(SOURCE) == 'X = "a # b"\ndef f():\n    return X'


def test_a_digest_changes_with_parameters_and_pins():
    digests = {gateware_digest(load_board(name)) for name in board_names()}
    assert len(digests) == len(board_names())


def test_a_stamp_says_what_the_build_reached(stamped):
    stamp = read_stamp(BOARD)
    assert stamp.report.to_json() == stamped.to_json()
    assert stamp.is_current(BOARD)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"gateware": "0"}'])
def test_a_damaged_stamp_is_none(stamped, text):
    stamps.stamp_path(BOARD).write_text(text)
    assert read_stamp(BOARD) is None
    assert board_row(BOARD)["fmax"] is None


def test_a_change_of_the_gateware_is_seen(stamped, monkeypatch):
    monkeypatch.setattr(stamps, "gateware_digest", lambda board: "0" * 32)
    assert not read_stamp(BOARD).is_current(BOARD)


def test_the_seed_that_met_the_timing_comes_first(stamped):
    assert stamped_seed(BOARD, stamped.array) == 7
    assert stamped_seed(BOARD, stamped.array.replace(neurons=15)) == 1


def test_a_row_shows_what_is_used(stamped):
    row = board_row(BOARD)
    assert (row["lut"], row["dsp"], row["fmax"]) == ([2000, 5280], [3, 8], 25.0)
    assert "| iCEBreaker | iCE40UP5K-SG48 | 16 | 16 | 512 | 1 | 24 | 25 |" in markdown_table([row])


def test_a_table_goes_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- boards: begin (make boards writes this) -->\n<!-- boards: end -->\nafter\n")
    replace_table(page, "| a |\n")
    replace_table(page, "| b |\n")
    assert written_table(page) == "| b |\n"
    assert page.read_text().startswith("before\n")
    assert page.read_text().endswith("\nafter\n")


def test_a_page_without_markers_is_told(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    with pytest.raises(BuildError, match=r"page\.md has no place for the table"):
        replace_table(page, "| a |\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_pages_show_the_stamps(page):
    assert written_table(page) == markdown_table(board_rows()), (
        "try: python -m synloom_boards.build_all --table"
    )


@pytest.mark.parametrize("name", board_names())
def test_no_stamp_is_missing_or_older_than_its_gateware(name):
    board = load_board(name)
    stamp = read_stamp(board)
    assert stamp is not None, f"{name} was never built; try: make boards"
    assert stamp.is_current(board), f"{name} has changed since it was built; try: make boards"
    assert stamp.report.met
    assert stamp.report.fmax * 1e6 >= board.array.clock_hz
    assert stamp.report.params == board.array.to_dict()
