"""The table shows what the stamps say, and marks what was built before the last change."""

import json

import pytest

from synloom.base.errors import BuildError
from synloom.cli.main import main
from synloom_boards.bitstreams import stamp as stamps
from synloom_boards.board_table import board_row, is_outdated, markdown_table, page_table, replace_table
from synloom_boards.boards import load_board

BOARD = load_board("icebreaker")
MARKERS = "<!-- boards: begin (make boards writes this) -->\n<!-- boards: end -->\n"


def test_a_row_shows_what_is_used(stamped):
    row = board_row(BOARD)
    assert (row["lut"], row["dsp"], row["fmax"], row["current"]) == ([2000, 5280], [3, 8], 25.0, True)
    table = markdown_table([row])
    assert "| iCEBreaker | iCE40UP5K-SG48 | 16 | 16 | 512 | 1 | 24 | 25 |" in table
    assert len(table.splitlines()) == 3


def test_a_row_of_an_older_gateware_is_marked_and_the_mark_explained(stamped):
    row = board_row(BOARD)
    table = markdown_table([row, {**row, "title": "Other", "current": False}])
    assert "| iCEBreaker |" in table
    assert "| Other † |" in table
    assert table.endswith(
        "\n\n† Built before the last change of the gateware; `make boards` builds it again.\n"
    )


def test_a_board_that_was_never_built_is_not_outdated(stamped):
    stamps.stamp_path(BOARD).unlink()
    row = board_row(BOARD)
    assert not is_outdated(row)
    assert "| iCEBreaker | iCE40UP5K-SG48 | 256 | 256 | 131,072 | 2 | 24 | - |" in markdown_table([row])


@pytest.mark.parametrize("current", [True, False])
def test_the_command_says_whether_the_gateware_has_changed(stamped, monkeypatch, capsys, current):
    if not current:
        monkeypatch.setattr(stamps, "gateware_digest", lambda board: "0" * 32)
    monkeypatch.setattr("synloom_boards.catalogue.board_names", lambda: ("icebreaker",))
    with pytest.raises(SystemExit):
        main(["boards"])
    assert ("before the last change of the gateware" in capsys.readouterr().out) == (not current)
    with pytest.raises(SystemExit):
        main(["boards", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert row["current"] == current


def test_a_table_goes_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{MARKERS}after\n")
    replace_table(page, "| a |\n")
    replace_table(page, "| \\1 |\n")
    assert page_table(page) == "| \\1 |\n"
    assert page.read_text().startswith("before\n")
    assert page.read_text().endswith("\nafter\n")


def test_a_page_without_markers_or_without_a_file_is_an_error(tmp_path):
    page = tmp_path / "page.md"
    with pytest.raises(BuildError, match=r"page\.md cannot be read \(No such file.*in a checkout"):
        replace_table(page, "| a |\n")
    page.write_text("nothing\n")
    with pytest.raises(BuildError, match=r"page\.md has no place for the table"):
        replace_table(page, "| a |\n")
