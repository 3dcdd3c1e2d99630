"""Stamps: what each board's last full build reached, kept with the source code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from synloom.base.atomic_files import write_whole
from synloom.contract import ArrayParams
from synloom_boards.bitstreams.gateware_digest import gateware_digest
from synloom_boards.bitstreams.report import BuildReport
from synloom_boards.board import Board

__all__ = ["Stamp", "read_stamp", "stamp_path", "stamped_seed", "write_stamp"]

_FIRST_SEED = 1


@dataclass(frozen=True)
class Stamp:
    """The report of a build, and the digest of the gateware that it was made from."""

    gateware: str
    report: BuildReport

    def is_current(self, board: Board) -> bool:
        """Whether the gateware has not changed since the build."""
        return self.gateware == gateware_digest(board)


def stamp_path(board: Board) -> Path:
    """Return the file of a board's stamp."""
    return Path(str(resources.files("synloom_boards"))) / "stamps" / f"{board.name}.json"


def read_stamp(board: Board) -> Stamp | None:
    """Return a board's stamp; None if it was never built, or if its stamp cannot be read."""
    try:
        text = stamp_path(board).read_text(encoding="utf-8")
        return Stamp(json.loads(text)["gateware"], BuildReport.from_json(text))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_stamp(board: Board, report: BuildReport) -> Path:
    """Write the stamp of a build of the board's default array; return its file."""
    values: dict[str, Any] = {"gateware": gateware_digest(board), **json.loads(report.to_json())}
    path = stamp_path(board)
    path.parent.mkdir(exist_ok=True)
    write_whole(path, (json.dumps(values, indent=2) + "\n").encode())
    return path


def stamped_seed(board: Board, params: ArrayParams) -> int:
    """Return the seed of the stamp if the stamp has these parameters, else 1."""
    stamp = read_stamp(board)
    return stamp.report.seed if stamp and stamp.report.params == params.to_dict() else _FIRST_SEED
