"""What a command does with its report: print, write, draw."""

from __future__ import annotations

from pathlib import Path

from synloom_sim.bench.plots import draw
from synloom_sim.bench.report import Report
from synloom_sim.bench.tables import machine_line, tables_of

__all__ = ["show"]


def show(report: Report, folder: Path) -> None:
    """Print the tables of a report, write it, and draw its pictures."""
    print(f"\n{report.kind}: {machine_line(report)}")
    for table in tables_of(report).values():
        print(f"\n{table}", end="", flush=True)
    written = [report.write(folder), *draw(report, folder)]
    print("\n" + "\n".join(f"wrote {path}" for path in written), flush=True)
