"""Stamps: what each board's last full build reached, kept with the source code."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from synloom.base.atomic_files import write_whole
from synloom.contract import ArrayParams
from synloom_boards.bitstreams.elaboration import make_plan
from synloom_boards.bitstreams.gateware_digest import gateware_digest
from synloom_boards.bitstreams.report import BuildReport
from synloom_boards.board import Board

__all__ = ["Stamp", "read_stamp", "renew_stamp", "stamp_path", "stamped_seed", "write_stamp"]

_FIRST_SEED = 1


@dataclass(frozen=True)
class Stamp:
    """The report of a build, and the digest of the gateware that it was made from.

    Parameters
    ----------
    gateware : str
        Digest of the gateware.
    report : BuildReport
    seeds : mapping of int to float
        Fmax in MHz for each seed of the placer that this design was placed with.
    """

    gateware: str
    report: BuildReport
    seeds: Mapping[int, float] = field(default_factory=dict)

    def is_current(self, board: Board) -> bool:
        """Whether the gateware has not changed since the build."""
        return self.gateware == gateware_digest(board)

    @property
    def seeds_met(self) -> tuple[int, ...]:
        """The seeds with which the design met its timing."""
        goal = max((clock.goal for clock in self.report.clocks if clock.clock == "sync"), default=math.inf)
        return tuple(seed for seed, fmax in self.seeds.items() if fmax >= goal)


def stamp_path(board: Board) -> Path:
    """Return the file of a board's stamp."""
    return Path(str(resources.files("synloom_boards"))) / "stamps" / f"{board.name}.json"


def read_stamp(board: Board) -> Stamp | None:
    """Return a board's stamp; None if it was never built, or if its stamp cannot be read."""
    try:
        text = stamp_path(board).read_text(encoding="utf-8")
        values, report = json.loads(text), BuildReport.from_json(text)
        seeds = {int(seed): float(fmax) for seed, fmax in values.get("seeds", {}).items()}
        return Stamp(values["gateware"], report, seeds or {report.seed: report.fmax})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_stamp(board: Board, report: BuildReport, seeds: Mapping[int, float] | None = None) -> Path:
    """Write the stamp of a build of the board's default array; return its file.

    Parameters
    ----------
    board : Board
    report : BuildReport
    seeds : mapping of int to float, optional
        Fmax in MHz for other seeds of the same design; those of a former stamp of the same design stay.
    """
    former = read_stamp(board)
    known = former.seeds if former is not None and former.report.digest == report.digest else {}
    tried = {**known, **(seeds or {}), report.seed: report.fmax}
    values: dict[str, Any] = {"gateware": gateware_digest(board), **json.loads(report.to_json())}
    values["seeds"] = {str(seed): round(tried[seed], 2) for seed in sorted(tried)}
    path = stamp_path(board)
    path.parent.mkdir(exist_ok=True)
    write_whole(path, (json.dumps(values, indent=2) + "\n").encode())
    return path


def renew_stamp(board: Board) -> bool:
    """Write a board's stamp again if changes of the gateware left its design as it was; return whether.

    The design is elaborated and compared by its digest, with the tools of the stamp, so nothing is built.

    Raises
    ------
    BuildError
        If Amaranth or the board's platform is not installed.
    """
    stamp = read_stamp(board)
    if stamp is None or make_plan(board, board.array).digest(stamp.report.tools) != stamp.report.digest:
        return False
    write_stamp(board, stamp.report, stamp.seeds)
    return True


def stamped_seed(board: Board, params: ArrayParams) -> int:
    """Return the seed of the stamp if the stamp has these parameters, else 1."""
    stamp = read_stamp(board)
    return stamp.report.seed if stamp and stamp.report.params == params.to_dict() else _FIRST_SEED
