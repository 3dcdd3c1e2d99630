"""The examples by name: where they lie, what they are about, and copies of them.

An example is a folder NAME with the script NAME.py, its page README.md and its picture. In a checkout they
are in docs/examples, in an installed wheel within this package.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from synloom.base.errors import ParameterError
from synloom.base.wording import did_you_mean

__all__ = ["Entry", "copy_example", "entries", "example_named"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One example of the gallery.

    Parameters
    ----------
    name : str
        Its name.
    folder : Path
        Where its files are.
    title, idea : str
        Heading and first paragraph of its page, a sentence a line.
    """

    name: str
    folder: Path
    title: str
    idea: str

    @property
    def script(self) -> Path:
        """The script."""
        return self.folder / f"{self.name}.py"


def entries() -> list[Entry]:
    """Return all examples, by name."""
    installed = Path(__file__).parents[1] / "examples"
    folder = installed if installed.is_dir() else Path(__file__).parents[3] / "docs" / "examples"
    return [_entry(page.parent) for page in sorted(folder.glob("*/README.md"))]


def _entry(folder: Path) -> Entry:
    text = (folder / "README.md").read_text(encoding="utf-8")
    title, *paragraphs = text.split("\n\n")
    prose = next(each for each in paragraphs if not each.startswith(("!", "<", "|", "#", "`")))
    idea = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", prose)
    return Entry(name=folder.name, folder=folder, title=title.lstrip("# "), idea=idea)


def example_named(name: str) -> Entry:
    """Return an example.

    Raises
    ------
    ParameterError
        If there is none of that name.
    """
    found = {each.name: each for each in entries()}
    if name not in found:
        raise ParameterError(
            f"there is no example {name!r}{did_you_mean(name, found)}; try: synloom examples list"
        )
    return found[name]


def copy_example(name: str, folder: Path) -> Path:
    """Copy an example's files into a new folder, and return its script there.

    Raises
    ------
    ParameterError
        If there is no such example, or if the folder exists.
    """
    example = example_named(name)
    if folder.exists():
        raise ParameterError(f"{folder} exists already; name another folder")
    shutil.copytree(example.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / example.script.name
