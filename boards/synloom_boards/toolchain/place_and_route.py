"""Place and route: run nextpnr, follow its progress, read its report."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from synloom.base.errors import BuildError
from synloom.base.progress import Progress
from synloom_boards.board import Board
from synloom_boards.toolchain.tools import run_tool

__all__ = ["ClockTiming", "CriticalPath", "Placement", "has_met", "pack", "place", "read_report"]

_MHZ: Final = 1e6
_UTILISATION = re.compile(r"^Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s+\d+%")
_STAGES: Final = (
    (re.compile(r"Packing"), "packing", 0.02),
    (re.compile(r"initial placer iter"), "placing", 0.05),
    (re.compile(r"Running simulated annealing|Running main analytical"), "placing", 0.1),
    (re.compile(r"HeAP Placer Time"), "placing", 0.4),
    (re.compile(r"SA placement time"), "placing", 0.6),
    (re.compile(r"Routing globals|Setting up routing|Routing\.\."), "routing", 0.65),
    (re.compile(r"Program finished"), "routing", 1.0),
)
_PLACED = re.compile(r"at iteration #(\d+), type")
_ROUTED = re.compile(r"iter=(\d+) |^Info:\s+\d+ \||routed using segments")
_ADVICE: Final = (
    (("RAM", "DP16KD", "BSRAM"), "fewer --neurons or --inputs, or smaller --record-words and --event-words"),
    (("DSP", "MULT"), "fewer --lanes, --neuron-lanes 1 --serial-neurons, or --no-soft-bounds"),
    (("",), "fewer --lanes, --neuron-lanes 1 --serial-neurons, or features off such as --no-soft-bounds"),
)
_DERIVED = re.compile(
    r"_(TRELLIS|SB|CCU2C|LUT\d|DFF[A-Z]*|MUX2|PFUMX|L6MUX21|ALU|MULT|SDPB?|RAM16|DP16KD)_.*|\$.*"
)


@dataclass(frozen=True, slots=True)
class ClockTiming:
    """The frequency that one clock reaches, and the one that it needs, in MHz."""

    clock: str
    achieved: float
    goal: float

    @property
    def met(self) -> bool:
        """Whether the clock meets its timing."""
        return self.achieved >= self.goal


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The slowest path from one register to another; times in ns."""

    source: str
    sink: str
    logic: float
    routing: float
    levels: int


@dataclass(frozen=True, slots=True)
class Placement:
    """The result of place and route.

    Parameters
    ----------
    clocks : sequence of ClockTiming
    used : mapping of str to pair of int
        Used and available cells of each kind.
    critical : CriticalPath or None
    """

    clocks: Sequence[ClockTiming]
    used: Mapping[str, tuple[int, int]]
    critical: CriticalPath | None

    @property
    def met(self) -> bool:
        """Whether every clock meets its timing, and the array's clock is among them."""
        return has_met(self.clocks)


def has_met(clocks: Sequence[ClockTiming]) -> bool:
    """Return whether every clock meets its timing, and the array's clock is among them."""
    return any(clock.clock == "sync" for clock in clocks) and all(clock.met for clock in clocks)


def pack(board: Board, folder: Path) -> dict[str, tuple[int, int]]:
    """Return what `top.json` in a folder takes of the part: used and available, by nextpnr's names.

    Raises
    ------
    BuildError
        If nextpnr fails or is missing; not if the design is too big.
    """
    family, watcher = board.family, _Watcher(lambda what, share: None)
    options = [*board.placer, *family.place, "--json", "top.json", "--pack-only"]
    try:
        run_tool(f"nextpnr-{family.placer}", options, folder, watch=watcher.see)
    except BuildError:
        if not watcher.used:
            raise
    return watcher.used


