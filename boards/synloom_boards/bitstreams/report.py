"""What a build made, as it is kept beside the bitstream and in a board's stamp."""

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
"""What a small part may lack."""


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """One build of one board.

    Parameters
    ----------
    board : str
        Its name.
    chip : str
    params : mapping
        Of the array, with the true clock.
    digest : str
        Of the design, its constraints and the tools.
    seed : int
        Of the placer.
    tools : mapping of str to str
        Versions by tool.
    resources : mapping of str to pair of int
        Used and available, by the columns LUT, FF, RAM, DSP and those of the family.
    clocks : sequence of ClockTiming
    critical : CriticalPath or None
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
        """Whether every clock is fast enough."""
        return has_met(self.clocks)

    @property
    def fmax(self) -> float:
        """The clock that the array may have, in MHz."""
        return min((clock.achieved for clock in self.clocks if clock.clock == "sync"), default=0.0)

    @property
    def features_off(self) -> tuple[str, ...]:
        """What this array lacks."""
        return tuple(name for name in FEATURES if not self.params[name])

    @property
    def step_clocks(self) -> float:
        """The bound of a step at 5 % activity, in clocks."""
        return step_clocks(self.array)

    @property
    def steps_per_second(self) -> float:
        """Steps a second of that bound."""
        return steps_per_second(self.array)

    def to_json(self) -> str:
        """Return it as text that `from_json` reads."""
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
