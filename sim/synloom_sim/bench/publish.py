"""Brings the documentation up to date: ``python -m synloom_sim.bench.publish`` after the measurements.

Reports go to docs/bench, their pictures to docs/images, and ``python docs/tables.py docs/performance.md``
makes the tables of them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from synloom.base.errors import SynloomError
from synloom_sim.bench.plots import draw
from synloom_sim.bench.report import FOLDER, read_report
from synloom_sim.bench.tables import TABLES

__all__ = ["main"]

_DOCS: Final = Path(__file__).parents[3] / "docs"


def main() -> int:
    """Publish the reports that are there; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m synloom_sim.bench.publish")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the reports (default: %(default)s)")
    parser.add_argument(
        "--docs", type=Path, default=_DOCS, help="of the documentation (default: %(default)s)"
    )
    options = parser.parse_args()
    found = [path for path in (options.folder / f"{kind}.json" for kind in TABLES) if path.exists()]
    if not found:
        print(f"error: there is no report in {options.folder}; try: make bench", file=sys.stderr)
        return 1
    try:
        for path in found:
            report = read_report(path)
            for written in (report.write(options.docs / "bench"), *draw(report, options.docs / "images")):
                print(written)
    except SynloomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
