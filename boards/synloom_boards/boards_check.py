"""Check the stamps of all boards, and the tables that show them: ``make boards-check``.

For each board: is there a stamp of a build, is it of this gateware and of these parameters, and did that
build meet its timing? For each page: does its table show what the stamps say? Each problem is one line, with
the command that mends it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from synloom.base.errors import BuildError
from synloom_boards.bitstreams.report import BuildReport
from synloom_boards.bitstreams.stamp import read_stamp
from synloom_boards.board import Board
from synloom_boards.board_table import PAGES, board_rows, markdown_table, page_table
from synloom_boards.boards import board_names, load_board

__all__ = ["board_problems", "main", "page_problems"]

_COMMAND = "python -m synloom_boards.build_all"


def board_problems(board: Board) -> Iterator[str]:
    """Yield what is wrong with a board's stamp, each with the command that mends it."""
    again = f"run: {_COMMAND} {board.name}"
    stamp = read_stamp(board)
    if stamp is None:
        yield f"{board.name}: there is no stamp of a build that can be read; {again}"
        return
    if not stamp.is_current(board):
        yield f"{board.name}: built before the last change of the gateware; {again}"
    if others := _other_params(board, stamp.report):
        yield f"{board.name}: built with other parameters ({', '.join(others)}); {again}"
    elif not stamp.report.met or stamp.report.fmax * 1e6 < board.array.clock_hz:
        goal = board.array.clock_hz / 1e6
        yield (
            f"{board.name}: the build missed its timing ({stamp.report.fmax:.1f} MHz of {goal:g} MHz); "
            f"{again} --seeds 16"
        )


def page_problems(page: Path, table: str) -> Iterator[str]:
    """Yield what is wrong with a page's table, with the command that mends it."""
    name = page.relative_to(Path.cwd()) if page.is_relative_to(Path.cwd()) else page
    try:
        if page_table(page) != table:
            yield f"{name}: the table is not that of the stamps; run: {_COMMAND} --table"
    except BuildError as error:
        yield str(error)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the problems; return 1 if there are any, else 0."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        prog="python -m synloom_boards.boards_check",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(arguments)
    problems = [problem for name in board_names() for problem in board_problems(load_board(name))]
    table = markdown_table(board_rows())
    problems += [problem for page in PAGES for problem in page_problems(page, table)]
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{len(board_names())} boards: built from this gateware, in time, and shown in the tables")
    return 1 if problems else 0


def _other_params(board: Board, report: BuildReport) -> list[str]:
    """Return the parameters of a build that are not those of the board today."""
    return [
        f"{name} {report.params[name]} instead of {value}" if name in report.params else f"no {name}"
        for name, value in board.array.to_dict().items()
        if report.params.get(name) != value
    ]


if __name__ == "__main__":
    sys.exit(main())
