"""From a board and parameters to a bitstream: elaborate, synthesise, check, place and route, pack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from synloom.base.errors import BuildError
from synloom.base.progress import Progress
from synloom.contract import ArrayParams
from synloom_boards.bitstreams.cache import Bitstream, BitstreamCache
from synloom_boards.bitstreams.elaboration import Plan, make_plan, tool_versions
from synloom_boards.bitstreams.report import BuildReport
from synloom_boards.board import Board
from synloom_boards.toolchain.netlist_checks import check_netlist
from synloom_boards.toolchain.place_and_route import Placement, place
from synloom_boards.toolchain.synthesis import synthesise
from synloom_boards.toolchain.tools import run_tool

__all__ = ["build_bitstream", "require_timing"]

_SYNTHESIS_SHARE = 0.35
"""Share of a build's time that synthesis takes, for the progress."""


def build_bitstream(
    board: Board,
    params: ArrayParams,
    *,
    seeds: Sequence[int] = (1,),
    every: bool = False,
    cache: BitstreamCache | None = None,
    progress: Progress | None = None,
    watch: Callable[[str], None] | None = None,
) -> Bitstream:
    """Return the bitstream of an array for a board, from the cache or newly built.

    Seeds are tried in order until one meets the timing. The fastest bitstream is returned; `require_timing`
    rejects it if it is too slow.

    Parameters
    ----------
    board : Board
    params : ArrayParams
        The array; its clock becomes the nearest one that the board's PLL can make.
    seeds : sequence of int
        Seeds of the placer, at least one.
    every : bool
        Try the other seeds, too, once one has met the timing.
    cache : BitstreamCache, optional
        The user's cache by default.
    progress : callable, optional
        Called with the current stage and the share of the work that is done.
    watch : callable, optional
        Called with each line that the tools write.

    Raises
    ------
    BuildError
        If a tool is missing or fails, the design does not fit, or the netlist fails a check; the message
        names the log.
    ParameterError
        If the board cannot make the clock or the line rate.
    """
    report = progress or _silent
    report("elaborating", 0.0)
    plan = make_plan(board, params)
    tools = tool_versions(board)
    digest = plan.digest(tools)
    cache = cache or BitstreamCache.default()
    with cache.boards.lock(digest):
        found = [cache.find(digest, seed, board.family.bitstream) for seed in seeds]
        built = [bitstream for bitstream in found if bitstream is not None]
        if len(built) == len(seeds) or (not every and any(bitstream.report.met for bitstream in built)):
            return _best(built)
        missing = [seed for seed, bitstream in zip(seeds, found, strict=True) if bitstream is None]
        log = cache.boards.log(digest)
        try:
            with cache.boards.workplace(digest) as folder:
                build = _Build(plan, digest, tools, folder, cache, report, watch)
                built += build.run(missing, every)
        except BuildError as error:
            raise BuildError(f"{error}; the log is {log}" if log.exists() else str(error)) from error
    return _best(built)


def require_timing(bitstream: Bitstream) -> Bitstream:
    """Return the bitstream if it meets its timing.

    Raises
    ------
    BuildError
        If it does not; the message gives the clock, the critical path and what to try.
    """
    report = bitstream.report
    if report.met:
        return bitstream
    late = min(report.clocks, key=lambda clock: clock.achieved / clock.goal)
    where = f", from {report.critical.source} to {report.critical.sink}" if report.critical else ""
    raise BuildError(
        f"timing is not met: {late.clock} reaches {late.achieved:.1f} MHz of {late.goal:.1f} MHz{where}; "
        f"try other seeds (--seed {report.seed + 1} --seeds 8), a --clock-hz below {late.achieved:.1f} MHz, "
        f"fewer --lanes, or --allow-slow to accept it"
    )


@dataclass(frozen=True, slots=True)
class _Build:
    """One build, in a folder of its own."""

    plan: Plan
    digest: str
    tools: dict[str, str]
    folder: Path
    cache: BitstreamCache
    progress: Progress
    watch: Callable[[str], None] | None

    def run(self, seeds: Sequence[int], every: bool) -> list[Bitstream]:
        """Synthesise once, then place with each seed, until one meets the timing if not `every`."""
        plan, family = self.plan, self.plan.board.family
        for name, text in plan.constraints.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self.progress("synthesising", 0.02)
        netlist = synthesise(plan.rtlil, self.folder, family, watch=self.watch)
        self.progress("checking the netlist", _SYNTHESIS_SHARE)
        check_netlist(family, plan.params, plan.rtlil, netlist)
        built = []
        for seed in seeds:
            built.append(self._one(seed))
            if built[-1].report.met and not every:
                break
        return built

    def _one(self, seed: int) -> Bitstream:
        board, family = self.plan.board, self.plan.board.family

        def tell(what: str, share: float) -> None:
            self.progress(f"{what} (seed {seed})", _SYNTHESIS_SHARE + (0.97 - _SYNTHESIS_SHARE) * share)

        placement = place(board, self.plan.params.clock_hz, seed, self.folder, tell, self.watch)
        self.progress("packing the bitstream", 0.98)
        run_tool(family.packer, [*board.packer, *family.pack], self.folder, watch=self.watch)
        return self.cache.store(self.folder, family.bitstream, self._report(seed, placement))

    def _report(self, seed: int, placement: Placement) -> BuildReport:
        plan = self.plan
        return BuildReport(
            board=plan.board.name,
            chip=plan.board.chip,
            params=plan.params.to_dict(),
            digest=self.digest,
            seed=seed,
            tools=self.tools,
            resources=plan.board.family.resources(placement.used),
            clocks=placement.clocks,
            critical=placement.critical,
        )


def _best(built: Sequence[Bitstream]) -> Bitstream:
    return max(built, key=lambda bitstream: (bitstream.report.met, bitstream.report.fmax))


def _silent(what: str, share: float) -> None:
    """Ignore the progress."""
