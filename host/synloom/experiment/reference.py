"""The tables of docs/experiments.md, in Markdown, generated from the schema.

``python -m synloom.experiment.reference docs/experiments.md`` refreshes them in the page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from synloom.experiment.schema import SECTIONS
from synloom.experiment.section import DEFAULTS, REQUIRED, Key, Section

__all__ = ["refreshed", "section_table"]

_TABLE: Final = re.compile(r"(<!-- keys of (?P<title>[^>]+) -->\n)(\|[^\n]*\n)*")


def refreshed(page: str) -> str:
    """Return a page with a fresh table after every ``<!-- keys of TITLE -->``.

    Raises
    ------
    KeyError
        If the format has no table of that title.
    """
    sections = {section.title: section for section in SECTIONS}
    return _TABLE.sub(lambda found: found[1] + section_table(sections[found["title"]]) + "\n", page)


def section_table(section: Section) -> str:
    """Return a Markdown table of a section's keys: value, default, meaning."""
    rows: list[tuple[str, ...]] = [("key", "value", "default", "meaning"), ("---",) * 4]
    rows += [tuple(_row(key, section)) for key in section.keys]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def _row(key: Key, section: Section) -> Iterator[str]:
    yield f"`{key.name}`"
    yield f"{key.kind.words}{', ' + key.unit if key.unit else ''}"
    yield _default(key)
    words = ", ".join(f'"{word}"' for word in key.only)
    yield key.meaning + (f" (with {section.selector} = {words})" if words else "")


def _default(key: Key) -> str:
    value = key.default
    if value is REQUIRED:
        return "**required**"
    if value is None or value is DEFAULTS or value in ({}, []):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return (
        f"`{value:g}`"
        if isinstance(value, float)
        else f'`"{value}"`'
        if isinstance(value, str)
        else f"`{value}`"
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(refreshed(Path(name).read_text(encoding="utf-8")), encoding="utf-8")
