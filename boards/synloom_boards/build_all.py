"""Build the bitstreams of boards, write their stamps and the tables of the pages: ``make boards``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Final

from synloom.base.errors import SynloomError
from synloom_boards.bitstreams.build import build_bitstream, require_timing
from synloom_boards.bitstreams.cache import BitstreamCache
from synloom_boards.bitstreams.stamp import renew_stamp, stamped_seed, write_stamp
from synloom_boards.board_table import PAGES, board_rows, markdown_table, replace_table
from synloom_boards.boards import board_names, load_board

__all__ = ["main"]

_SEEDS: Final = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the boards and write the tables; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m synloom_boards.build_all")
    parser.add_argument(
        "boards", nargs="*", metavar="BOARD", help=f"of {', '.join(board_names())} (default: all)"
    )
    parser.add_argument("--seeds", type=int, default=_SEEDS, help="seeds to try (default: %(default)s)")
    parser.add_argument(
        "--every-seed", action="store_true", help="try seeds 1 to N all, and keep the fastest bitstream"
    )
    parser.add_argument(
        "--renew",
        action="store_true",
        help="build nothing; renew the stamps of designs that are as they were",
    )
    parser.add_argument("--table", action="store_true", help="only write the tables, from the stamps")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error(f"--seeds must be at least 1, not {options.seeds}")
    failed = []
    for name in [] if options.table else options.boards or board_names():
        try:
            if options.renew:
                _renew(name)
            else:
                _build(name, options.seeds, options.every_seed)
        except SynloomError as error:
            print(f"{name}: error: {error}", file=sys.stderr, flush=True)
            failed.append(name)
    try:
        table = markdown_table(board_rows())
        for page in PAGES:
            replace_table(page, table)
    except SynloomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if failed else 0


def _renew(name: str) -> None:
    renewed = renew_stamp(load_board(name))
    print(f"{name}: {'the design is as it was when it was built' if renewed else 'to be built'}", flush=True)


def _build(name: str, seeds: int, every: bool) -> None:
    board, cache = load_board(name), BitstreamCache.default()
    first = 1 if every else stamped_seed(board, board.array)
    started = time.monotonic()
    stage = ""

    def tell(what: str, share: float) -> None:
        nonlocal stage
        if what != stage:
            stage = what
            print(f"{name}: {what} ... ({time.monotonic() - started:.0f} s)", flush=True)

    tried = range(first, first + seeds)
    built = build_bitstream(board, board.array, seeds=tried, every=every, cache=cache, progress=tell)
    report = require_timing(built).report
    path = write_stamp(board, report, cache.seeds(report.digest, board.family.bitstream))
    print(f"{name}: {report.fmax:.1f} MHz of {board.array.clock_hz / 1e6:g} MHz; {path}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
