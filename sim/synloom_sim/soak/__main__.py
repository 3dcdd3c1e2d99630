"""``make soak``: everything that may go wrong on a line, for hours; a table, and JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from synloom.base.errors import SynloomError
from synloom_sim.soak.hosts import kills, resets, signals
from synloom_sim.soak.lines import damaged_bytes, damaged_frames, throughput
from synloom_sim.soak.long_runs import long_run, relay
from synloom_sim.soak.receiver import random_bytes, random_commands
from synloom_sim.soak.verdict import Tally, Tell, Verdict

__all__ = ["PARTS", "main", "soak", "table"]

Part = Callable[[int, int, Tell], Iterator[Tally]]

PARTS: Final[dict[str, tuple[int, str, Part]]] = {
    "frames": (1_000_000, "frames over lines that damage 0.1 to 1 %% of them", damaged_frames),
    "throughput": (20, "sessions on a clean and on a bad line at a pseudo-terminal", throughput),
    "spoilt-bytes": (100, "sessions over lines that damage 1 %% of the bytes", damaged_bytes),
    "kills": (200, "kills of the host", kills),
    "resets": (50, "resets of the board", resets),
    "signals": (2_000, "signals to the host", signals),
    "bytes": (10_000_000, "random bytes to the board", random_bytes),
    "commands": (20_000, "random commands to the board", random_commands),
    "steps": (40_000_000, "steps of the fast engine", long_run),
    "relay": (1_000_000, "steps of fast engine, model and simulated board in turn", relay),
}
"""Size, description and function of each part."""

_TELL_S: Final = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Run the parts, print the table, write JSON; return 1 if something was wrong, crashed or hung."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m synloom_sim.soak")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    for name, (size, what, _) in PARTS.items():
        parser.add_argument(
            f"--{name}", type=_size, default=size, metavar="N", help=f"{what} (default: {size})"
        )
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to this file")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    names = options.parts or list(PARTS)
    sizes = {name: getattr(options, name.replace("-", "_")) for name in names}
    tallies: list[Tally] = []
    try:
        for tally in soak(sizes, options.seed, _Progress()):
            tallies.append(tally)
            print(_line(tally), file=sys.stderr, flush=True)
            _write(options.json, options.seed, tallies)
    except SynloomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(tallies))
    return 0 if all(tally.passed for tally in tallies) else 1


def soak(sizes: dict[str, int], seed: int, tell: Tell) -> Iterator[Tally]:
    """Yield the tallies of parts as they end.

    Parameters
    ----------
    sizes : dict of str to int
        For each part of `PARTS` to run, how much of it.
    seed : int
        Of everything random.
    tell : callable
        Called with the progress.
    """
    for name, size in sizes.items():
        _, _, run = PARTS[name]
        yield from run(size, seed, tell)


def table(tallies: list[Tally]) -> str:
    """Return the results as a table in Markdown."""
    verdicts = " | ".join(Verdict)
    lines = [f"| part | tried | {verdicts} | seconds | figures |", "|---|---|" + "---|" * (len(Verdict) + 2)]
    for tally in tallies:
        cells = " | ".join(f"{tally.verdicts[verdict]:,}" for verdict in Verdict)
        figures = "; ".join(f"{name}: {value:,}" for name, value in tally.figures.items())
        lines.append(
            f"| {tally.part} | {tally.amount:,} {tally.unit} | {cells} | {tally.seconds:,.0f} | {figures} |"
        )
    return "\n".join(lines)


def _size(text: str) -> int:
    size = int(text.replace(",", "").replace("_", ""))
    if size < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {size}")
    return size


def _line(tally: Tally) -> str:
    found = ", ".join(f"{count:,} {verdict}" for verdict, count in tally.verdicts.items())
    return f"{tally.part}: {tally.amount:,} {tally.unit}: {found}"


def _write(path: Path | None, seed: int, tallies: list[Tally]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [tally.row() for tally in tallies]
        path.write_text(json.dumps({"seed": seed, "parts": rows}, indent=2) + "\n", encoding="utf-8")


class _Progress:
    """Prints how far a part is, every five seconds."""

    def __init__(self) -> None:
        self._part, self._began, self._next = "", 0.0, 0.0

    def __call__(self, part: str, done: int, all_: int) -> None:
        now = time.monotonic()
        if part != self._part:
            self._part, self._began, self._next = part, now, now + _TELL_S
        if now >= self._next:
            left = (now - self._began) / max(done, 1) * max(0, all_ - done)
            print(f"{part}: {done:,} of {all_:,}, {left:,.0f} s left", file=sys.stderr, flush=True)
            self._next = now + _TELL_S


if __name__ == "__main__":
    sys.exit(main())
