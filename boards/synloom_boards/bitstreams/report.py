"""The report of a build, as it is kept beside the bitstream and in the board's stamp."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from synloom.contract import ArrayParams
from synloom_boards.speed import step_clocks, steps_per_second
from synloom_boards.toolchain.place_and_route import ClockTiming, CriticalPath, has_met

__all__ = ["FEATURES", "BuildReport"]

FEATURES: Final = (
    "plasticity",
    "soft_bounds",
    "stochastic_rounding",
    "reward",
    "adaptation",
    "generators",
    "spike_counters",
)
"""Features that a small FPGA may have to leave out."""


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What one build of one board reached.

    Parameters
    ----------
    board : str
        Name of the board.
    chip : str
        The vendor's name of the FPGA.
    params : mapping
        Parameters of the array, with the clock that the PLL makes.
    digest : str
        Digest of the design, its constraints and the tools: see `Plan.digest`.
    seed : int
        Seed of the placer.
    tools : mapping of str to str
        Version of each tool.
    resources : mapping of str to pair of int
        Used and available resources by column: LUT, FF, RAM, DSP and those of the family.
    clocks : sequence of ClockTiming
        Every clock of the design.
    critical : CriticalPath or None
        The slowest path, if nextpnr reported one.
    """

    board: str
    chip: str
    params: Mapping[str, int | bool]
    digest: str
    seed: int
    tools: Mapping[str, str]
    resources: Mapping[str, Sequence[int]]
    clocks: Sequence[ClockTiming]
    critical: CriticalPath | None

    @property
    def array(self) -> ArrayParams:
        """The array's parameters."""
        return ArrayParams.from_dict(self.params)

    @property
    def met(self) -> bool:
        """Whether every clock meets its timing, and the array's clock is among them."""
        return has_met(self.clocks)

    @property
    def fmax(self) -> float:
        """Maximum frequency of the array's clock, in MHz; 0 if the report lacks it."""
        return min((clock.achieved for clock in self.clocks if clock.clock == "sync"), default=0.0)

    @property
    def features_off(self) -> tuple[str, ...]:
        """Features that this array leaves out."""
        return tuple(name for name in FEATURES if not self.params[name])

    @property
    def step_clocks(self) -> float:
        """The fewest clocks of a step at 5 % activity."""
        return step_clocks(self.array)

    @property
    def steps_per_second(self) -> float:
        """The most steps per second at 5 % activity."""
        return steps_per_second(self.array)

    def to_json(self) -> str:
        """Return the report as JSON, which `from_json` reads."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> BuildReport:
        """Read what `to_json` wrote; unknown fields are ignored.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the text is not a report, or its array has parameters that `ArrayParams` does not allow.
        """
        values: dict[str, Any] = json.loads(text)
        known = {name: values[name] for name in cls.__dataclass_fields__}
        ArrayParams.from_dict(known["params"])
        known["clocks"] = tuple(ClockTiming(**clock) for clock in values["clocks"])
        known["critical"] = CriticalPath(**values["critical"]) if values["critical"] else None
        return cls(**known)
