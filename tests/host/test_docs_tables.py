"""The tables of the documentation are those of the contract."""

import re
from pathlib import Path

import pytest
from tables import TABLES, fill, render

from synloom.base.errors import ParameterError
from synloom.contract import ArrayParams
from synloom.contract.params import allowed
from synloom.contract.regions import Region
from synloom.contract.registers import CONTROL_REGISTERS, COUNTERS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_pages_tables_are_current(page):
    text = page.read_text()
    assert fill(text) == text, f"try: python docs/tables.py {page.relative_to(DOCS.parent)}"


def test_every_table_is_on_one_page():
    names = [name for page in PAGES for name in re.findall(r"<!-- table: (\w+) -->", page.read_text())]
    assert sorted(names) == sorted(TABLES)


def test_every_table_is_closed():
    for page in PAGES:
        text = page.read_text()
        assert text.count("<!-- table: ") == text.count("<!-- /table -->"), page


def test_a_stale_table_is_replaced_and_nothing_else():
    page = "before\n<!-- table: source -->\n| old |\n| older |\n<!-- /table -->\nafter\n"
    fresh = fill(page)
    assert "old" not in fresh
    assert fresh == f"before\n<!-- table: source -->\n{render('source')}<!-- /table -->\nafter\n"
    assert fill(fresh) == fresh
    assert fill("<!-- table: source -->\n<!-- /table -->") == fresh.split("\n", 1)[1].removesuffix(
        "\nafter\n"
    )


def test_tables_name_what_the_contract_has():
    assert [row.split(" | ")[1] for row in render("regions").splitlines()[2:]] == [r.name for r in Region]
    for name in CONTROL_REGISTERS:
        assert f"| {name} |" in render("control")
    for name, counter in COUNTERS.items():
        assert f"| {name} |" in render("counters")
        assert counter.doc in render("counters")
    for name, value in ArrayParams().to_dict().items():
        assert f"| {name} | {value:,} |" in render("params") or f"| {name} | {value} |" in render("params")


def test_fields_lie_where_the_layout_says():
    assert "| 1.14:0 | hi | 15 |" in render("segment")
    assert "| 1.15 | last | 1 |" in render("segment")
    assert "| 4.0 to 5.7 | thr | signed 24 |" in render("neuron_params")


def test_limits_are_said_in_words():
    assert allowed("inputs") == "1 to 2,048"
    assert allowed("lanes") == "a power of two, 1 to 32"
    assert allowed("neuron_lanes") == "1, 2, 4, 8 or 16"
    assert allowed("record_words") == "a power of two, 256 to 32,768"
    assert allowed("reward") == "True or False"


def test_there_is_no_other_table():
    with pytest.raises(ParameterError, match="there is no table 'weights'; tables are: params"):
        render("weights")
