"""The pages' Python runs, their links lead somewhere, and the drawings are those that the script draws."""

import re
import runpy
from functools import cache
from pathlib import Path

import pytest

from python_sources import FOLDERS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

OF_NO_SOURCE = {
    "v_floor": "the example of docs/extend.md",
    "x_traces": "made from a trace's name",
    "y_traces": "made from a trace's name",
}
"""Names in the pages that no source spells out, and why."""


def run(page, monkeypatch, tmp_path) -> dict[str, object]:
    """Run a page's Python, block by block, in an empty folder; return its names."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    return names


def test_the_readmes_example_prints_what_it_says(monkeypatch, tmp_path, capsys):
    run(ROOT / "README.md", monkeypatch, tmp_path)
    printed = capsys.readouterr().out
    assert "chord: mean weight 0.57 nA" in printed
    assert "noise: mean weight 0.17 nA" in printed
    assert "It prints 0.57 nA for the chord and 0.17 nA for the noise" in (ROOT / "README.md").read_text()


def test_the_start_pages_network_learns_its_bars(monkeypatch, tmp_path, capsys):
    names = run(ROOT / "docs" / "start.md", monkeypatch, tmp_path)
    answers = names["answers"]
    best = answers.argmax(axis=1)
    assert sorted(best) == list(range(8))
    assert (answers.max(axis=1) >= 10).all()
    assert (answers.sum(axis=1) - answers.max(axis=1) <= 2).all()
    for bar, neuron in enumerate(best):
        seen = names["weights"][:, neuron] > 1.0
        assert (seen == (names["bars"][bar] > 0)).all()
    assert (names["on_the_model"] == names["learn_a_little"]("model")).all()
    assert "limits that were met:" in capsys.readouterr().out


def anchors(page: Path) -> set[str]:
    """Return the headings of a page as the anchors that links name."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = [t for t in re.findall(r"\]\(([^)\s]+)\)", text) if not t.startswith(("http", "#"))]
    missing = []
    for target in targets:
        path, _, heading = target.partition("#")
        file = (page.parent / path).resolve()
        if not file.exists() or (heading and heading not in anchors(file)):
            missing.append(target)
    assert missing == []


def links(page: Path) -> set[Path]:
    """Return the pages that a page links to."""
    targets = re.findall(r"\]\(([^)\s#]+\.md)[)#]", page.read_text())
    return {(page.parent / target).resolve() for target in targets if not target.startswith("http")}


def test_every_page_is_reached_from_the_index():
    reached, new = set(), {(ROOT / "docs" / "README.md").resolve()}
    while new:
        reached |= new
        new = {target for page in new for target in links(page)} - reached
    assert [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.resolve() not in reached] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_source_that_a_page_names_is_there(page):
    names = re.findall(
        r"(?<![\w./-])(?:hdl|host|sim|boards|tests|docs)/[\w./-]*\w(?![\w*{<])", page.read_text()
    )
    # Relative links name the folders beside the page.
    missing = [name for name in names if not (ROOT / name).exists() and not (page.parent / name).exists()]
    assert missing == []


@cache
def words_of_the_sources() -> set[str]:
    """Return every word of the Python files, this one's excepted."""
    files = {f for folder in FOLDERS for f in (ROOT / folder).rglob("*.py")} | set(
        (ROOT / "tests").rglob("*.py")
    )
    return {word for f in files - {Path(__file__)} for word in re.findall(r"\w+", f.read_text())}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_name_that_a_page_quotes_is_in_a_source(page):
    """Names are snake_case or CamelCase; a page's own code counts as a source, paths have their own test."""
    blocks = re.findall(r"```.*?```", page.read_text(), flags=re.DOTALL)
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    quoted = [span for span in re.findall(r"`([^`\n]+)`", text) if "/" not in span]
    words = {word for span in quoted for word in re.findall(r"(?<![\w-])[A-Za-z_]\w*", span)}
    names = {word for word in words if re.search(r"[a-z]_[a-z]|[A-Z][a-z]+[A-Z]|^_[a-z]", word)}
    names -= {word for block in blocks for word in re.findall(r"\w+", block)}
    assert sorted(names - words_of_the_sources() - set(OF_NO_SOURCE)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_line_of_prose_has_one_sentence(page):
    crowded = []
    for line in re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL).splitlines():
        if line.startswith(("|", "#", "<!--")):
            continue
        # A name or a claim in bold or italics may stand before the first sentence.
        prose = re.sub(r"^\s*(?:- |\d+\. )?(?:\*+[^*]+\*+)?", "", re.sub(r"`[^`]*`", "x", line))
        if re.search(r"[.!?][)\"*]* +[A-Z\[(*\"]", prose):
            crowded.append(line)
    assert crowded == []


def test_every_page_of_a_block_has_one_form():
    for page in sorted((ROOT / "docs" / "blocks").glob("*.md")):
        headings = re.findall(r"^## (.*)$", page.read_text(), re.MULTILINE)
        form = ["Sources", "Members", "Parameters", "Features", "Theory", "Registers", "Cost", "Test"]
        assert headings == form, page


def test_the_index_names_every_page():
    index = (ROOT / "docs" / "README.md").read_text()
    for page in sorted((ROOT / "docs").rglob("*.md")):
        name = str(page.relative_to(ROOT / "docs"))
        assert name == "README.md" or f"]({name})" in index, name


def test_the_drawings_are_current():
    script = runpy.run_path(str(ROOT / "docs" / "figures.py"))
    for name, draw in script["FIGURES"].items():
        assert (ROOT / "docs" / "images" / name).read_text() == draw(), "try: python docs/figures.py"


def test_every_test_that_a_block_names_is_there():
    for page in sorted((ROOT / "docs" / "blocks").glob("*.md")):
        named = re.findall(r"tests/[\w/]+(?:\{[\w,]+\}|\*)?(?:\.py)?", page.read_text())
        assert named, page
        for name in named:
            head, *choices = re.split(r"[{},]", name)
            names = [head + choice + choices[-1] for choice in choices[:-1]] or [name]
            assert [n for n in names if not list(ROOT.glob(n))] == [], page