def place(
    board: Board,
    clock_hz: int,
    seed: int,
    folder: Path,
    progress: Progress,
    watch: Callable[[str], None] | None = None,
) -> Placement:
    """Place and route `top.json` in a folder.

    Parameters
    ----------
    board : Board
    clock_hz : int
        Frequency that the array needs, in Hz.
    seed : int
        Seed of the placer.
    folder : Path
        Where the netlist and the constraints are, and where all results go.
    progress : callable
        Called with "packing", "placing" or "routing", and the share of the work that is done.
    watch : callable, optional
        Called with each line that nextpnr writes.

    Raises
    ------
    BuildError
        If the design does not fit, or nextpnr fails or is missing.
    """
    family = board.family
    watcher = _Watcher(progress)
    goal = ["--freq", f"{clock_hz / _MHZ:.6f}", "--timing-allow-fail", "--seed", str(seed)]
    files = ["--json", "top.json", "--report", "report.json"]

    def see(line: str) -> None:
        watcher.see(line)
        if watch is not None:
            watch(line)

    try:
        run_tool(f"nextpnr-{family.placer}", [*board.placer, *family.place, *files, *goal], folder, watch=see)
    except BuildError as error:
        raise watcher.explain(board, error) from error
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return read_report(report, clock_hz / _MHZ)


def read_report(report: Mapping[str, Any], goal: float) -> Placement:
    """Read nextpnr's report.

    Parameters
    ----------
    report : mapping
        The report, as nextpnr writes it in JSON.
    goal : float
        Frequency that the array's clock needs, in MHz; other clocks may have their own.
    """
    clocks = []
    for net, entry in report["fmax"].items():
        name, own = _clock_name(net), entry.get("constraint") or 0.0
        clocks.append(ClockTiming(name, entry["achieved"], max(goal, own) if name == "sync" else own or goal))
    used = {name: (entry["used"], entry["available"]) for name, entry in report["utilization"].items()}
    return Placement(clocks, used, _critical(report["critical_paths"]))


def _critical(paths: Sequence[Mapping[str, Any]]) -> CriticalPath | None:
    within = [path for path in paths if path["from"] == path["to"] and path["path"]]
    if not within:
        return None
    slowest = max(within, key=lambda path: sum(part["delay"] for part in path["path"]))["path"]
    routing = sum(part["delay"] for part in slowest if part["type"] == "routing")
    return CriticalPath(
        source=_readable(slowest[0]["from"]["cell"]),
        sink=_readable(slowest[-1]["to"]["cell"]),
        logic=round(sum(part["delay"] for part in slowest) - routing, 2),
        routing=round(routing, 2),
        levels=sum(part["type"] == "logic" for part in slowest),
    )


def _readable(cell: str) -> str:
    """Return the gateware's name of the register or memory that became a cell."""
    return _DERIVED.sub("", cell).removeprefix("array.array.") or cell


def _clock_name(net: str) -> str:
    """Return "sync" for the PLL's clock, which nextpnr calls by any of its nets."""
    return "sync" if "clk" in net.rpartition(".")[2] and "__io" not in net else net


class _Watcher:
    """Follows nextpnr's messages."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stage, self._share = "packing", 0.0
        self.used: dict[str, tuple[int, int]] = {}

    def see(self, line: str) -> None:
        """Take in one line."""
        if found := _UTILISATION.match(line):
            self.used[found[1]] = int(found[2]), int(found[3])
            return
        for pattern, stage, share in _STAGES:
            if pattern.search(line):
                self._stage, self._share = stage, max(self._share, share)
        if found := _PLACED.search(line):
            self._share = max(self._share, min(0.4, 0.1 + 0.01 * int(found[1])))
        elif self._stage == "routing" and _ROUTED.search(line):
            self._share += 0.05 * (1 - self._share)
        self._progress(self._stage, self._share)

    def explain(self, board: Board, error: BuildError) -> BuildError:
        """Return the error, or a clearer one if the design is too big for the device."""
        over = {name: pair for name, pair in self.used.items() if pair[0] > pair[1]}
        if not over:
            return error
        needs = ", ".join(f"{name} {used:,} of {there:,}" for name, (used, there) in over.items())
        worst = max(over, key=lambda name: over[name][0] / max(1, over[name][1]))
        advice = next(text for kinds, text in _ADVICE if any(kind in worst for kind in kinds))
        return BuildError(f"the design does not fit {board.title} ({board.chip}): {needs}; try {advice}")
