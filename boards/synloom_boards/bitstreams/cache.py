"""The cache of bitstreams: one folder for each design and seed."""

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
    """A bitstream file and the report of its build."""

    path: Path
    report: BuildReport

    @property
    def log(self) -> Path:
        """What the tools wrote."""
        return self.path.with_name("build.log")

    @property
    def built(self) -> float:
        """When it was built, in seconds since 1970."""
        return self.path.with_name("report.json").stat().st_mtime


@dataclass(frozen=True, slots=True)
class BitstreamCache:
    """Built bitstreams; several processes may use the cache at once.

    `bitstreams/DIGEST-SEED/` holds the bitstream, `report.json` and `build.log`.

    Parameters
    ----------
    boards : BoardCache
        The cache of simulated boards; its locks, work folders and logs are used.
    """

    boards: BoardCache

    @classmethod
    def default(cls) -> BitstreamCache:
        """Return the user's cache, which simulated boards use, too."""
        return cls(BoardCache.default())

    def find(self, digest: str, seed: int, name: str) -> Bitstream | None:
        """Return a bitstream, or None if it was not built; `name` is that of its file."""
        folder = self._folder(digest, seed)
        try:
            report = BuildReport.from_json((folder / "report.json").read_text(encoding="utf-8"))
        except (OSError, KeyError, TypeError, ValueError):
            return None
        return Bitstream(folder / name, report) if (folder / name).is_file() else None

    def latest(self, board: str, name: str) -> Bitstream | None:
        """Return the bitstream of a board that was built last, or None; `name` is that of its file."""
        parts = (folder.name.rpartition("-") for folder in self._bitstreams.glob("*-*"))
        built = (self.find(digest, int(seed), name) for digest, _, seed in parts if seed.isdecimal())
        found = (bitstream for bitstream in built if bitstream and bitstream.report.board == board)
        return max(found, key=lambda bitstream: bitstream.built, default=None)

    def seeds(self, digest: str, name: str) -> dict[int, float]:
        """Return the Fmax in MHz for each seed that a design was placed with; `name` is that of its file."""
        numbers = (folder.name.rpartition("-")[2] for folder in self._bitstreams.glob(f"{digest}-*"))
        found = {int(seed): self.find(digest, int(seed), name) for seed in numbers if seed.isdecimal()}
        return {seed: made.report.fmax for seed, made in sorted(found.items()) if made is not None}

    def store(self, built: Path, name: str, report: BuildReport) -> Bitstream:
        """Copy a bitstream, its report and its log from the folder of the build into the cache."""
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

    @property
    def _bitstreams(self) -> Path:
        return self.boards.root / "bitstreams"

    def _folder(self, digest: str, seed: int) -> Path:
        return self._bitstreams / f"{digest}-{seed}"
