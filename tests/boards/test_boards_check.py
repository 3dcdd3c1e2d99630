"""The check of the stamps passes when all is well, and reports each kind of problem."""

import dataclasses

import pytest

from synloom_boards import boards_check, build_all
from synloom_boards.bitstreams import stamp as stamps
from synloom_boards.bitstreams.build import build_bitstream
from synloom_boards.bitstreams.stamp import read_stamp, write_stamp
from synloom_boards.board_table import board_rows, markdown_table, replace_table
from synloom_boards.boards import load_board
from synloom_boards.boards_check import board_problems, main

BOARD = load_board("icebreaker")
AGAIN = "run: python -m synloom_boards.build_all icebreaker"


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page that takes the place of the repository's."""
    page = tmp_path / "page.md"
    page.write_text("<!-- boards: begin (make boards writes this) -->\n<!-- boards: end -->\n")
    for module in (boards_check, build_all):
        monkeypatch.setattr(module, "PAGES", (page,))
    return page


@pytest.fixture
def built(stamp_folder, page, monkeypatch, flow):
    """The iCEBreaker as the only board, built by stand-ins, with its stamp and its table; the report."""
    for module in ("board_table", "boards_check"):
        monkeypatch.setattr(f"synloom_boards.{module}.board_names", lambda: (BOARD.name,))
    flow()
    report = build_bitstream(BOARD, BOARD.array).report
    report = dataclasses.replace(report, params=BOARD.array.to_dict())
    write_stamp(BOARD, report)
    replace_table(page, markdown_table(board_rows()))
    return report


def check(capsys):
    code = main([])
    return code, capsys.readouterr().out.splitlines()


def test_nothing_is_wrong_after_a_build(built, capsys):
    assert check(capsys) == (
        0,
        ["1 boards: built from this gateware, in time, and shown in the tables"],
    )


def test_a_missing_stamp_is_reported(built, capsys):
    stamps.stamp_path(BOARD).unlink()
    code, lines = check(capsys)
    assert code == 1
    assert lines[0] == f"icebreaker: there is no stamp of a build that can be read; {AGAIN}"


def test_a_change_of_the_gateware_is_reported_and_leaves_a_mark(built, page, capsys, monkeypatch):
    monkeypatch.setattr(stamps, "gateware_digest", lambda board: "0" * 32)
    code, lines = check(capsys)
    assert code == 1
    assert lines[0] == f"icebreaker: built before the last change of the gateware; {AGAIN}"
    # The page lacks the mark until it is written again.
    assert lines[1].endswith(
        "the table is not that of the stamps; run: python -m synloom_boards.build_all --table"
    )
    assert build_all.main(["--table"]) == 0
    assert "iCEBreaker †" in page.read_text()
    assert check(capsys)[1] == lines[:1]


def test_a_build_that_missed_its_timing_is_reported(built):
    slow = [dataclasses.replace(clock, achieved=20.0) for clock in built.clocks]
    write_stamp(BOARD, dataclasses.replace(built, clocks=slow))
    assert list(board_problems(BOARD)) == [
        f"icebreaker: the build missed its timing (20.0 MHz of 24 MHz); {AGAIN} --seeds 16"
    ]


def test_a_build_without_the_arrays_clock_missed_its_timing(built):
    write_stamp(BOARD, dataclasses.replace(built, clocks=[]))
    assert [problem.partition(" (")[0] for problem in board_problems(BOARD)] == [
        "icebreaker: the build missed its timing"
    ]


def test_a_build_of_another_array_is_reported(built):
    params = {**built.params, "neurons": 128}
    del params["probes"]
    write_stamp(BOARD, dataclasses.replace(built, params=params))
    assert list(board_problems(BOARD)) == [
        f"icebreaker: built with other parameters (neurons 128 instead of 256, no probes); {AGAIN}"
    ]


def test_all_seeds_are_built_and_stand_in_the_stamp_and_the_table(built, page, flow):
    placed = flow(fmax={2: 23.0, 3: 26.0})
    assert build_all.main(["icebreaker", "--every-seed", "--seeds", "3"]) == 0
    assert placed() == [1, 2, 3]
    assert read_stamp(BOARD).seeds == {1: 25.0, 2: 23.0, 3: 26.0}
    assert read_stamp(BOARD).report.seed == 3
    assert "| 24 | 26 | 2 of 3 |" in page.read_text()


def test_a_table_that_shows_something_else_is_reported(built, page, capsys):
    page.write_text(page.read_text().replace("| 25 |", "| 26 |"))
    code, lines = check(capsys)
    assert code == 1
    assert lines == [
        f"{page}: the table is not that of the stamps; run: python -m synloom_boards.build_all --table"
    ]


def test_a_page_without_a_table_is_reported(built, page, capsys):
    page.write_text("nothing\n")
    code, lines = check(capsys)
    assert code == 1
    assert lines[0].startswith(f"{page} has no place for the table; put <!-- boards: begin")
