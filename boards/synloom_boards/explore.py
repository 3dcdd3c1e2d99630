"""What else a board's part can hold: the neighbours of its array, synthesised, packed and timed on request.

``python -m synloom_boards.explore BOARD`` prints a table, row by row as it is made: the parameters that
differ, what the array takes of the part, and steps per second of its clock. ``--seeds`` places and routes
what fits, and gives the slowest clock that these seeds reach. ``--set`` moves the array in the middle.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from synloom.base.errors import BuildError, ParameterError, SynloomError
from synloom.contract import ArrayParams
from synloom_boards.bitstreams.elaboration import make_plan
from synloom_boards.board import Board
from synloom_boards.catalogue import find_board
from synloom_boards.settings import parse_settings, read_settings
from synloom_boards.speed import steps_per_second
from synloom_boards.toolchain.place_and_route import pack, place
from synloom_boards.toolchain.synthesis import synthesise

__all__ = ["Candidate", "main", "neighbours"]

_FACTORS: Final = (2, 0.5)
_STRUCTURES: Final = (
    {"single_port": False, "serial_neurons": False},
    {"single_port": False, "serial_neurons": True},
    {"single_port": True, "serial_neurons": True},
    {"single_port": True, "serial_neurons": False},
)
_NEURONS: Final = 32


@dataclass(frozen=True)
class Candidate:
    """One array on the part of a board.

    Parameters
    ----------
    params : ArrayParams
    used : mapping of str to pair of int
        Used and available cells by column of the board table; empty if a tool failed.
    clocks : mapping of int to float
        MHz that each seed reached.
    why : str
        Why it cannot be built; empty if it can.
    """

    params: ArrayParams
    used: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    clocks: Mapping[int, float] = field(default_factory=dict)
    why: str = ""

    @property
    def fits(self) -> bool:
        """Whether the part has enough of everything."""
        return not self.why and all(used <= there for used, there in self.used.values())

    @property
    def synapses_per_second(self) -> float:
        """Synapses that the lanes process per second, at the clock that the array is made for."""
        return self.params.lanes * self.params.clock_hz / self.params.chunk_clocks

    def changes(self, base: ArrayParams) -> str:
        """Return what differs from another array, as settings."""
        mine, others = self.params.to_dict(), base.to_dict()
        return " ".join(f"{name}={_word(mine[name])}" for name in mine if mine[name] != others[name])

    def row(self, base: ArrayParams) -> list[str]:
        """Return the cells of its row in the table."""
        used = ", ".join(f"{name} {n:,}/{there:,}" for name, (n, there) in self.used.items())
        reached = f"{min(self.clocks.values()):.1f} ({len(self.clocks)})" if self.clocks else "-"
        return [
            self.changes(base) or "(as it is)",
            self.why or (used if self.fits else f"does not fit: {used}"),
            f"{self.params.clock_hz / 1e6:g}",
            reached,
            f"{self.synapses_per_second / 1e6:,.0f}",
            f"{steps_per_second(self.params):,.0f}",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "params": self.params.to_dict(),
            "used": {name: list(pair) for name, pair in self.used.items()},
            "clocks_mhz": {str(seed): round(clock, 2) for seed, clock in self.clocks.items()},
            "fits": self.fits,
            "why": self.why,
            "steps_per_second": round(steps_per_second(self.params), 1),
        }


def neighbours(base: ArrayParams) -> list[ArrayParams]:
    """Return an array and its neighbours: one step in lanes, neurons or structure, or in lanes and structure.

    Parameters
    ----------
    base : ArrayParams
        The array in the middle; it comes first.
    """
    found = [base]
    steps: list[dict[str, Any]] = []
    for structure in ({}, *_STRUCTURES):
        for factor in (1, *_FACTORS):
            change: dict[str, Any] = {**structure, "lanes": int(base.lanes * factor)}
            if structure.get("serial_neurons"):
                change["neuron_lanes"] = 1
            steps.append(change)
    steps += [{"neuron_lanes": int(base.neuron_lanes * factor)} for factor in _FACTORS]
    steps += [{"neurons": base.neurons + step} for step in (-_NEURONS, _NEURONS)]
    for change in steps:
        try:
            params = base.replace(**change)
        except ParameterError:
            # No array has these values together.
            continue
        if params not in found:
            found.append(params)
    return found


def _explored(board: Board, params: ArrayParams, seeds: Sequence[int]) -> Candidate:
    """Synthesise and pack an array; place and route it with each seed if it fits."""
    try:
        params = board.fit(params)
        with tempfile.TemporaryDirectory() as place_of_build:
            folder = Path(place_of_build)
            plan = make_plan(board, params)
            for name, text in plan.constraints.items():
                (folder / name).write_text(text, encoding="utf-8")
            synthesise(plan.rtlil, folder, board.family)
            candidate = Candidate(params, board.family.resources(pack(board, folder)))
            clocks: dict[int, float] = {}
            for seed in seeds if candidate.fits else ():
                placement = place(board, params.clock_hz, seed, folder, lambda what, share: None)
                clocks[seed] = min(
                    (clock.achieved for clock in placement.clocks if clock.clock == "sync"), default=0.0
                )
            return Candidate(params, candidate.used, clocks)
    except (BuildError, ParameterError) as error:
        return Candidate(params, why=str(error).splitlines()[0])


def _all(board: Board, arrays: Sequence[ArrayParams], seeds: Sequence[int]) -> Iterator[Candidate]:
    started = time.monotonic()
    for number, params in enumerate(arrays, 1):
        yield _explored(board, params, seeds)
        print(f"{number} of {len(arrays)}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m synloom_boards.explore")
    parser.add_argument("board", metavar="BOARD")
    parser.add_argument("--board-file", action="append", default=[], type=Path, metavar="FILE")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change the array in the middle"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="try these settings instead of the neighbours; can be given several times",
    )
    parser.add_argument("--seeds", type=int, default=0, help="place and route what fits, with seeds 1 to N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to this file")
    options = parser.parse_args(arguments)
    if options.seeds < 0:
        parser.error(f"--seeds must be at least 0, not {options.seeds}")
    try:
        board = find_board(options.board, options.board_file)
        base = board.fit(parse_settings(options.set, board.array))
        arrays = [base.replace(**read_settings(each)) for each in options.only] or neighbours(base)
        print("| parameters | takes | clock / MHz | slowest Fmax (seeds) | M synapses/s | steps/s at 5 % |")
        print("|---|---|---|---|---|---|", flush=True)
        found = []
        for candidate in _all(board, arrays, range(1, options.seeds + 1)):
            found.append(candidate)
            print(f"| {' | '.join(candidate.row(base))} |", flush=True)
        if options.json is not None:
            content = {"board": board.name, "arrays": [candidate.to_dict() for candidate in found]}
            options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except (SynloomError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(main())
