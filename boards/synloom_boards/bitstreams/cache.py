"""Where bitstreams are kept: a folder a design and seed, in the user's cache."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from synloom_boards.bitstreams.report import BuildReport
from synloom_sim.board.cache import BoardCache

__all__ = ["Bitstream", "BitstreamCache"]


@dataclass(frozen=True, slots=True)
class Bitstream:
    """A bitstream and what its build reached."""

    path: Path
    report: BuildReport


@dataclass(frozen=True, slots=True)
class BitstreamCache:
    """Built bitstreams; safe with several processes at a time.

    `bitstreams/DIGEST-SEED/` holds the bitstream, `report.json` and `build.log`.

    Parameters
    ----------
    boards : BoardCache
        The user's cache, whose locks, work folders and logs are used.
    """

    boards: BoardCache

    @classmethod
    def default(cls) -> BitstreamCache:
        """Return the user's cache, as for simulated boards."""
        return cls(BoardCache.default())

    def find(self, digest: str, seed: int, name: str) -> Bitstream | None:
        """Return a bitstream, if it was built; `name` is its file's."""
        folder = self._folder(digest, seed)
        try:
            report = BuildReport.from_json((folder / "report.json").read_text(encoding="utf-8"))
        except (OSError, KeyError, ValueError):
            return None
        return Bitstream(folder / name, report) if (folder / name).is_file() else None

    def store(self, built: Path, name: str, report: BuildReport) -> Bitstream:
        """Keep a bitstream, its report and its log from the folder where it was built."""
        folder = self._folder(report.digest, report.seed)
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = folder.with_name(f"{folder.name}.{os.getpid()}")
        new.mkdir()
        for file in (name, "build.log"):
            shutil.copy(built / file, new / file)
        (new / "report.json").write_text(report.to_json(), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(new, folder)
        return Bitstream(folder / name, report)

    def _folder(self, digest: str, seed: int) -> Path:
        return self.boards.root / "bitstreams" / f"{digest}-{seed}"
