"""The tables of the gallery's pages, written between two marks by the command that measures them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from synloom.base.errors import ParameterError

__all__ = ["BEGIN", "END", "table_of", "with_table"]

BEGIN: Final = "<!-- figures: begin (the example writes this) -->"
END: Final = "<!-- figures: end -->"


def with_table(text: str, heads: Sequence[str], rows: Sequence[Sequence[str]], seeds: int) -> str:
    """Return a page with a new table between its marks.

    Parameters
    ----------
    text : str
        The page.
    heads : sequence of str
        Heads of the columns.
    rows : sequence of sequence of str
        The cells.
    seeds : int
        Number of seeds, which the line below the table says.

    Raises
    ------
    ParameterError
        If the page does not have both marks, once.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ParameterError(f"the page must have the marks {BEGIN!r} and {END!r}, once each")
    lines = [heads, ["---"] * len(heads), *rows]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    block = f"{BEGIN}\n{table}\n\n{seeds} seeds.\n{END}"
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: block, text, flags=re.DOTALL)


def table_of(text: str) -> list[list[str]]:
    """Return the cells of the table between a page's marks, its heads first."""
    lines = text.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for k, row in enumerate(cells) if k != 1]
